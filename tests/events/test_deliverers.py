"""Deliverers that are killed, stopped, or not alone."""

import asyncio
import resource
import time
from contextlib import ExitStack

from events.exchange import SECONDS, delivering
from events.receiver import OK, Receiver, silent
from parts import until

from peal.events.deliverer import SIDE_BY_SIDE


# Break: deliverer.py, lease: an hour.
def test_a_deliverer_that_is_killed_loses_nothing(calls, own_peal, tmp_path):
    with delivering(own_peal.database, tmp_path) as first, Receiver(silent) as crm:
        made = calls.subscribe(crm.url)
        told = calls.notice()
        calls.tell(told)
        crm.wait(1)
        first.kill()
        crm.behave = OK
        with delivering(own_peal.database, tmp_path):
            until(lambda: calls.states(made) == ["delivered"], 3 * SECONDS + 5)
    assert {each.id for each in crm.received} == {crm.received[0].id}
    assert crm.received[-1].fields == told.parameters


# Break: cli/events.py: without `setrlimit`.
def test_a_deliverer_opens_as_many_files_as_the_system_allows(own_peal, tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard // 2, hard))
    try:
        with delivering(own_peal.database, tmp_path) as running:
            assert resource.prlimit(running.process.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# Break: deliverer.py, run: does not wait for the rounds.
def test_a_deliverer_that_is_stopped_ends_what_it_has_begun(calls, own_peal, tmp_path):
    async def slow(request, writer):
        await asyncio.sleep(SECONDS / 2)
        await OK(request, writer)

    with delivering(own_peal.database, tmp_path, events_seconds=10) as running, Receiver(slow) as crm:
        made = calls.subscribe(crm.url)
        calls.tell(calls.notice())
        crm.wait(1)
        running.stop()
        assert calls.states(made) == ["delivered"]


# Break: deliverer.py, _send_lane: does not look at _stopping.
def test_a_stop_takes_no_longer_than_a_request_may_and_loses_nothing(calls, own_peal, tmp_path):
    seconds = 6

    async def ever_slower(request, writer):
        if len(crm.received) > SIDE_BY_SIDE:
            await silent(request, writer)
        await asyncio.sleep(0.5 * seconds)
        await OK(request, writer)

    with Receiver(ever_slower) as crm, Receiver(silent) as dead:
        with delivering(own_peal.database, tmp_path, events_seconds=seconds) as running:
            subscriptions = [calls.subscribe(each.url) for each in (crm, dead)]
            told = [calls.notice() for _ in range(2 * SIDE_BY_SIDE)]
            calls.tell(*told)
            crm.wait(SIDE_BY_SIDE)
            dead.wait(SIDE_BY_SIDE)
            began = time.monotonic()
            running.stop()
            assert time.monotonic() - began < 2 * seconds  # and some time of its own
        assert [len(each.received) for each in (crm, dead)] == [SIDE_BY_SIDE, SIDE_BY_SIDE]
        assert [calls.states(one).count("delivered") for one in subscriptions] == [SIDE_BY_SIDE, 0]
        crm.behave = dead.behave = OK
        with delivering(own_peal.database, tmp_path, events_seconds=10):
            until(lambda: {*map(tuple, map(calls.states, subscriptions))} == {("delivered",) * len(told)})
        ids = sorted(each.id for each in crm.received)
        assert len(ids) == len(set(ids)) == len(told)
        assert {each.id for each in dead.received} == set(ids)


# Break: claims.py, claim: does not set claimed_until.
def test_several_deliverers_share_the_work_and_nothing_is_sent_twice(calls, own_peal, tmp_path):
    folders = [tmp_path / name for name in "ab"]
    with ExitStack() as stack:
        for folder in folders:
            folder.mkdir()
            # nobody is given up, however busy this machine: what was sent would be sent again
            stack.enter_context(delivering(own_peal.database, folder, events_seconds=10))
        receivers = [stack.enter_context(Receiver()) for _ in range(5)]
        for each in receivers:
            calls.subscribe(each.url)
        told = [calls.notice() for _ in range(60)]
        for one in told:
            calls.tell(one)
        for each in receivers:
            each.wait(60)
        calls.tell(*told)
        last = calls.notice()
        calls.tell(last)
        for each in receivers:
            came = each.wait(61)
            ids = [one.fields["CallID"] for one in came]
            assert sorted(ids) == sorted(one.parameters["CallID"] for one in [*told, last])
