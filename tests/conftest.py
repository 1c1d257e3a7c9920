import pytest
from locked import locking
from parts import own_postgres, serving

pytest.register_assert_rewrite("sip.heard", "sip.history", "sip.shown")


@pytest.fixture(scope="session")
def postgres():
    """One cluster for all tests of this process."""
    with own_postgres() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def locked():
    """One that asks for a password, for all tests of this process."""
    with locking() as cluster:
        yield cluster


def _database(kind, request, folder):
    if kind == "sqlite":
        return f"sqlite:///{folder / 'peal.db'}"
    return request.getfixturevalue("postgres").database()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A fresh, empty database of either kind."""
    return _database(request.param, request, tmp_path)


@pytest.fixture(scope="session")
def over_sqlite(tmp_path_factory):
    """A running Peal, for all tests of this process."""
    folder = tmp_path_factory.mktemp("over-sqlite")
    with serving(f"sqlite:///{folder / 'peal.db'}", folder) as running:
        yield running


@pytest.fixture(scope="session")
def over_postgresql(postgres, tmp_path_factory):
    """Another one."""
    with serving(postgres.database(), tmp_path_factory.mktemp("over-postgresql")) as running:
        yield running


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def server(request):
    """The one over a database of that kind; other tests have left in it what they made."""
    return request.getfixturevalue(f"over_{request.param}")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def own_server(request, tmp_path_factory):
    """A running Peal over either database, for the tests of a module alone."""
    folder = tmp_path_factory.mktemp("own-server")
    with serving(_database(request.param, request, folder), folder) as running:
        yield running


@pytest.fixture
def tenant(server):
    """A fresh client of that Peal."""
    made = server.tenant()
    yield made
    made.api.close()
