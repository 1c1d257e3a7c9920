from contextlib import ExitStack

import pytest
from sip.exchange import Office, exchanging
from sip.heard import listening
from sip.history import compare_all
from sip.lines import outside_of
from sip.policy import follow_refer


def pytest_generate_tests(metafunc):
    """Most rows do not depend on the database; modules whose rows do name both in DATABASES."""
    if "exchange" in metafunc.fixturenames:
        databases = getattr(metafunc.module, "DATABASES", ("sqlite",))
        metafunc.parametrize("exchange", databases, indirect=True)


@pytest.fixture(scope="session")
def switch_over_sqlite():
    """A Peal with its switch, for all tests that change nothing of it."""
    with exchanging() as running, listening(running):
        yield running


@pytest.fixture(scope="session")
def switch_over_postgresql(postgres):
    """Another one."""
    with exchanging(postgres.database()) as running, listening(running):
        yield running


@pytest.fixture
def exchange(request):
    """The one over a database of that kind."""
    return request.getfixturevalue(f"switch_over_{request.param}")


@pytest.fixture
def office(exchange):
    """A fresh client of it, with all its phones gone at the end; what it did is told as it should be."""
    with ExitStack() as stack:
        made = Office(exchange, stack)
        yield made
        compare_all(made)


@pytest.fixture
def three(office):
    """101, 200, which follows transfers, and 201."""
    one, colleague, other = office.phones("101", "200", "201")
    colleague.policies["REFER"] = follow_refer
    return one, colleague, other


@pytest.fixture
def outside(office):
    """What lies beyond that office, without a trunk yet."""
    with outside_of(office) as beyond:
        yield beyond
