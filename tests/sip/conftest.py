import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest
from sip.exchange import Exchange, Office
from sip.lines import outside_of


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def exchange(request):
    """A Peal with its switch, over either database; below /tmp, where the switch's user can reach it."""
    with tempfile.TemporaryDirectory(prefix="peal-exchange-") as name:
        folder = Path(name)
        folder.chmod(0o711)
        if request.param == "sqlite":
            database = f"sqlite:///{folder / 'peal.db'}"
        else:
            database = request.getfixturevalue("postgres").database()
        running = Exchange(database, folder)
        yield running
        running.stop()


@pytest.fixture
def office(exchange):
    """A fresh client of it, with all its phones gone at the end."""
    with ExitStack() as stack:
        yield Office(exchange, stack)


@pytest.fixture
def outside(office):
    """What lies beyond that office, without a trunk yet."""
    with outside_of(office) as beyond:
        yield beyond
