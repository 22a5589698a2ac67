"""Another commit beside the files that are here: whole, with nothing of them, and gone again."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tidegate.edges import worktree
from tidegate.errors import InputError
from tidegate.testing.prove.project import Project


def git(folder: Path, *words: str) -> str:
    """What git says."""
    done = subprocess.run(("git", *words), cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two commits of shop/deploy/name, the first with a tag; files that are ignored and new."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "shop"
    (folder / "deploy").mkdir(parents=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "config", "user.name", "Somebody")
    git(folder, "config", "user.email", "somebody@example.com")
    (folder / ".gitignore").write_text("*.env\n")
    for version in ("one", "two"):
        (folder / "deploy/name").write_text(version)
        Project(folder).commit(version)
        git(folder, "tag", version)
    hook = folder / ".git/hooks/post-checkout"
    hook.write_text("#!/bin/sh\ntouch hooked\n")
    hook.chmod(0o755)
    (folder / "deploy/secret.env").write_text("here only")
    return folder


def test_a_commit_beside_the_files(repository: Path) -> None:
    """A folder of it, clean, under the repository's name; no hook ran, and git forgets it."""
    root, first = str(repository / "deploy"), worktree.commit(str(repository), "one")
    with worktree.checkout(root, first) as place:
        there = Path(place)
        assert (there.name, there.parent.name) == ("deploy", "shop")
        assert [path.name for path in there.iterdir()] == ["name"]
        assert (there / "name").read_text() == "one"
        assert not (there.parent / "hooked").exists()
        found = worktree.revision(place)
        assert (found.commit, found.changed) == (first, ())
        assert worktree.makers(place, changed=False) == ["somebody@example.com"] * 2
    assert not there.exists()
    assert len(git(repository, "worktree", "list").splitlines()) == 1
    assert (repository / "deploy/name").read_text() == "two"


def test_what_was_left_by_one_that_was_killed(repository: Path) -> None:
    """A checkout whose folder is gone is in nobody's way."""
    first = worktree.commit(str(repository), "one")
    with worktree.checkout(str(repository), first) as place:
        subprocess.run(("rm", "-rf", Path(place)), check=True)
        with worktree.checkout(str(repository), first) as second:
            assert Path(second, "deploy/name").read_text() == "one"
        git(repository, "worktree", "add", "--quiet", "--detach", place, first)


@pytest.mark.parametrize("name", ["three", "--all", ""])
def test_what_is_no_commit(repository: Path, name: str) -> None:
    """An unknown name, an option and nothing are bad input."""
    with pytest.raises(InputError) as caught:
        worktree.commit(str(repository), name)
    assert caught.value.code == "unknown-commit"


def test_names_of_commits(repository: Path) -> None:
    """A tag, a branch and the begin of the digits."""
    second = git(repository, "rev-parse", "HEAD")
    for name in ("two", "main", second[:7]):
        assert worktree.commit(str(repository), name) == second
