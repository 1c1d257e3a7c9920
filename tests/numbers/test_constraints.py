"""What is promised of outside numbers and trunks, the database enforces, too."""

from types import SimpleNamespace

import pytest
from asyncpg import IntegrityConstraintViolationError
from numbers_outside import give
from parts import look
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError


@pytest.fixture
def there(server, tenant):
    """A client with an extension, a number and a trunk; another client with an extension."""
    other = server.tenant()
    trunk = server.admin.post("/admin/trunk/", json={"name": "Carrier", "host": "192.0.2.7"}).json()
    return SimpleNamespace(
        client=tenant.id,
        extension=tenant.extension(),
        did=give(server, tenant.id),
        free=give(server, None),
        other=other.id,
        foreign=other.extension(),
        trunk=trunk["id"],
    )


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE did SET extension_id = {foreign} WHERE id = {did[id]}",
        "UPDATE did SET message_extension_id = {foreign} WHERE id = {did[id]}",
        "UPDATE did SET extension_id = {extension} WHERE id = {free[id]}",
        "UPDATE did SET name = '{free[name]}' WHERE id = {did[id]}",
        "INSERT INTO ani (client_id, number, did_id) VALUES ({other}, '{did[name]}', {did[id]})",
        "INSERT INTO ani (client_id, number, did_id) VALUES ({client}, '74950000000', {did[id]})",
        "INSERT INTO ani (client_id, extension_id, number) VALUES ({client}, {foreign}, '74950000000')",
        "INSERT INTO ani (client_id, number) VALUES ({client}, '1234'), ({client}, '1235')",
        "UPDATE trunk SET register = true WHERE id = {trunk}",
        "UPDATE trunk SET login = 'line7' WHERE id = {trunk}",
        "UPDATE trunk SET transport = 'sctp' WHERE id = {trunk}",
        "UPDATE trunk SET client_id = 999999999 WHERE id = {trunk}",
    ],
)
def test_a_broken_promise_is_refused(server, there, statement):
    with pytest.raises((IntegrityError, IntegrityConstraintViolationError)):
        look(server.database, text(statement.format_map(vars(there))))


def test_a_number_that_is_shown_can_not_be_given_away_beside_the_service(server, tenant, there):
    tenant.api.put("/client/@me/ani/", json={"ani_number": there.did["name"]})
    with pytest.raises((IntegrityError, IntegrityConstraintViolationError)):
        look(server.database, text(f"UPDATE did SET client_id = {there.other} WHERE id = {there.did['id']}"))
