"""Whatever is done to bundles, in whatever order, they are what plain Python says they are."""

from bundle_things import make_things
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from parts import SLOW
from plain_bundles import (
    OWN,
    SYNCHRONISED,
    Create,
    Delete,
    Put,
    Tie,
    Translator,
    Untie,
    World,
    agree,
)

SETTINGS = settings(
    max_examples=160 if SLOW else 16,
    stateful_step_count=20,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    print_blob=True,
    phases=set(Phase) if SLOW else set(Phase) - {Phase.shrink},  # each try takes a second
)
TEXT = st.sampled_from([None, "desk", "Ünïcode ☎"])
FLAG = st.booleans()
COUNT = st.sampled_from([None, 0, 1, 7])
FREE = {
    "status": st.sampled_from(["active", "blocked"]),
    "dial_rule_limit": COUNT,
    "geo_list": st.sampled_from([None, "RU", "RU US BY"]),
    "conference_pin": st.sampled_from([None, "12", "0000"]),
    "record_format": st.sampled_from(["mp3", "wav"]),
    "incoming_limit": COUNT,
}
"""Values of fields that are neither flags, nor free text, nor references."""


REFERENCES = (
    "dial_rule_id",
    "call_status_id",
    "ringback_sound",
    "hold_music",
    "announce_sound_upon_outgoing_call",
    "announce_sound_upon_incoming_call",
)
THING = st.sampled_from([None, 0, 1, 0, 1, 2])
"""The first or second thing that a field may name, or one that is not there."""


def value(name, default):
    if name in REFERENCES:
        return THING
    if name in FREE:
        return FREE[name]
    return FLAG if isinstance(default, bool) else TEXT


def changes(resource):
    """Strategy of what a PUT carries: one to eight fields, synchronised and own ones."""
    fields = SYNCHRONISED[resource] | OWN[resource]
    one = st.sampled_from(sorted(fields)).flatmap(lambda n: st.tuples(st.just(n), value(n, fields[n])))
    return st.lists(one, min_size=1, max_size=8, unique_by=lambda item: item[0]).map(tuple)


def other_than_the_defaults(resource):
    """Return a value for each synchronised field that is not the one it begins with."""
    fields = SYNCHRONISED[resource]
    values = {"status": "active", "geo_list": "RU", "conference_pin": "9", "record_format": "wav"}
    values |= dict.fromkeys(REFERENCES, 1) | {
        name: not old for name, old in fields.items() if old in (True, False)
    }
    return tuple((name, values.get(name, 5)) for name in fields)


class Bundles(RuleBasedStateMachine):
    """Both worlds side by side; `tenant`, `known` and `nowhere` are given by the test."""

    def __init__(self):
        super().__init__()
        self.world, self.made = World(self.known), 0
        self.translator = Translator(self.nowhere)

    @initialize()
    def two_bundles_and_one_that_stands_alone(self):
        for _ in range(6):
            self.create("phone", ())
        for resource in SYNCHRONISED:
            self.do(Put(resource, "e1", self.named(other_than_the_defaults(resource))))
        self.do(Tie("e1", ("e3", "e2")))
        self.do(Tie("e4", ("e5",)))

    @rule(
        kind=st.sampled_from(["phone", "phone", "phone", "queue"]),
        values=changes("extension"),
        taken=st.sampled_from([False, False, False, True]),
    )
    def create_extension(self, kind, values, taken):
        if len(self.world.extensions) < 9:
            self.create(kind, self.named(values), taken=taken)

    @rule(data=st.data())
    def tie_anyone(self, data):
        self.do(Tie(self.one(data), tuple(data.draw(st.lists(self.anyone(), max_size=4)))))

    @rule(data=st.data())
    def tie_wrongly(self, data):
        """List, beside one that may be tied, one that may not: each rule in turn."""
        main = data.draw(st.sampled_from(self.phones())) if self.phones() else "unknown"
        alone = [who for who in self.phones() if self.world.bundle_of(who) == (who, ()) and who != main][:1]
        wrong = [*self.nowhere, main, *self.world.bundles]
        wrong += [who for listed in self.world.bundles.values() for who in listed]
        wrong += [who for who, e in self.world.extensions.items() if e.type != "phone"]
        self.do(
            Tie(main, (*alone, data.draw(st.sampled_from(wrong)), *alone[: data.draw(st.integers(0, 1))]))
        )

    @rule(data=st.data())
    def tie_those_that_stand_alone(self, data):
        alone = [w for w in self.phones() if self.world.bundle_of(w) == (w, ())]
        if len(alone) > 1:
            main, *others = data.draw(st.permutations(alone))
            self.do(Tie(main, tuple(others[: data.draw(st.integers(1, 3))])))

    @rule(data=st.data())
    def tie_anew(self, data):
        if self.world.bundles:
            main = data.draw(st.sampled_from(sorted(self.world.bundles)))
            others = sorted({*self.world.bundles[main], *self.phones()} - {main})
            mine = data.draw(st.permutations(self.world.bundles[main]))
            more = data.draw(st.lists(st.sampled_from(others), max_size=1))
            self.do(Tie(main, tuple(dict.fromkeys([*mine[data.draw(st.integers(0, 1)) :], *more]))))

    @rule(data=st.data())
    def untie(self, data):
        self.do(Untie(data.draw(st.one_of(self.anyone(), st.sampled_from([*self.world.bundles, "unknown"])))))

    @rule(data=st.data(), values=changes("extension"))
    def change_extension(self, data, values):
        self.do(Put("extension", self.one(data), self.named(values)))

    @rule(data=st.data(), values=changes("phone"))
    def change_phone(self, data, values):
        self.do(Put("phone", self.one(data), self.named(values)))

    @rule(data=st.data(), values=changes("phone"))
    def change_a_member(self, data, values):
        if members := sorted({w for main, listed in self.world.bundles.items() for w in (main, *listed)}):
            self.do(Put("phone", data.draw(st.sampled_from(members)), self.named(values)))

    @rule(data=st.data(), status=st.sampled_from(["active", "blocked"]))
    def block_and_unblock(self, data, status):
        self.do(Put("extension", self.one(data), (("status", status),)))

    @rule(data=st.data())
    def delete(self, data):
        self.do(Delete(self.one(data)))

    @invariant()
    def the_api_shows_what_plain_python_says(self):
        assert self.translator.observe(self.tenant.api) == self.world.snapshot()

    def teardown(self):
        for who in list(self.world.extensions):
            self.do(Delete(who))

    def create(self, kind, values, *, taken=False):
        number = 100 + self.made % 900
        if taken and self.world.extensions:
            number = int(next(iter(self.world.extensions.values())).number)
        self.made += 1
        self.do(Create(f"e{self.made}", str(number), kind, values))

    def named(self, values):
        """Put ids where the strategies say only which."""
        known = self.known
        return tuple((k, (*known[k], 10**9)[v] if k in known and v is not None else v) for k, v in values)

    def phones(self):
        return [who for who, e in self.world.extensions.items() if e.type == "phone"]

    def anyone(self):
        return st.sampled_from([*self.world.extensions, *self.world.extensions, *self.nowhere])

    def one(self, data):
        return data.draw(self.anyone())

    def do(self, request):
        """Ask both worlds; they agree."""
        method, path, body = self.translator.sent(request)
        answer = self.tenant.api.request(method, path, json=body)
        shown = answer.json() if answer.content else None
        self.translator.learn(request, answer.status_code, shown)
        seen = self.translator.seen(request, answer.status_code, shown)
        expected = self.world.do(request)
        assert agree(expected, seen), f"{request}: expected {expected}, got {answer.text}"


def test_bundles_never_come_apart(server):
    tenant = server.tenant()
    known = make_things(server, tenant)
    nowhere = {"unknown": 10**12, "foreign": server.tenant().extension()}
    machine = type("Machine", (Bundles,), {"tenant": tenant, "known": known, "nowhere": nowhere})
    run_state_machine_as_test(machine, settings=SETTINGS)
