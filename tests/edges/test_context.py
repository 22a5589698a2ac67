"""The digest of a build context follows what counts in it, wherever we stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.edges import context


def test_an_additional_context_has_its_own_ignore_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no Dockerfile; a .dockerignore of the working directory is not its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    place, elsewhere = tmp_path / "shared", tmp_path / "elsewhere"
    for folder in (place, elsewhere):
        folder.mkdir()
    (place / "a").write_text("1")
    (elsewhere / ".dockerignore").write_text("a\n")
    monkeypatch.chdir(elsewhere)
    assert context.ignore_file(str(place), "") == ""
    before = context.digest(str(place), "", None)
    (place / "a").write_text("22")
    assert context.digest(str(place), "", None) != before
