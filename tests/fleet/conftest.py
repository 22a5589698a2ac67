"""Three lab servers for all tests of a fleet, and a project of its own for each test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fleet.fleet import Fleet
from tidegate.lab import Lab
from tidegate.testing.prove.site import fresh

# Servers that are named here are taken as they are and left.
KEPT = os.environ.get("TIDEGATE_FLEET_SERVERS", "")
NAMES = tuple(KEPT.split(",")) if KEPT else ("test-fleet-1", "test-fleet-2", "test-fleet-3")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab with three servers, switched on."""
    made = Lab.up(NAMES) if KEPT else fresh(*NAMES)
    yield made
    if not KEPT:
        made.down()


@pytest.fixture
def fleet(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fleet]:
    """An empty project of the test's own name; what it left on the servers is taken away."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    made = Fleet.make(lab, NAMES, tmp_path / "project", name[:24].strip("-"))
    yield made
    if (made.site.folder / "tidegate.yaml").exists():
        made.site.destroy()
