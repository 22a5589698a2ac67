"""Surveys that were made before: whoever asks about the next commit reads no definition again.

A survey is kept with all that was read for it, and counts for a commit that has the same: files
by git's ids of their content, folders by the names in them.
"""

from __future__ import annotations

import os

from tidegate.changes.survey import Root, Survey, restored
from tidegate.edges import kept
from tidegate.shapes import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tidegate.edges.git_objects import CommitTree, Reads

FORMAT = 2
MOST = 200  # projects; with one more all of them are dropped
LONGEST = 200  # bytes of a name; what is kept says itself what it is of


class Kept(Row):
    """A survey in its plain form, and what was read for it."""

    reads: Reads
    plain: Any

    def of(self, tree: CommitTree) -> Survey | None:
        """The survey, if it counts for a commit."""
        return restored(self.plain) if tree.holds(self.reads) else None


def find(directory: str, where: Root) -> Kept | None:
    """What is kept of a project."""
    found = kept.read(f"{_folder()}/{_name(directory, where)}")
    return Kept(*found[1:]) if found is not None and found[0] == tuple(where) else None


def keep(directory: str, where: Root, tree: CommitTree, plain: Any) -> None:
    """Keep a survey, in its plain form, that was made of this commit, and the YAML read for it."""
    from tidegate.edges import parsed

    parsed.keep()
    value = (tuple(where), tree.reads(), plain)
    kept.write(_folder(), {_name(directory, where): value}, MOST)


def _folder() -> str:
    return kept.folder("surveys", FORMAT)


def _name(directory: str, where: Root) -> str:
    path = f"{os.path.abspath(directory)}/{where.file}"  # noqa: PTH100 - pathlib costs 5 ms
    return path.replace("%", "%25").replace("/", "%2F")[-LONGEST:]
