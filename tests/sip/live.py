"""Calls that ring or talk, as the API lists them, and what it does with them."""

import httpx
from parts import until
from sip.exchange import Office


def current(office: Office, number: str = "") -> list[dict]:
    """The calls of an extension, or of the whole office, now."""
    realm = f"/extension/{office.ids[number]}" if number else "/client/@me"
    answer = office.tenant.api.get(f"{realm}/current_calls/")
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == ["call_list"]
    return answer.json()["call_list"]


def until_listed(office: Office, number: str, *, answered: bool = False) -> dict:
    """The only call of an extension, when it is listed, and shown as answered if asked for."""

    def found():
        calls = current(office, number)
        return calls if calls and bool(calls[0]["answer_time_gmt"]) >= answered else []

    [call] = until(found)
    return call


def path(office: Office, number: str, call: dict) -> str:
    return f"/extension/{office.ids[number]}/current_calls/{call['call_api_id']}"


def end(office: Office, number: str, call: dict) -> httpx.Response:
    return office.tenant.api.delete(path(office, number, call))
