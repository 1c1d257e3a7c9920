"""Requests at the same time: what comes out, some order of one after the other gives, too (PostgreSQL)."""

import http.client
import json
import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from threading import Event

import pytest
from bundle_things import make_things
from parts import SLOW, Server
from plain_bundles import (
    Create,
    Delete,
    Put,
    Read,
    ReadBundles,
    Tie,
    Translator,
    Untie,
    World,
    agree,
    explanations,
)

ROUNDS = 60 if SLOW else 6
NAMES = "abcdef"


class Race:
    """Clients on connections of their own; all requests are on their way before an answer is read."""

    def __init__(self, server):
        self.server, self.tenant = server, server.tenant()
        self.world = World(make_things(server, self.tenant))

    def start(self, seed):
        """Begin a test: forget what the one before has left."""
        self.random = random.Random(seed)
        for extension in self.tenant.api.get("/client/@me/extension/?per_page=1000").json():
            self.tenant.api.delete(f"/client/@me/extension/{extension['id']}")
        self.world, self.translator = World(self.world.known), Translator()
        self.answered, self.turn = set(), 0

    def prepare(self):
        """Let all of NAMES be there, tied to nobody, blocked."""
        for main in list(self.world.bundles):
            self.alone(Untie(main))
        for who in set(self.world.extensions) - set(NAMES):
            self.alone(Delete(who))
        for i, who in enumerate(NAMES):
            if who not in self.world.extensions:
                self.alone(Create(who, str(100 + i)))

    def alone(self, request):
        """Ask for one thing while nobody else asks."""
        method, path, body = self.translator.sent(request)
        answer = self.tenant.api.request(method, path, json=body)
        shown = answer.json() if answer.content else None
        self.translator.learn(request, answer.status_code, shown)
        seen = self.translator.seen(request, answer.status_code, shown)
        assert agree(self.world.do(request), seen), f"{request}: {answer.text}"

    def run(self, *requests):
        """Ask for all at once; the outcome must be that of a serial order, whose end becomes the world."""
        requests = self.random.sample(requests, len(requests))
        with ExitStack() as stack:
            lines = [stack.enter_context(closing(self.line())) for _ in requests]
            for line, request in zip(lines, requests, strict=True):
                self.send(line, request)
            answers = [self.answer(line) for line in lines]
        for request, answer in zip(requests, answers, strict=True):
            self.translator.learn(request, *answer)
        seen = [
            self.translator.seen(request, *answer) for request, answer in zip(requests, answers, strict=True)
        ]
        self.answered |= {
            (type(request), answer.code) for request, answer in zip(requests, seen, strict=True)
        }
        ends = list(explanations(self.world, requests, seen))
        told = "\n".join(f"{request} -> {answer}" for request, answer in zip(requests, answers, strict=True))
        assert ends, f"no serial order gives these answers:\n{told}\nfrom {self.world}"
        observed = self.translator.observe(self.tenant.api)
        assert observed in [end.snapshot() for end in ends], f"{observed}\nafter\n{told}"
        self.world = next(end for end in ends if end.snapshot() == observed)

    def line(self):
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        line.connect()
        return line

    def send(self, line, request):
        method, path, body = self.translator.sent(request)
        headers = {"Authorization": f"Bearer {self.tenant.api.token}"}
        line.request(method, f"/api/ver1.0{path}", None if body is None else json.dumps(body), headers)

    def answer(self, line):
        got = line.getresponse()
        body = got.read()
        assert got.status < 500, body
        return got.status, json.loads(body) if body else None

    def some(self, count, *choices):
        """Return `count` requests, made by `choices` in turn, from round to round."""
        self.turn += count
        return [choices[i % len(choices)](self) for i in range(self.turn - count, self.turn)]

    def others(self, *names):
        rest = [who for who in NAMES if who not in names]
        return tuple(self.random.sample(rest, self.random.randint(1, len(rest))))

    def value(self):
        return self.random.choice(
            [
                ("phone", (("incoming_limit", self.random.randint(1, 99)),)),
                ("phone", (("conference_pin", str(self.random.randint(1, 99))), ("label", "x"))),
                ("phone", (("hold_music", self.random.choice(self.world.known["hold_music"])),)),
                ("phone", (("call_status_id", self.random.choice(self.world.known["call_status_id"])),)),
                ("extension", (("status", self.random.choice(["active", "blocked"])),)),
                ("extension", (("dial_rule_id", self.random.choice(self.world.known["dial_rule_id"])),)),
            ]
        )


def tie(main, *listed):
    return lambda race: Tie(main, listed or race.others(main))


def tie_anyone(race):
    main = race.random.choice(NAMES)
    return Tie(main, race.others(main))


def put(*names):
    def made(race):
        resource, values = race.value()
        return Put(resource, race.random.choice(names), values)

    return made


def read(*names):
    return lambda race: Read(race.random.choice(["phone", "extension", "bundle"]), race.random.choice(names))


def read_all(_race):
    return ReadBundles()


def delete(*names):
    return lambda race: Delete(race.random.choice(names))


def untie(main):
    return lambda _race: Untie(main)


@pytest.fixture(scope="module", params=[1, 2], ids=["one-worker", "two-workers"])
def server(request, postgres, tmp_path_factory):
    """A Peal over PostgreSQL with so many processes."""
    running = Server(postgres.database(), tmp_path_factory.mktemp("races") / "log", workers=request.param)
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture(scope="module")
def course(server):
    """Where the races of a module take place."""
    return Race(server)


@pytest.fixture
def race(course, request):
    """A race among fresh extensions; the seed is the test's name."""
    course.start(request.node.name)
    return course


clients = pytest.mark.parametrize("clients", [2, 8])


@clients
def test_posts_that_claim_the_same_extension(race, clients):
    for _ in range(ROUNDS):
        race.prepare()
        claims = [tie("a", "f", "e"), tie("b", "e", "f"), tie("c", "f"), tie("d", "e", "f")]
        race.run(*race.some(clients, *claims))
        assert len(race.world.bundles) in (1, 2)
    assert {(Tie, 201), (Tie, 400)} <= race.answered


@clients
def test_posts_that_claim_each_other(race, clients):
    for _ in range(ROUNDS):
        race.prepare()
        race.run(*race.some(clients, tie("a", "b"), tie("b", "a"), tie("c", "a", "b"), tie("b", "c")))
        assert len(race.world.bundles) == 1
    assert {(Tie, 201), (Tie, 400)} <= race.answered


@clients
def test_a_post_against_puts_on_members_and_on_those_who_join(race, clients):
    for _ in range(ROUNDS):
        race.prepare()
        race.alone(Tie("a", ("b",)))
        race.run(*race.some(clients, tie("a", "b", "c"), put("c"), put("a", "b", "c"), tie("a", "c")))
    assert {(Tie, 201), (Put, 200)} <= race.answered


@clients
def test_untying_and_deleting_against_puts(race, clients):
    for _ in range(ROUNDS):
        race.prepare()
        race.alone(Tie("a", ("b", "c", "d")))
        race.run(*race.some(clients, delete("a", "b"), put("a", "d"), untie("a"), put("b", "d")))
    assert {(Delete, 204), (Put, 200)} <= race.answered


@clients
def test_creating_the_same_number(race, clients):
    for i in range(ROUNDS):
        race.prepare()
        race.run(*(Create(f"n{i}-{j}", "200") for j in range(clients)))
        assert race.answered == {(Create, 201), (Create, 400)}


@clients
def test_readers_see_no_bundle_half_made(race, clients):
    for i in range(ROUNDS):
        race.prepare()
        race.alone(Put("phone", "a", (("incoming_limit", 1000 + i),)))
        race.run(*race.some(clients, tie("a", "b", "c"), read("b", "c"), put("b", "a"), read_all, untie("a")))
    assert {(Read, 200), (ReadBundles, 200)} <= race.answered


@clients
def test_anything_against_anything(race, clients):
    every = NAMES
    choices = [tie_anyone, put(*every), read(*every), untie("a"), tie_anyone, delete(*every), put(*every)]
    for i in range(2 * ROUNDS):
        if i % 4 == 0:
            race.prepare()
        race.run(*(race.random.choice(choices)(race) for _ in range(clients)))


def while_reading(race, paths, steps):
    """Do `steps` while four clients read `paths` again and again; return their answers."""
    done = Event()

    def keep_reading(path):
        answers = []
        with closing(race.line()) as line:
            while not done.is_set():
                line.request("GET", f"/api/ver1.0{path}", headers=headers)
                answers.append(race.answer(line))
        return answers

    headers = {"Authorization": f"Bearer {race.tenant.api.token}"}
    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(keep_reading, paths[i % len(paths)]) for i in range(4)]
        try:
            for step in steps:
                race.alone(step)
        finally:
            done.set()
        return [answer for reader in readers for answer in reader.result()]


def test_no_answer_shows_a_member_with_the_values_of_before(race):
    race.prepare()
    limit = "incoming_limit"
    race.alone(Put("phone", "a", ((limit, 2),)))
    race.alone(Put("phone", "b", ((limit, 1),)))
    steps = [Put("phone", "b", ((limit, 1),)), Tie("a", ("b",)), Untie("a")] * (4 * ROUNDS)
    answers = while_reading(race, [race.translator.path("phone", "b")], steps)
    shown = {(body["bundle_id"] is None, body[limit]) for _, body in answers}
    assert shown == {(True, 1), (True, 2), (False, 2)}


@pytest.mark.parametrize("gone", ["main", "associated"])
def test_what_is_being_deleted_is_shown_whole_or_not_at_all(race, gone):
    race.prepare()
    pair = ("m", "a") if gone == "main" else ("a", "m")
    steps = [Create("m", "190"), Tie(pair[0], (pair[1],)), Delete("m")] * (3 * ROUNDS)
    every_bundle = "/client/@me/extensions_bundle/"
    paths = ["/extension/@190/phone/", "/client/@me/extension/@190", f"{every_bundle}@190", every_bundle]
    answers = while_reading(race, paths, steps)
    assert {code for code, _ in answers} == {200, 404}
    lists = [body for code, body in answers if isinstance(body, list)]
    assert [bundle for bundles in lists for bundle in bundles if not bundle["bundle_list"]] == []
