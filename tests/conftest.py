import tempfile
from pathlib import Path

import pytest
from parts import Postgres, Server


@pytest.fixture(scope="session")
def postgres():
    """One cluster for all tests of this process; under /tmp, where its user can reach it."""
    with tempfile.TemporaryDirectory(prefix="peal-pg-") as folder:
        cluster = Postgres(Path(folder))
        yield cluster
        cluster.stop()


def _database(kind, request, folder):
    if kind == "sqlite":
        return f"sqlite:///{folder / 'peal.db'}"
    return request.getfixturevalue("postgres").database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A fresh, empty database of either kind."""
    return _database(request.param, request, tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request, tmp_path_factory):
    """A running Peal over either database, for all tests of a module."""
    folder = tmp_path_factory.mktemp("server")
    running = Server(_database(request.param, request, folder), folder / "log")
    yield running
    assert running.stop() == 0, running.log.read_text()[-3000:]


@pytest.fixture
def tenant(server):
    """A fresh client of that Peal."""
    return server.tenant()
