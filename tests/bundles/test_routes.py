"""Bundles over REST: the contract's page, constraint by constraint."""

import pytest


def get(tenant, extension):
    return tenant.api.get(f"/client/@me/extensions_bundle/{extension}")


def word(answer):
    return answer.status_code, answer.json()["status"]


def test_post_sets_the_list_in_the_order_given(tenant):
    main, one, two = (tenant.extension() for _ in range(3))
    answer = tenant.bundle(main, two, one)
    assert (answer.status_code, answer.json()) == (201, {"bundle_list": [two, one], "bundle_id": main})
    assert get(tenant, main).json() == {"bundle_list": [two, one], "bundle_id": main}


def test_an_associated_extension_answers_the_bundle_it_is_in(tenant):
    main, one = tenant.extension(), tenant.extension()
    tenant.bundle(main, one)
    assert get(tenant, one).json() == {"bundle_list": [one], "bundle_id": main}


def test_an_extension_in_no_bundle_answers_itself(tenant):
    alone = tenant.extension()
    assert get(tenant, alone).json() == {"bundle_list": [], "bundle_id": alone}


def test_a_second_post_replaces_the_list(tenant):
    main, one, two, three = (tenant.extension() for _ in range(4))
    tenant.bundle(main, one, two)
    assert tenant.bundle(main, three, two).status_code == 201
    assert get(tenant, main).json()["bundle_list"] == [three, two]
    assert get(tenant, one).json() == {"bundle_list": [], "bundle_id": one}


def test_an_empty_list_unties_all(tenant):
    main, one = tenant.extension(), tenant.extension()
    tenant.bundle(main, one)
    for _ in range(2):
        answer = tenant.bundle(main)
        assert (answer.status_code, answer.json()) == (201, {"bundle_list": [], "bundle_id": main})


def test_delete_unties_all_and_must_name_the_main_one(tenant):
    main, one = tenant.extension(), tenant.extension()
    tenant.bundle(main, one)
    path = "/client/@me/extensions_bundle/"
    assert word(tenant.api.delete(f"{path}{one}")) == (404, "extension_not_found")
    answer = tenant.api.delete(f"{path}{main}")
    assert (answer.status_code, answer.json()) == (200, {"bundle_list": [], "bundle_id": main})
    assert word(tenant.api.delete(f"{path}{main}")) == (404, "extension_not_found")


def test_the_other_name_of_the_list(tenant):
    main, one, two = (tenant.extension() for _ in range(3))
    path = f"/client/@me/extensions_bundle/{main}"
    assert tenant.api.post(path, json={"extension_id": [one]}).json()["bundle_list"] == [one]
    assert tenant.api.post(path, json={"extension_id": [two], "bundle_list": [two]}).status_code == 201
    both = tenant.api.post(path, json={"extension_id": [one], "bundle_list": [two]})
    assert both.json()["errors"][0]["field"] == "extension_id"
    neither = tenant.api.post(path, json={})
    assert (neither.status_code, neither.json()["errors"][0]["field"]) == (400, "bundle_list")
    assert get(tenant, main).json()["bundle_list"] == [two]


@pytest.mark.parametrize("path_is_phone", [True, False])
def test_rule_1_all_are_phones(tenant, path_is_phone):
    phone, queue = tenant.extension(), tenant.extension(type="queue")
    main, listed = (phone, queue) if path_is_phone else (queue, phone)
    answer = tenant.bundle(main, listed)
    assert word(answer) == (400, "wrong_type")
    assert str(queue) in answer.json()["message"]


def test_rule_2_a_listed_extension_is_not_main_elsewhere(tenant):
    main, one, other = (tenant.extension() for _ in range(3))
    tenant.bundle(main, one)
    answer = tenant.bundle(other, main)
    assert word(answer) == (400, "extension_is_main")
    assert str(main) in answer.json()["message"]
    assert get(tenant, main).json() == {"bundle_list": [one], "bundle_id": main}


def test_rule_3_a_listed_extension_is_associated_with_no_other(tenant):
    main, one, other = (tenant.extension() for _ in range(3))
    tenant.bundle(main, one)
    answer = tenant.bundle(other, one)
    assert word(answer) == (400, "extension_is_associated")
    assert str(one) in answer.json()["message"]
    assert get(tenant, one).json()["bundle_id"] == main


def test_rule_4_the_path_is_not_associated_itself(tenant):
    main, one, other = (tenant.extension() for _ in range(3))
    tenant.bundle(main, one)
    assert word(tenant.bundle(one, other)) == (400, "extension_is_associated")


def test_rule_4_none_equals_the_path_and_none_comes_twice(tenant):
    main, one = tenant.extension(), tenant.extension()
    assert word(tenant.bundle(main, main)) == (400, "extension_is_main")
    assert word(tenant.bundle(main, one, one)) == (400, "extension_listed_twice")


def test_rule_4_at_most_nine(tenant):
    main, *others = (tenant.extension() for _ in range(11))
    assert word(tenant.bundle(main, *others)) == (400, "too_many_extensions")
    assert tenant.bundle(main, *others[:9]).status_code == 201


def test_rule_5_unknown_and_foreign_ids(tenant, server):
    main = tenant.extension()
    foreign = server.tenant().extension()
    assert word(tenant.bundle(main, 10**9)) == (404, "extension_not_found")
    assert word(tenant.bundle(main, foreign)) == (404, "extension_not_found")
    path = f"/client/{tenant.id}/extensions_bundle/{main}"
    told = server.admin.post(path, json={"bundle_list": [foreign]})
    assert word(told) == (400, "foreign_extension")


def test_if_match(tenant):
    main, one, two = (tenant.extension() for _ in range(3))
    tenant.bundle(main, one)
    path = f"/client/@me/extensions_bundle/{main}"
    tag = get(tenant, main).headers["etag"]
    stale = {"If-Match": '"0"'}
    assert word(tenant.api.post(path, json={"bundle_list": [two]}, headers=stale)) == (
        412,
        "precondition_failed",
    )
    assert word(tenant.api.delete(path, headers=stale)) == (412, "precondition_failed")
    assert tenant.api.post(path, json={"bundle_list": [two]}, headers={"If-Match": tag}).status_code == 201
    assert word(tenant.api.delete(path, headers={"If-Match": tag})) == (412, "precondition_failed")


def test_order_of_checks(tenant):
    stale = {"If-Match": '"0"'}
    path = "/client/@me/extensions_bundle/"
    assert tenant.api.post(f"{path}99999999", json={}, headers=stale).status_code == 400
    assert tenant.api.post(f"{path}99999999", json={"bundle_list": [1]}, headers=stale).status_code == 404
    main = tenant.extension()
    assert tenant.api.post(f"{path}{main}", json={"bundle_list": [10**9]}, headers=stale).status_code == 412
    assert tenant.api.post(f"{path}{main}", json={"bundle_list": [10**9, main]}).status_code == 404


def test_making_a_bundle_overwrites_and_untying_keeps(tenant):
    main, one = tenant.extension(status="active", dial_rule_limit=3), tenant.extension()
    tenant.api.put(f"/extension/{main}/phone/", json={"incoming_limit": 2, "conference_pin": "12"})
    tenant.bundle(main, one)
    for _ in range(2):
        phone = tenant.api.get(f"/extension/{one}/phone/").json()
        extension = tenant.api.get(f"/client/@me/extension/{one}").json()
        assert (phone["incoming_limit"], phone["conference_pin"]) == (2, "12")
        assert (extension["status"], extension["dial_rule_limit"]) == ("active", 3)
        tenant.api.delete(f"/client/@me/extensions_bundle/{main}")


def test_updating_a_member_updates_all(tenant):
    main, one, two = (tenant.extension() for _ in range(3))
    tenant.bundle(main, one, two)
    tenant.api.put(f"/extension/{two}/phone/", json={"record_enabled": True})
    tenant.api.put(f"/client/@me/extension/{one}", json={"status": "active"})
    for member in (main, one, two):
        assert tenant.api.get(f"/extension/{member}/phone/").json()["record_enabled"] is True
        assert tenant.api.get(f"/client/@me/extension/{member}").json()["status"] == "active"


def test_deleting_members(tenant):
    main, one, two = (tenant.extension() for _ in range(3))
    tenant.bundle(main, one, two)
    assert tenant.api.delete(f"/client/@me/extension/{one}").status_code == 204
    assert get(tenant, main).json()["bundle_list"] == [two]
    assert tenant.api.delete(f"/client/@me/extension/{main}").status_code == 204
    assert get(tenant, two).json() == {"bundle_list": [], "bundle_id": two}


def test_the_list_of_a_client_is_ordered_and_paged(tenant):
    ids = [tenant.extension() for _ in range(6)]
    for main, one in zip(ids[::2], ids[1::2], strict=True):
        tenant.bundle(main, one)
    path = "/client/@me/extensions_bundle/"
    found = tenant.api.get(path).json()
    assert found == [{"bundle_list": [ids[i + 1]], "bundle_id": ids[i]} for i in (0, 2, 4)]
    assert tenant.api.get(path, params={"page": 2, "per_page": 2}).json() == found[2:]


def test_aliases_in_the_path(tenant):
    main, one = tenant.extension(name="100"), tenant.extension(name="101")
    prefix = tenant.client["prefix"]
    for alias in ("@100", "%40100", f"@{prefix}*100", f"@{prefix}%2A100"):
        answer = tenant.api.post(f"/client/@me/extensions_bundle/{alias}/", json={"bundle_list": [one]})
        assert answer.json() == {"bundle_list": [one], "bundle_id": main}
