"""The digest of a build context follows what counts in it, wherever we stand."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.edges import context
from tidegate.images.selection import Selection


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


def test_only_what_is_taken_counts(tmp_path: Path) -> None:
    """Another file of the context changes nothing; a taken one, its mode and its name do."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a").write_text("1")
    (tmp_path / "README").write_text("1")

    def found() -> str:
        return context.digest(str(tmp_path), "", None, Selection(["src"]))

    first = found()
    (tmp_path / "README").write_text("22")
    (tmp_path / "new").write_text("x")
    assert found() == first
    (tmp_path / "src" / "a").chmod(0o755)
    second = found()
    (tmp_path / "src" / "a").rename(tmp_path / "src" / "b")
    assert len({first, second, found()}) == 3


@pytest.mark.parametrize("taken", ["link", "link/a", "src"])
def test_a_link_to_elsewhere_makes_everything_count(tmp_path: Path, taken: str) -> None:
    """A builder may follow it: taken itself, on the way, or below what is taken."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "a").write_text("1")
    (tmp_path / "src").mkdir()
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "src" / "link").symlink_to("../real/a")
    before = context.digest(str(tmp_path), "", None, Selection([taken]))
    (tmp_path / "real" / "a").write_text("22")
    assert context.digest(str(tmp_path), "", None, Selection([taken])) != before
