"""Three lab servers: staging, and production on two; a project of its own for each test."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.way.project import Way
from tidegate.lab import Lab
from tidegate.testing.prove.site import fresh

# Servers that are named here are taken as they are and left.
KEPT = os.environ.get("TIDEGATE_WAY_SERVERS", "")
NAMES = tuple(KEPT.split(",")) if KEPT else ("test-way-1", "test-way-2", "test-way-3")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab with three servers, switched on."""
    made = Lab.up(NAMES) if KEPT else fresh(*NAMES)
    yield made
    if not KEPT:
        made.down()


@pytest.fixture
def way(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Way]:
    """An empty project of the test's own name; what it left on the servers is taken away."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    made = Way.make(lab, NAMES, tmp_path, name[:24].strip("-"))
    yield made
    for environment in ("staging", "production"):
        made.site.run("destroy", environment, "--volumes", "--yes", code=None)
