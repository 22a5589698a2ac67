"""Each mistake that is put into an example is a whole program, and is what it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.testing.prove.project import HELLO, MISTAKES, Project


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_can_be_committed_and_taken_back(kind: str, tmp_path: Path) -> None:
    """The copy changes and compiles, the example does not, and the way back is clean."""
    project = Project.copy(HELLO, tmp_path / "hello")
    good = project.git("rev-parse", "HEAD")
    project.mistake(kind, "2")
    text = (project.folder / "app.py").read_text()
    compile(text, "app.py", "exec")
    assert text != (HELLO / "app.py").read_text()
    assert (project.folder / "VERSION").read_text() == "2\n"
    project.revert(good)
    assert (project.folder / "app.py").read_text() == (HELLO / "app.py").read_text()


def test_a_rich_project_names_its_host(tmp_path: Path) -> None:
    """The copy holds real files and the settings for the host that was given."""
    project = Project.rich(tmp_path / "p", "lab-1", "deploy@192.0.2.7")
    assert "lab-1: {ssh: deploy@192.0.2.7}" in (project.folder / "tidegate.yaml").read_text()
    assert not (project.folder / "server.py").is_symlink()
    assert project.git("status", "--short") == ""
