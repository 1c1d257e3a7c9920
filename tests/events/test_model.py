"""Rules of delivering."""

from datetime import timedelta
from itertools import accumulate

import pytest

from peal.events import model
from peal.events.model import Due, Outcome, Subscription
from peal.kit import dates


def test_a_delivery_is_tried_again_ever_more_seldom_and_at_least_hourly():
    delays = [model.delay(n).total_seconds() for n in range(1, 40)]
    assert delays[:7] == [2, 6, 18, 54, 162, 486, 1458]
    assert set(delays[7:]) == {3600}
    tries = sum(passed <= model.GIVE_UP.total_seconds() for passed in accumulate(delays))
    assert 25 < tries < 35


def test_a_subscriber_rests_for_a_minute_at_most_and_is_then_asked_by_one():
    pauses = [model.pause(n) for n in (1, 2, 3, 4, 5, 1000)]
    assert pauses == [timedelta(seconds=s) for s in (2, 6, 18, 54, 60, 60)]
    assert (model.round_size(0, 32), model.round_size(1, 32)) == (32, 1)


@pytest.mark.parametrize(
    ("status", "result"),
    [(200, "delivered"), (204, "delivered"), (299, "delivered"), (410, "gone")]
    + [(code, "failed") for code in (None, 199, 300, 302, 400, 404, 429, 500, 503)],
)
def test_any_2xx_is_a_yes_410_an_end_and_all_else_a_failure(status, result):
    assert Outcome(dates.now(), 1, status).result == result


def heard(**more):
    fields = {"id": 1, "client_id": 1, "subscriber_id": 1, "extension_id": 100, "event_type": "hangup"}
    return Subscription(**fields | more).hears(1, 100, "hangup")


def test_a_subscription_hears_its_own_type_of_its_own_extension_or_client():
    assert heard()
    assert heard(extension_id=None)
    assert not heard(extension_id=101)
    assert not heard(event_type="answer")
    assert not heard(client_id=2, extension_id=None)


def test_in_a_bundle_an_associated_extensions_subscription_is_silent():
    assert not heard(associated=True)


def test_lanes_are_by_what_deliveries_are_of_each_in_its_order():
    due = [Due(n, topic, 0, n, 1, "POST", {}, ()) for n, topic in ((5, "a"), (2, "b"), (1, "a"), (3, "a"))]
    assert [[one.id for one in lane] for lane in model.lanes(due)] == [[1, 3, 5], [2]]
