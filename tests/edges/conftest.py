"""One prepared server for the edges' tests, and a home of their own on this side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tidegate.lab import Lab, Server


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The server test-edges."""
    made = Lab.up(("test-edges",), disk_gb=4)
    yield made
    made.down()


@pytest.fixture
def server(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Server:
    """It, switched on, with the lab's SSH configuration in force."""
    for name, value in lab.env().items():
        monkeypatch.setenv(name, value)
    found = lab.server("test-edges")
    found.start()
    return found


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Caches and keys of each test are its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path
