"""Asks git about the folder that is deployed, and lays other commits of it beside it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tidegate.edges.private_dir import cache_dir
from tidegate.edges.process import Command, checked, run
from tidegate.errors import InfrastructureError, InputError
from tidegate.repo import git, tags
from tidegate.repo.git import Revision
from tidegate.repo.tags import Commit

LONG_S = 900.0  # a large repository with its submodules


def makers(root: str, *, changed: bool) -> list[str]:
    """Mail addresses of who made the last commit, and of who sits here where files differ."""
    asked = [git.MAKERS, git.MAIL] if changed else [git.MAKERS]
    told = [run(Command(words), cwd=root, env={"LC_ALL": "C"}) for words in asked]
    return [line for done in told if done.returncode == 0 for line in done.text.split()]


def revision(root: str) -> Revision:
    """The commit and what differs from it; empty outside of git or without git."""
    try:
        done = run(Command(git.STATUS), cwd=root, env={"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"})
    except InfrastructureError:
        return Revision()
    return git.revision(done.text) if done.returncode == 0 else Revision()


def head(root: str, branch: str) -> Commit:
    """The commit that is checked out; one without an id outside of git, and before the first."""
    told = [_said(words, root) for words in (tags.COMMIT, tags.VERSIONS, tags.DEFAULT)]
    return tags.commit(told[0], branch, told[1], told[2])


def _said(words: tuple[str, ...], root: str) -> str:
    """What git says, or "" where it has nothing to say."""
    try:
        done = run(Command(words), cwd=root, env={"LC_ALL": "C"})
    except InfrastructureError:
        return ""
    return "" if done.returncode else done.text


def commit(root: str, name: str) -> str:
    """The commit that a name means here: a branch, a tag, the begin of its digits."""
    words = ("git", "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    done = run(Command(words), cwd=root)
    if done.returncode:
        raise InputError(
            f"there is no commit {name!r} here",
            code="unknown-commit",
            hint="git fetch --tags brings what others have made",
        )
    return done.text.strip()


@contextmanager
def checkout(root: str, commit: str) -> Iterator[str]:
    """The folder ``root`` as it was at a commit, with its submodules; gone afterwards.

    The files that git ignores are not there, as on any other machine. The repository's folder
    keeps its name: a project without one is called like it.
    """
    top = Path(_git(root, "rev-parse", "--show-toplevel"))
    inside = Path(root).resolve().relative_to(top.resolve())
    with tempfile.TemporaryDirectory(prefix="commit-", dir=cache_dir("checkouts")) as folder:
        place = Path(folder, top.name)
        _git(root, "worktree", "prune")
        _git(root, "worktree", "add", "--quiet", "--detach", "--force", str(place), commit)
        try:
            if (place / ".gitmodules").exists():
                _git(str(place), "submodule", "update", "--quiet", "--init", "--recursive")
            yield str(place / inside)
        finally:
            _git(root, "worktree", "remove", "--force", "--force", str(place))


def _git(root: str, *words: str) -> str:
    """No hook of the repository runs: nobody asked for one."""
    argv = ("git", "-c", "core.hooksPath=/dev/null", *words)
    done = run(Command(argv), cwd=root, timeout_s=LONG_S, env={"LC_ALL": "C"})
    what = f"git {words[0]} did not work"
    return checked(done, code="git", what=what, hint=f"in {root}").text.strip()
