"""One lab server for the tests of gates."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.semantics.site import Site
from tidegate.lab import Lab

# A server that is named here is taken as it is and left.
KEPT = os.environ.get("TIDEGATE_GATES_SERVER", "")
NAME = KEPT or "test-gates"


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab with the one server, switched on."""
    if not KEPT:
        Lab.up((NAME,), images=False).down()
    made = Lab.up((NAME,))
    yield made
    if not KEPT:
        made.down()


@pytest.fixture
def site(lab: Lab, tmp_path: Path) -> Iterator[Site]:
    """An empty project; what it left on the server is taken away."""
    made = Site.make(lab.server(NAME), tmp_path / "origin", "gated", lab.env())
    yield made
    if (made.folder / "tidegate.yaml").exists():
        made.destroy()
