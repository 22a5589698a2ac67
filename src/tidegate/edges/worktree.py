"""Asks git about the folder that is deployed; a folder outside of git has no revision."""

from __future__ import annotations

from tidegate.edges.process import Command, run
from tidegate.errors import InfrastructureError
from tidegate.repo import git
from tidegate.repo.git import Revision


def revision(root: str) -> Revision:
    """The commit and what differs from it; empty outside of git or without git."""
    try:
        done = run(Command(git.STATUS), cwd=root, env={"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"})
    except InfrastructureError:
        return Revision()
    return git.revision(done.text) if done.returncode == 0 else Revision()
