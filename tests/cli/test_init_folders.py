"""`tidegate init` in a repository of many compose files."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tidegate.cli import run
from tidegate.config import load_config

SHOP = Path(__file__).resolve().parents[2] / "examples" / "shop"


def test_init_takes_applications_and_services(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names the services that run, says how many files they are from, and asks nothing."""
    shop = Path(shutil.copytree(SHOP, tmp_path / "shop"))
    (shop / "tidegate.yaml").unlink()
    monkeypatch.chdir(shop)
    assert run(["init"]) == 0
    said = capsys.readouterr().out.splitlines()[0]
    assert "6 compose files in services/ and applications/" in said
    assert "nginx" in said
    assert "cache" not in said
    assert load_config(shop / "tidegate.yaml").project == "shop"
