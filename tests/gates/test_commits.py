"""An environment as another commit has it: its files, and the secrets of today."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.pipeline.test_runner import Silent
from tidegate import way
from tidegate.testing.prove.project import Project


def git(folder: Path, *words: str) -> str:
    """What git says."""
    done = subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def commit(folder: Path, name: str, secrets: str) -> str:
    """A version with this variable and this file of secrets."""
    production = {"hosts": {"a": {"ssh": "a@192.0.2.1"}}, "variables": {"NAME": name}}
    own = {"production": {**production, **({"secrets": secrets} if secrets else {})}}
    text = json.dumps({"version": 1, "environments": own})
    (folder / "tidegate.yaml").write_text(text, encoding="utf-8")
    (folder / "compose.yaml").write_text("services: {web: {image: busybox:1}}\n")
    Project(folder).commit(name)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    made = tmp_path / "shop"
    made.mkdir()
    git(made, "init", "--quiet", "--initial-branch=main")
    git(made, "config", "user.name", "Somebody")
    git(made, "config", "user.email", "somebody@example.com")
    return made


def test_an_older_commit_has_the_secrets_of_today(folder: Path) -> None:
    """Its own variables and compose file; what was rotated since does not come back."""
    first = commit(folder, "one", "old.age")
    second = commit(folder, "two", "new.age")
    file = folder / "tidegate.yaml"
    with way.at(first, "production", {}, file) as target:
        assert (target.variables["NAME"], target.config.project) == ("one", "shop")
        assert Path(target.config.root) != folder
        assert target.environment.secrets == str(folder / "new.age")
    with way.at(second, "production", {}, file) as target:
        assert (target.config.root, target.environment.secrets) == (str(folder), "new.age")
    third = commit(folder, "three", "")
    with way.at(first, "production", {}, file) as target:
        assert target.environment.secrets == "old.age"
    (folder / "compose.yaml").write_text("services: {}\n")
    with way.released(third, "production", {}, file, Silent()) as target:
        assert Path(target.config.root) != folder
    with way.released("", "production", {}, file, Silent()) as target:
        assert target.config.root == str(folder)
