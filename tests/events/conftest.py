import pytest
from events.exchange import Calls
from parts import serving


@pytest.fixture
def calls(own_peal):
    """A fresh client of that Peal, with an extension that is called."""
    tenant = own_peal.tenant()
    return Calls(own_peal, tenant, tenant.extension())


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def own_peal(request, tmp_path_factory):
    """A Peal that lets events go to this machine."""
    folder = tmp_path_factory.mktemp("events")
    database = f"sqlite:///{folder / 'peal.db'}"
    if request.param == "postgresql":
        database = request.getfixturevalue("postgres").database()
    with serving(database, folder, events_private_targets="127.0.0.0/8") as running:
        yield running
