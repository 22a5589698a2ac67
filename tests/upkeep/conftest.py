"""Two lab servers for all tests of what people do between deployments, and a project for each."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.semantics.site import Site
from tests.upkeep.pair import Pair
from tidegate.lab import Lab
from tidegate.testing.prove.site import fresh

# Servers that are named here are taken as they are and left.
KEPT = os.environ.get("TIDEGATE_UPKEEP_SERVERS", "")
NAMES = tuple(KEPT.split(",")) if KEPT else ("test-upkeep-1", "test-upkeep-2")


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A lab with two servers, switched on."""
    made = Lab.up(NAMES) if KEPT else fresh(*NAMES)
    yield made
    if not KEPT:
        made.down()


def named(request: pytest.FixtureRequest) -> str:
    """A project's name, from the test's own."""
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    return name[:24].strip("-")


@pytest.fixture
def site(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An empty project on the first server; what it left there is taken away."""
    made = Site.make(lab.server(NAMES[0]), tmp_path / "project", named(request), lab.env())
    yield made
    if (made.folder / "tidegate.yaml").exists():
        made.destroy()


@pytest.fixture
def pair(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Pair]:
    """An empty project on both servers."""
    made = Pair.make(lab, NAMES, tmp_path / "project", named(request))
    yield made
    if (made.site.folder / "tidegate.yaml").exists():
        made.site.destroy()
