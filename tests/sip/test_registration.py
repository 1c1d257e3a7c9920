"""Who is registered: asked through the API, answered live by the switch."""

import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from parts import free_port, serving, until

DATABASES = ("sqlite", "postgresql")


def state(api, extension):
    answer = api.get(f"/extension/{extension}/registration/")
    assert answer.status_code == 200, answer.text
    return answer.json()


def kamailio(exchange) -> int:
    return int((exchange.folder / "switch" / "kamailio.pid").read_text())


def test_a_phone_is_seen_from_the_moment_it_has_registered_to_its_leave(office):
    phone = office.phone("101", registered=False)
    nobody = {"registered": False, "extension_id": office.ids["101"], "registrations": []}
    assert state(office.tenant.api, "@101") == nobody
    phone.register(expires=600)
    found = state(office.tenant.api, office.ids["101"])
    (seen,) = found.pop("registrations")
    assert found == {"registered": True, "extension_id": office.ids["101"]}
    expires = datetime.strptime(seen.pop("expires"), "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert timedelta(seconds=590) < expires - datetime.now(UTC) <= timedelta(seconds=600)
    host, port = phone.transport.local
    assert seen.pop("registration_id")
    assert seen == {
        "contact_address": phone.contact,
        "real_address": f"{host}:{port}",
        "device": "Test phone",
    }
    phone.unregister()
    assert state(office.tenant.api, "@101") == nobody


# Break: register.cfg: `fix_nated_register()` whatever LISTENS_BESIDE says.
def test_a_phone_that_listens_at_another_port_of_its_address_rings_there(office):
    listener, sender = office.phone("101", registered=False), office.phone("101", registered=False)
    assert sender.register(contact=f"<{listener.contact}>").status == 200
    call = office.phone("200").invite("101")
    listener.expect_invite().answer()
    assert call.final().status == 200
    assert call.bye().status == 200


# Break: register.cfg, LISTENS_BESIDE: without MAY_BE_PORT; without the look at the host.
def test_a_phone_that_names_a_port_of_the_switch_or_another_address_rings_where_it_came_from(
    office, exchange
):
    phone, caller = office.phone("101", registered=False), office.phone("200")
    for place in (
        f"127.0.0.1:{exchange.control}",
        f"127.0.0.1:{exchange.port}",
        f"127.0.0.1:{exchange.relay_port}",
        f"127.0.0.2:{phone.transport.local[1]}",
        "169.254.169.254:80",
        "localhost:9",
        "2130706433:9",
        "127.0.0.1:9;maddr=127.0.0.2",
        "127.0.0.1:9;transport=tcp",
    ):
        contact = f"<sip:{phone.user}@{place}>"
        assert phone.register(contact=contact).status == 200
        call = caller.invite("101")
        phone.expect_invite().answer()
        assert call.final().status == 200
        assert call.bye().status == 200
        assert phone.unregister(contact).status == 200


# Break: modules.cfg: `gruu_enabled` 1.
def test_a_phone_is_offered_no_gruu_since_nobody_could_reach_it_there(office):
    phone = office.phone("101", registered=False)
    contact = f'<{phone.contact}>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000a95a0e128>"'
    answer = phone.register(contact=contact, headers={"Supported": "gruu, outbound, path"})
    assert answer.status == 200
    assert "gruu" not in str(answer)


def test_every_phone_of_an_extension_is_listed(office):
    one, two = office.phones("101", "101")
    found = state(office.tenant.api, "@101")["registrations"]
    assert {each["contact_address"] for each in found} == {one.contact, two.contact}
    assert len({each["registration_id"] for each in found}) == 2


def test_a_phone_behind_nat_is_shown_where_it_really_is(office):
    phone = office.phone("101", registered=False)
    assert phone.register(contact="<sip:101@10.1.2.3:5060>").status == 200
    (seen,) = state(office.tenant.api, "@101")["registrations"]
    host, port = phone.transport.local
    assert seen["contact_address"] == "sip:101@10.1.2.3:5060"
    assert seen["real_address"] == f"{host}:{port}"


def test_numbers_that_differ_in_case_only_are_different_ones(office, exchange):
    other = exchange.api.tenant(prefix=office.tenant.client["prefix"] + "X", domain="pbx.test")
    small = exchange.api.tenant(prefix=office.tenant.client["prefix"] + "x", domain="pbx.test")
    theirs, ours = (each.extension(name="101", status="active") for each in (other, small))
    password = other.api.put(f"/extension/{theirs}/phone/", json={"password": "generate"}).json()["password"]
    phone = office.phone("101", registered=False)
    phone.user = phone.login = f"{other.client['prefix']}*101"
    phone.password = password
    assert phone.register().status == 200
    assert state(other.api, theirs)["registered"] is True
    assert state(small.api, ours)["registered"] is False


def test_the_list_tells_all_phone_extensions_of_the_token_page_by_page(office, exchange):
    office.phones("100", "200")
    office.tenant.extension(name="300", type="queue")
    ids = sorted(office.ids.values())
    up = {office.ids["100"], office.ids["200"]}
    pages = [
        office.tenant.api.get("/extension/registration/", params={"order": "asc", "page": n, "per_page": 2})
        for n in (1, 2, 3, 4)
    ]
    assert [len(page.json()) for page in pages] == [2, 2, 1, 0]
    told = [each for page in pages for each in page.json()]
    assert [each["extension_id"] for each in told] == ids
    assert {each["extension_id"] for each in told if each["registered"]} == up
    own = exchange.api.api(office.tenant.id, extension=office.ids["200"]).get("/extension/registration/")
    assert [(each["extension_id"], each["registered"]) for each in own.json()] == [(office.ids["200"], True)]
    newest = exchange.api.admin.get("/extension/registration/", params={"per_page": 1000}).json()
    assert set(ids) <= {each["extension_id"] for each in newest}
    wrong = office.tenant.api.get("/extension/registration/", params={"per_page": 1001})
    assert wrong.status_code == 400


def test_a_switch_that_hangs_is_a_503_within_its_second_and_holds_no_connection_to_the_database(
    office, exchange
):
    phones = office.phones("101")
    found = subprocess.run(
        ["pgrep", "-P", str(kamailio(exchange))], capture_output=True, text=True, check=True
    )
    group = [int(pid) for pid in found.stdout.split()]
    for pid in group:
        os.kill(pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        answer = office.tenant.api.get("/extension/@101/registration/")
        took = time.monotonic() - began
        assert (answer.status_code, answer.json()["status"]) == (503, "switch_unavailable")
        assert 0.9 < took < 2
        assert office.tenant.api.get("/extension/registration/").status_code == 503
        assert office.tenant.api.get("/extension/@101/phone/").status_code == 200
    finally:
        for pid in group:
            os.kill(pid, signal.SIGCONT)
    assert phones[0].register().status == 200


def test_a_switch_that_was_killed_is_a_503_until_it_knows_again(office, exchange):
    office.phones("101")
    with ThreadPoolExecutor(1) as pool:  # looks before the kill, too: a new switch is soon there
        looks = pool.submit(until_it_knows_again, office)
        os.kill(kamailio(exchange), signal.SIGKILL)
        looks.result()
    until(exchange.is_ready, 20)


def until_it_knows_again(office):
    seen, last = set(), 0
    deadline = time.monotonic() + 20
    while seen != {200, 503} or last != 200:
        answer = office.tenant.api.get("/extension/@101/registration/")
        last = answer.status_code
        seen.add(last)
        assert answer.status_code == 503 or answer.json()["registered"], "a false no"
        assert time.monotonic() < deadline, seen


@pytest.mark.parametrize("key", ["", "0" * 64])
def test_without_the_key_nobody_learns_anything(office, exchange, key):
    office.phones("101")
    body = {"jsonrpc": "2.0", "id": 1, "method": "ul.dump", "params": []}
    answer = exchange.post_rpc(key, json=body)
    assert (answer.status_code, answer.text) == (403, "no")


def test_without_a_switch_it_is_a_503(database, tmp_path):
    port = free_port()
    with serving(database, tmp_path, home=tmp_path, control_port=port) as server:
        tenant = server.tenant()
        made = tenant.extension()
        paths = (f"/extension/{made}/registration/", "/extension/registration/")
        for path in paths:
            answer = tenant.api.get(path)
            assert (answer.status_code, answer.json()["status"]) == (503, "switch_unavailable"), path
        (tmp_path / "switch").mkdir()
        (tmp_path / "switch" / "control.key").write_text("0" * 64)
        for path in paths:
            assert tenant.api.get(path).status_code == 503, path
