"""What the worker writes on an order, and how it says that it is alive."""

from __future__ import annotations

import os
import time
from pathlib import Path

import alive
import pytest
import worker


def test_a_confirmation() -> None:
    """The sum is exact, also where floating point is not."""
    order = {"article": "tide-cup", "quantity": 3, "cents": 1005}
    assert worker.confirmation(order) == "3 x tide-cup: 30.15 EUR"


def test_alive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alive after a sign, and not any more when the last sign is old."""
    monkeypatch.setattr(alive, "FILE", str(tmp_path / "sign"))
    assert not alive.well()
    alive.sign()
    assert alive.well()
    old = time.time() - alive.LONGEST_S - 1
    os.utime(alive.FILE, (old, old))
    assert not alive.well()
