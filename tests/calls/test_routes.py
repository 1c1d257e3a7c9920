"""History and statistics over the API, of calls whose events were told."""

import pytest
from calls.board import Board

DAY = {"start_datetime": "2000-1-1", "end_datetime": "2100-1-1 00:00:00"}


@pytest.fixture
def board(tenant, tmp_path):
    """100 with 101 and 102, a bundle; 200."""
    ids = [tenant.extension(name=n, label=f"Name {n}") for n in ("100", "101", "102", "200")]
    assert tenant.bundle(*ids[:3]).status_code == 201
    made = Board(tenant, tmp_path)
    made.ids = dict(zip(("100", "101", "102", "200"), ids, strict=True))
    return made


def test_a_call_is_shown_with_its_legs(board):
    call = (
        board.call("200", "100")
        .begin("100", "101", "102")
        .answer("101")
        .hangup(code="200", ended_by="caller")
    )
    call.take()
    answer = board.tenant.api.get("/client/@me/call_history/", params=DAY)
    assert answer.status_code == 200, answer.text
    assert [each["call_uuid"] for each in answer.json()["call_history"]] == [call.uuid]
    [shown] = answer.json()["call_history"]
    assert [leg["result"] for leg in shown["cdr"]] == [
        "answered",
        "answered elsewhere",
        "answered",
        "answered elsewhere",
    ]
