"""Outside numbers: made and given by administrators, bound by clients."""

import pytest
from numbers_outside import Told, give, number
from trail import trail


@pytest.fixture
def did(server, tenant):
    """A number of the tenant, bound to nothing."""
    return give(server, tenant.id)


def one(did):
    return f"/client/@me/did/{did['id']}"


@pytest.fixture
def told(server, did):
    return Told(server)


def test_an_administrator_makes_gives_and_deletes_one(server, tenant, told):
    name = number()
    made = server.admin.post("/admin/did/", json={"name": f"+{name}", "comment": "head office"})
    assert made.status_code == 201, made.text
    did = made.json()
    assert did == {
        "id": did["id"],
        "name": name,
        "domain": None,
        "client_id": None,
        "extension_id": None,
        "allow_message": False,
        "message_extension_id": None,
        "comment": "head office",
        "create_date": did["create_date"],
    }
    path = f"/admin/did/{did['id']}"
    given = server.admin.put(path, json={"client_id": tenant.id, "name": "749500000", "allow_message": True})
    wanted = did | {"client_id": tenant.id, "domain": "pbx.test", "allow_message": True}
    assert (given.status_code, given.json()) == (200, wanted)
    assert server.admin.get(path).json() == wanted
    assert tenant.api.get("/client/@me/did/").json()[0] == wanted
    assert server.admin.get("/admin/did/?per_page=1").json() == [wanted]
    assert server.admin.delete(path).status_code == 204
    assert server.admin.get(path).status_code == 404
    assert told() == [("did", name)] * 3


def test_a_number_exists_once(server, did):
    again = server.admin.post("/admin/did/", json={"name": "+" + did["name"]})
    assert (again.status_code, again.json()["errors"][0]["field"]) == (400, "name")


@pytest.mark.parametrize("name", ["12", "1" * 16, "7495x", "*21", "+", "7 495", ""])
def test_a_number_is_three_to_fifteen_digits(server, name):
    refused = server.admin.post("/admin/did/", json={"name": name})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "name")


def test_it_is_given_to_a_client_that_exists(server, did):
    for answer in (
        server.admin.post("/admin/did/", json={"name": number(), "client_id": 999_999_999}),
        server.admin.put(f"/admin/did/{did['id']}", json={"client_id": 999_999_999}),
    ):
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "client_id")


def test_a_client_binds_its_number_and_unbinds_it(tenant, did, told):
    extension, other = tenant.extension(), tenant.extension()
    with trail(tenant) as left:
        bound = tenant.api.put(one(did), json={"extension_id": extension, "client_id": 1, "name": "1234"})
    assert (bound.status_code, bound.json()) == (200, did | {"extension_id": extension})
    assert left.audit == [("did:change", did["id"], {"extension_id": None}, {"extension_id": extension})]
    assert tenant.api.get(one(did)).json()["extension_id"] == extension
    fields = {"extension_id": None, "message_extension_id": other, "comment": "for texts"}
    assert tenant.api.put(one(did), json=fields).json() == did | fields
    with trail(tenant) as left:
        assert tenant.api.put(one(did), json=fields).json() == did | fields
    assert left.audit == []
    assert told() == [("did", did["name"])] * 2


def test_it_is_bound_to_extensions_of_the_same_client_only(server, tenant, did):
    foreign = server.tenant().extension()
    for field in ("extension_id", "message_extension_id"):
        for unknown in (foreign, 999_999_999):
            refused = tenant.api.put(one(did), json={field: unknown})
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, field)
    assert tenant.api.get(one(did)).json() == did


def test_another_clients_number_is_not_there(server, did):
    stranger = server.tenant()
    own = stranger.extension()
    assert stranger.api.get(one(did)).status_code == 404
    assert stranger.api.put(one(did), json={"extension_id": own}).status_code == 404
    assert stranger.api.get("/client/@me/did/").json() == []


def test_a_deleted_extension_leaves_its_numbers_unbound(tenant, did, told):
    main, associated = tenant.extension(), tenant.extension()
    tenant.bundle(main, associated)
    tenant.api.put(one(did), json={"extension_id": main, "message_extension_id": associated})
    assert tenant.api.delete(f"/client/@me/extension/{main}").status_code == 204
    assert tenant.api.get(one(did)).json() == did | {"message_extension_id": associated}
    assert told() == [("did", did["name"])] * 2


def test_a_number_that_is_given_away_is_bound_to_nothing_and_nobody_shows_it(server, tenant, did, told):
    extension, heir = tenant.extension(), server.tenant()
    tenant.api.put(one(did), json={"extension_id": extension})
    for path in ("/client/@me/ani/", f"/extension/{extension}/ani/"):
        assert tenant.api.put(path, json={"ani_number": did["name"]}).status_code == 200
    with trail(tenant) as left:
        given = server.admin.put(f"/admin/did/{did['id']}", json={"client_id": heir.id})
    assert given.json() == did | {"client_id": heir.id}
    for path in ("/client/@me/ani/", f"/extension/{extension}/ani/"):
        assert tenant.api.get(path).json() == {"default": None}
    assert left.routed == [extension]
    assert sorted(action for action, *_ in left.audit) == ["client:ani", "extension:ani"]
    assert told()[-1] == ("did", did["name"])
    assert ("client", str(tenant.id)) in told()[-2:]


def test_a_client_that_goes_leaves_its_numbers_to_nobody(server, told):
    gone = server.tenant()
    did, extension = give(server, gone.id), gone.extension()
    gone.api.put(one(did), json={"extension_id": extension})
    gone.api.put(f"/extension/{extension}/ani/", json={"ani_number": did["name"]})
    assert server.admin.delete(f"/admin/client/{gone.id}").status_code == 204
    left = server.admin.get(f"/admin/did/{did['id']}").json()
    assert left == did | {"client_id": None, "domain": None}
    assert ("did", did["name"]) in told()
    assert ("client", str(gone.id)) in told()
