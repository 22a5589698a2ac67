"""Two prepared servers for the lab's own tests, made once and removed at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tidegate.lab import Lab, Server


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The servers test-lab-a and test-lab-b, new, with small disks."""
    names = ("test-lab-a", "test-lab-b")
    stale = Lab.open()
    Lab(tuple(n for n in names if n in stale.names), stale.places, stale.machine).down()
    made = Lab.up(names, disk_gb=2)
    yield made
    made.down()


@pytest.fixture
def server(lab: Lab) -> Server:
    """The first of them, switched on."""
    found = lab.server("test-lab-a")
    found.start()
    return found
