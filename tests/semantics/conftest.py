"""One lab server for all tests of semantics (in one worker of xdist), and a project for each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.semantics.site import Site
from tidegate.lab import Lab
from tidegate.testing.prove.site import fresh

# A server that is named here is taken as it is and left: for trying one test again and again.
KEPT = os.environ.get("TIDEGATE_SEMANTICS_SERVER", "")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "")
NAME = KEPT or f"test-semantics-{WORKER}".strip("-")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab with the one server, switched on."""
    made = Lab.up((NAME,)) if KEPT else fresh(NAME)
    yield made
    if not KEPT:
        made.down()


@pytest.fixture
def site(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An empty project of the test's own name; what it left on the server is taken away."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    made = Site.make(lab.server(NAME), tmp_path / "project", name[:24].strip("-"), lab.env())
    yield made
    if (made.folder / "tidegate.yaml").exists():
        made.destroy()
