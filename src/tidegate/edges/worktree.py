"""Asks git about the folder that is deployed; a folder outside of git has no revision."""

from __future__ import annotations

from tidegate.edges.process import Command, run
from tidegate.errors import InfrastructureError
from tidegate.repo import git, tags
from tidegate.repo.git import Revision
from tidegate.repo.tags import Commit


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
