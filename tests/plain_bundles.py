"""Bundles in plain Python: what the API must do, said without a database.

It is the naive way on purpose: every extension keeps a copy of every field, and a bundle is kept in step
by copying. Extensions go by names of the test's own (`a`, `b`...): ids are the API's business.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

SYNCHRONISED = {
    "extension": {"status": "blocked", "dial_rule_id": None, "dial_rule_limit": None},
    "phone": {
        "record_transfer": False,
        "ringback_sound": None,
        "geo_list": None,
        "record_enabled": False,
        "hold_music": None,
        "announce_sound_upon_outgoing_call": None,
        "announce_sound_upon_incoming_call": None,
        "conference_pin": None,
        "conference_announce_caller_name": True,
        "conference_end_on_exit": True,
        "record_format": "mp3",
        "record_stereo": False,
        "incoming_limit": None,
        "call_status_id": None,
    },
}
OWN = {
    "extension": {"label": None, "caller_id_name": None, "ani_rfc3325": False},
    "phone": {"label": None, "allow_webrtc": False, "append_to_cid_name_on_transfer": None},
}
LIMIT = 9

EMERGENCY = ("112", "911")
"""Numbers that no extension may have."""


@dataclass(frozen=True)
class Create:
    who: str
    number: str
    type: str = "phone"
    values: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class Tie:
    main: str
    listed: tuple[str, ...]


@dataclass(frozen=True)
class Untie:
    main: str


@dataclass(frozen=True)
class Put:
    resource: str
    who: str
    values: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Delete:
    who: str


@dataclass(frozen=True)
class Read:
    """Of `resource`: `extension`, `phone` or `bundle`."""

    resource: str
    who: str


@dataclass(frozen=True)
class ReadBundles:
    """The list of all bundles."""


Request = Create | Tie | Untie | Put | Delete | Read | ReadBundles


@dataclass(frozen=True)
class Answer:
    """A status code, and what a success shows, or the words that a refusal may bear."""

    code: int
    shown: Any = None
    words: frozenset[str] = frozenset()


MISSING = Answer(404, words=frozenset({"extension_not_found"}))


def refused(*words: str) -> Answer:
    return Answer(400, words=frozenset(words))


@dataclass
class Extension:
    number: str
    type: str
    extension: dict[str, Any]
    phone: dict[str, Any]


@dataclass
class World:
    """All extensions of a client and its bundles; `known`: what a field may name."""

    known: Mapping[str, Sequence[int]] = field(default_factory=dict)
    extensions: dict[str, Extension] = field(default_factory=dict)
    bundles: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def copy(self) -> "World":
        extensions = {
            who: Extension(e.number, e.type, dict(e.extension), dict(e.phone))
            for who, e in self.extensions.items()
        }
        return World(self.known, extensions, dict(self.bundles))

    def main_of(self, who: str) -> str:
        return next((main for main, listed in self.bundles.items() if who in listed), who)

    def bundle_of(self, who: str) -> tuple[str, tuple[str, ...]]:
        main = self.main_of(who)
        return main, self.bundles.get(main, ())

    def do(self, request: Request) -> Answer:
        """Answer `request`, and change accordingly."""
        match request:
            case Create():
                return self._create(request)
            case Tie():
                return self._tie(request.main, request.listed)
            case Untie():
                return self._untie(request.main)
            case Put():
                return self._put(request)
            case Delete():
                return self._delete(request.who)
            case Read():
                exists = request.who in self.extensions
                return Answer(200, self.show(request.resource, request.who)) if exists else MISSING
            case ReadBundles():
                return Answer(200, frozenset(self.bundles.items()))

    def show(self, resource: str, who: str) -> Any:
        if resource == "bundle":
            return self.bundle_of(who)
        values = dict(getattr(self.extensions[who], resource))
        if resource == "phone":
            main, listed = self.bundle_of(who)
            values |= {"bundle_id": main if listed else None, "bundle_list": listed}
        return frozenset(values.items())

    def snapshot(self) -> dict[str, Any]:
        """Return all that can be seen."""
        phones = [who for who, e in self.extensions.items() if e.type == "phone"]
        return {
            "extension": {who: self.show("extension", who) for who in self.extensions},
            "phone": {who: self.show("phone", who) for who in phones},
            "bundle": {who: self.show("bundle", who) for who in self.extensions},
            "bundles": frozenset(self.bundles.items()),
        }

    def key(self) -> Any:
        """Return what tells this world from others, hashable."""
        shown = self.snapshot()
        return frozenset(shown["extension"].items()), frozenset(shown["phone"].items()), shown["bundles"]

    def _create(self, request: Create) -> Answer:
        if request.number in EMERGENCY:
            return refused("bad_request")
        if request.number in [e.number for e in self.extensions.values()]:
            return refused("bad_request")
        if not self._may_name(request.values):
            return refused("bad_request")
        made = {kind: SYNCHRONISED[kind] | OWN[kind] for kind in SYNCHRONISED}
        made["extension"] |= dict(request.values)
        self.extensions[request.who] = Extension(request.number, request.type, **made)
        return Answer(201, self.show("extension", request.who))

    def _tie(self, main: str, listed: tuple[str, ...]) -> Answer:
        if main not in self.extensions or any(who not in self.extensions for who in listed):
            return MISSING
        if words := set(self._broken_rules(main, listed)):
            return refused(*words)
        self.bundles.pop(main, None)
        if listed:
            self.bundles[main] = listed
        for who in listed:
            self._copy(main, who)
        return Answer(201, (main, listed))

    def _broken_rules(self, main: str, listed: tuple[str, ...]) -> Iterator[str]:
        if any(self.extensions[who].type != "phone" for who in (main, *listed)):
            yield "wrong_type"
        if main in listed or any(who in self.bundles for who in listed):
            yield "extension_is_main"
        if any(self.main_of(who) not in (who, main) for who in listed) or self.main_of(main) != main:
            yield "extension_is_associated"
        if len(set(listed)) < len(listed):
            yield "extension_listed_twice"
        if len(listed) > LIMIT:
            yield "too_many_extensions"

    def _untie(self, main: str) -> Answer:
        if main not in self.bundles:
            return MISSING
        del self.bundles[main]
        return Answer(200, (main, ()))

    def _put(self, request: Put) -> Answer:
        target = self.extensions.get(request.who)
        if target is None or (request.resource == "phone" and target.type != "phone"):
            return MISSING
        if not self._may_name(request.values):
            return refused("bad_request")
        getattr(target, request.resource).update(request.values)
        main, listed = self.bundle_of(request.who)
        for who in {main, *listed} - {request.who}:
            self._copy(request.who, who)
        return Answer(200, self.show(request.resource, request.who))

    def _delete(self, who: str) -> Answer:
        if who not in self.extensions:
            return MISSING
        main, listed = self.bundle_of(who)
        self.bundles.pop(main, None)
        if who != main and (left := tuple(other for other in listed if other != who)):
            self.bundles[main] = left
        del self.extensions[who]
        return Answer(204)

    def _copy(self, source: str, target: str) -> None:
        for resource, fields in SYNCHRONISED.items():
            values = getattr(self.extensions[source], resource)
            getattr(self.extensions[target], resource).update({name: values[name] for name in fields})

    def _may_name(self, values: tuple[tuple[str, Any], ...]) -> bool:
        return all(v is None or k not in self.known or v in self.known[k] for k, v in values)


def explanations(world: World, requests: Sequence[Request], seen: Sequence[Answer]) -> Iterator[World]:
    """Yield the end of each serial order of `requests` in which all are answered as was `seen`."""
    tried: set[Any] = set()

    def changes_nothing(i: int) -> bool:
        return seen[i].code >= 400 or isinstance(requests[i], Read | ReadBundles)

    def go(world: World, left: frozenset[int]) -> Iterator[World]:
        idle = {i for i in left if changes_nothing(i) and agree(world.copy().do(requests[i]), seen[i])}
        left -= idle  # what changes nothing and may come now, may as well come now
        if (key := (left, world.key())) in tried:
            return
        tried.add(key)
        if not left:
            yield world
        for i in left:
            after = world.copy()
            if agree(after.do(requests[i]), seen[i]):
                yield from go(after, left - {i})

    yield from go(world, frozenset(range(len(requests))))


def agree(expected: Answer, seen: Answer) -> bool:
    """Whether an answer `seen` is the one expected, its word one of those allowed."""
    if (expected.code, expected.shown) != (seen.code, seen.shown):
        return False
    return not expected.words or seen.words <= expected.words


class Translator:
    """Between the plain world and the API: names and ids, requests and what is sent, answers."""

    def __init__(self, ids: Mapping[str, int] | None = None):
        self.ids = dict(ids or {})

    @property
    def names(self) -> dict[int, str]:
        return {number: who for who, number in self.ids.items()}

    def sent(self, request: Request) -> tuple[str, str, Any]:
        """Return method, path and body."""
        match request:
            case Create():
                body = {"name": request.number, "type": request.type, **dict(request.values)}
                return "POST", "/client/@me/extension/", body
            case Tie():
                listed = [self.ids[who] for who in request.listed]
                return "POST", self.path("bundle", request.main), {"bundle_list": listed}
            case Untie():
                return "DELETE", self.path("bundle", request.main), None
            case Put():
                return "PUT", self.path(request.resource, request.who), dict(request.values)
            case Delete():
                return "DELETE", self.path("extension", request.who), None
            case Read():
                return "GET", self.path(request.resource, request.who), None
            case ReadBundles():
                return "GET", "/client/@me/extensions_bundle/?per_page=1000", None

    def path(self, resource: str, who: str) -> str:
        number = self.ids[who]
        return {
            "bundle": f"/client/@me/extensions_bundle/{number}",
            "extension": f"/client/@me/extension/{number}",
            "phone": f"/extension/{number}/phone/",
        }[resource]

    def learn(self, request: Request, code: int, body: Any) -> None:
        """Take over the id of an extension that was made."""
        if isinstance(request, Create) and code == 201:
            self.ids[request.who] = body["id"]

    def seen(self, request: Request, code: int, body: Any) -> Answer:
        """Return an answer of the API as the plain world would have given it."""
        if code >= 400:
            return Answer(code, words=frozenset({str(body.get("status"))}))
        match request:
            case Tie() | Untie():
                return Answer(code, self.bundle(body))
            case Create():
                return Answer(code, self.shown("extension", body))
            case Put() | Read():
                return Answer(code, self.shown(request.resource, body))
            case ReadBundles():
                return Answer(code, frozenset(self.bundle(one) for one in body))
        return Answer(code)

    def bundle(self, body: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
        return self.names[body["bundle_id"]], tuple(self.names[i] for i in body["bundle_list"])

    def shown(self, resource: str, body: Mapping[str, Any]) -> Any:
        if resource == "bundle":
            return self.bundle(body)
        values = {name: body[name] for name in {**SYNCHRONISED[resource], **OWN[resource]}}
        if resource == "phone":
            main = body["bundle_id"]
            values["bundle_id"] = None if main is None else self.names[main]
            values["bundle_list"] = tuple(self.names[i] for i in body["bundle_list"])
        return frozenset(values.items())

    def observe(self, api: Any) -> dict[str, Any]:
        """Read all that can be seen: what `World.snapshot` tells; check that nothing contradicts itself."""
        everyone = api.get("/client/@me/extension/?per_page=1000").json()
        phones = {
            e["id"]: api.get(f"/extension/{e['id']}/phone/").json() for e in everyone if e["type"] == "phone"
        }
        bundles = {e["id"]: api.get(f"/client/@me/extensions_bundle/{e['id']}").json() for e in everyone}
        listed = api.get("/client/@me/extensions_bundle/?per_page=1000").json()
        check_whole({e["id"]: e for e in everyone}, phones, bundles, listed)
        return {
            "extension": {self.names[e["id"]]: self.shown("extension", e) for e in everyone},
            "phone": {self.names[i]: self.shown("phone", phone) for i, phone in phones.items()},
            "bundle": {self.names[i]: self.bundle(bundle) for i, bundle in bundles.items()},
            "bundles": frozenset(self.bundle(bundle) for bundle in listed),
        }


def check_whole(
    extensions: Mapping[int, Any],
    phones: Mapping[int, Any],
    bundles: Mapping[int, Any],
    listed: Sequence[Any],
) -> None:
    """Fail if an extension is in two bundles, or if members differ or do not know their bundle."""
    members = [i for bundle in listed for i in (bundle["bundle_id"], *bundle["bundle_list"])]
    assert len(set(members)) == len(members), f"an extension in two bundles: {listed}"
    assert all(bundle["bundle_list"] for bundle in listed), f"a bundle of one: {listed}"
    for bundle in listed:
        mine = (bundle["bundle_id"], *bundle["bundle_list"])
        for i in mine:
            assert bundles[i] == bundle
            assert {k: phones[i][k] for k in bundle} == bundle
        for resource, found in (("extension", extensions), ("phone", phones)):
            for name in SYNCHRONISED[resource]:
                assert len({found[i][name] for i in mine}) == 1, f"members of {bundle} differ in {name}"
    for i in extensions.keys() - set(members):
        assert bundles[i] == {"bundle_id": i, "bundle_list": []}
