"""A client whose calls are told."""

import pytest
from calls.board import Board


@pytest.fixture
def board(tenant, tmp_path):
    """100 with 101 and 102, a bundle; 200."""
    made = Board(tenant, tmp_path)
    made.ids = {n: tenant.extension(name=n, label=f"Name {n}") for n in ("100", "101", "102", "200")}
    assert tenant.bundle(*(made.ids[n] for n in ("100", "101", "102"))).status_code == 201
    return made
