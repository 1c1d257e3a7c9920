"""The number that calls to the outside show: one of the client's, or one that an administrator allows."""

import pytest
from numbers_outside import give
from trail import trail


@pytest.fixture
def did(server, tenant):
    return give(server, tenant.id)["name"]


def ani(extension=None):
    return f"/extension/{extension}/ani/" if extension else "/client/@me/ani/"


def test_without_one_it_is_null(tenant):
    for path in (ani(), ani(tenant.extension())):
        answer = tenant.api.get(path)
        assert (answer.status_code, answer.json()) == (200, {"default": None})


@pytest.mark.parametrize("of", ["client", "extension"])
def test_it_is_set_shown_and_cleared(tenant, did, of):
    extension = tenant.extension()
    path = ani(extension if of == "extension" else None)
    with trail(tenant) as left:
        answer = tenant.api.put(path, json={"ani_number": f"+{did}"})
    assert (answer.status_code, answer.json()) == (200, {"default": did})
    assert tenant.api.get(path).json() == {"default": did}
    changed = tenant.id if of == "client" else extension
    assert left.audit == [(f"{of}:ani", changed, {"ani_number": None}, {"ani_number": did})]
    assert left.routed == ([] if of == "client" else [extension])
    shown = tenant.api.get(f"/client/@me/extension/{extension}").json()["ani"]
    assert shown == (None if of == "client" else did)
    for unchanged in ({"ani_number": did}, {"ani": "1234"}, {}):
        with trail(tenant) as left:
            assert tenant.api.put(path, json=unchanged).json() == {"default": did}
        assert left.audit == []
    assert tenant.api.put(path, json={"ani_number": None}).json() == {"default": None}
    assert tenant.api.get(path).json() == {"default": None}


def test_that_of_a_main_extension_concerns_its_whole_bundle(tenant, did):
    main, associated = tenant.extension(), tenant.extension()
    tenant.bundle(main, associated)
    for changed, concerned in ((main, [main, associated]), (associated, [associated])):
        with trail(tenant) as left:
            tenant.api.put(ani(changed), json={"ani_number": did})
        assert left.routed == concerned


@pytest.mark.parametrize("of", ["client", "extension"])
def test_a_number_that_is_not_the_clients_is_refused(server, tenant, of):
    path = ani(tenant.extension() if of == "extension" else None)
    foreign, nobodys = give(server, server.tenant().id)["name"], give(server, None)["name"]
    for number in (foreign, nobodys, "74950000000"):
        refused = tenant.api.put(path, json={"ani_number": number})
        assert (refused.status_code, refused.json()["status"]) == (400, "ani_not_owned"), refused.text
        assert refused.json()["errors"][0]["field"] == "ani_number"
    assert tenant.api.get(path).json() == {"default": None}


def test_an_administrator_may_allow_any_number_and_the_client_keeps_it(server, tenant):
    extension = tenant.extension()
    for path, mine in ((f"/client/{tenant.id}/ani/", ani()), (ani(extension), ani(extension))):
        allowed = server.admin.put(path, json={"ani_number": "74950000001"})
        assert (allowed.status_code, allowed.json()) == (200, {"default": "74950000001"})
        assert tenant.api.put(mine, json={"ani_number": "74950000001"}).status_code == 200
        assert tenant.api.put(mine, json={"ani_number": None}).status_code == 200
        assert tenant.api.put(mine, json={"ani_number": "74950000001"}).json()["status"] == "ani_not_owned"


def test_an_extensions_user_reads_its_own_and_sets_none(server, tenant, did):
    extension, other = tenant.extension(), tenant.extension()
    api = server.api(tenant.id, extension=extension)
    tenant.api.put(ani(extension), json={"ani_number": did})
    assert api.get(ani("@me")).json() == {"default": did}
    assert api.get(ani(other)).status_code == 404
    assert api.put(ani("@me"), json={"ani_number": None}).json()["status"] == "access_denied"
    assert api.put(ani("@me"), json={"ani_number": did}).status_code == 200  # a form sent back
    assert tenant.api.get(ani(extension)).json() == {"default": did}
