"""One lab server for the tests of gates."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gates.people import Key
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
def site(lab: Lab, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An empty project of the test's own name: a ledger, and so a hold, outlives `destroy`.

    The server takes what the team's key has signed; every machine of a test has that key.
    """
    name = re.sub(r"[^a-z0-9]+", "-", request.node.name.removeprefix("test_").lower())
    team = Key.make(tmp_path / "team", "team")
    environment = {**lab.env(), "TIDEGATE_SIGNING_KEY": str(team.file)}
    made = Site.make(lab.server(NAME), tmp_path / "origin", name[:24].strip("-"), environment)
    script = 'mkdir -p .config/tidegate && echo "deployer $1" >> .config/tidegate/allowed_signers'
    made.on_server("sh", "-c", script, "sh", team.line)
    yield made
    if (made.folder / "tidegate.yaml").exists():
        made.destroy()
