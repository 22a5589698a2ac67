"""The zipapp for hosts, built by whoever needs it first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.edges import agent_install
from tidegate.host import build


def test_hosts_that_are_attached_side_by_side_share_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody takes another's half-written file away, however many build it at once."""
    together = threading.Barrier(8)

    def zipapp() -> bytes:
        together.wait(10)
        return b"x" * 100_000

    monkeypatch.setattr(build, "zipapp", zipapp)
    for again in range(10):
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / str(again)))
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda _: agent_install.artifact(), range(8)))
        assert {one.path.read_bytes() for one in made} == {b"x" * 100_000}
        assert len(list(made[0].path.parent.glob("*.pyz"))) == 1
