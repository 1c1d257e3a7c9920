"""Ten calls a second go on, many of them up at once, while the switch is killed or its spool is locked."""

import os
import signal
import sqlite3
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from threading import Event

import pytest
from faults.test_switch import first, switches
from parts import SLOW, until
from sip.call import Call
from sip.exchange import Office, exchanging
from sip.story import stories, told_so_far
from sip.transaction import SentRequest

PACE = 0.1
HELD = 5.0
"How long each call is up, in seconds."
KEPT = 3.0
"A call is written to the switch's file every two seconds; with some room for a busy machine."
LONG = 10 if SLOW else 1
"How long calls flow before and after a fault, beside what they need, in seconds."
LOCKED = 10 if SLOW else 4
"How long the spool is locked at least, in seconds: until the switch has raised its alarm."
ALARM = "alarm: the spool takes no call events"
WHOLE = Counter(begin=1, answer=1, hangup=1)


@pytest.fixture
def own(postgres):
    """An exchange that the test may kill."""
    with exchanging(postgres.database(), PEAL_FLOOD_LIMIT="1000000") as running:
        yield running


@dataclass
class Placed:
    """A call of the load: when it was placed and answered, and its BYE."""

    call: Call
    at: float
    answered: float = 0.0
    bye: SentRequest | None = None

    def go_on(self):
        """Hang up when it has been up long enough."""
        if self.call.answers and not self.answered:
            self.answered = time.time()
        if self.answered and not self.bye and time.time() > self.answered + HELD:
            self.bye = self.call.dialog.send("BYE")


@dataclass
class Load:
    """Calls of 200 to 201, one each PACE, of whatever became of those before."""

    office: Office
    placed: list[Placed] = field(default_factory=list)

    def __post_init__(self):
        self.caller, self.callee = self.office.phones("200", "201")
        self.callee.on_call = lambda leg: leg.answer()
        self.caller.patience = self.callee.patience = 40

    def flow(self, seconds):
        """Place calls; return them."""
        due, nobody, new = time.monotonic(), Event(), []
        end = due + seconds
        while due < end:
            new.append(Placed(self.caller.invite("201"), time.time()))
            self.placed.append(new[-1])
            due += PACE
            while (left := due - time.monotonic()) > 0:
                self.go_on()
                nobody.wait(min(left, 0.02))
            self.go_on()
        return new

    def finish(self, awaited):
        """Wait for the ends of these calls: all were answered, and all hung up."""
        until(lambda: self.go_on() or all(each.bye and each.bye.final for each in awaited), 40)
        assert Counter(each.call.final().status for each in awaited) == {200: len(awaited)}
        assert Counter(each.bye.final.status for each in awaited) == {200: len(awaited)}

    def go_on(self):
        """Hang up what has been up long enough."""
        for each in self.placed:
            each.go_on()


# Break: modules.cfg: `db_mode` 0: those that were up hear 481, and nobody tells of their end.
def test_calls_that_were_up_outlive_a_kill_of_the_switch_under_load_and_they_and_later_ones_are_told(own):
    with ExitStack() as stack:
        office = Office(own, stack)
        load = Load(office)
        load.flow(HELD + LONG)
        before, killed = switches(own), time.time()
        os.kill(first(own), signal.SIGKILL)
        kept = [each for each in load.placed if each.answered and each.answered < killed - KEPT]
        up = [each for each in kept if not each.bye]
        assert len(up) > (HELD - KEPT) / PACE / 2  # the machine may be busy
        load.flow(1)
        until(lambda: not set(before) & set(switches(own)) and own.is_ready())
        again = time.time()
        after = load.flow(LONG)
        load.finish(kept + after)
        until(lambda: load.go_on() or whole(office, len(kept), again, len(after)), 40)
        assert all(max(each.kinds.values()) == 1 for each in told_so_far(office))
        assert len(told_so_far(office)) <= len(load.placed)


def whole(office, before, again, after):
    """Whether so many calls, the first ones and all that began with a new switch, were told to their ends.

    Those are more than were placed since: over UDP who asks while there is none asks again.
    """
    told = sorted(told_so_far(office), key=begin)
    late = [each for each in told if begin(each) > again]
    return len(late) >= after and all(each.kinds == WHOLE for each in told[:before] + late)


def begin(story):
    """When the call began."""
    return float(story.events[0]["at"])


# Break: events.cfg, SPOOL: drop a batch that was refused.
def test_while_the_spool_is_locked_under_load_calls_go_on_and_all_are_told(own):
    with ExitStack() as stack, closing(sqlite3.connect(own.folder / "switch" / "spool.db")) as spool:
        office = Office(own, stack)
        load = Load(office)
        load.flow(1)
        spool.execute("BEGIN IMMEDIATE")
        load.flow(LOCKED)
        until(lambda: load.flow(PACE) and ALARM in own.log.read_text())
        spool.rollback()
        load.flow(1)
        load.finish(load.placed)
        told = stories(office, len(load.placed), 20)
    assert [each.kinds for each in told] == [WHOLE] * len(load.placed)
