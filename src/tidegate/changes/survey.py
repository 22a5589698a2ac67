"""What a commit says of whose its files are: enough to decide about any difference that leaves
all definitions as they are, and in a form that can be kept (``plain``, ``restored``).

Making one reads every definition of a project (``tidegate.changes.surveying``); this module and
what it imports is all that is needed to use one again.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from operator import itemgetter, methodcaller

from tidegate.changes.model import Because, Build, Image, Target
from tidegate.changes.rules import Rules
from tidegate.compose.folders import COMPOSE_FILES, DOCKERFILES, OVERRIDE_FILES, SKIPPED
from tidegate.repo.diff import FileChange
from tidegate.shapes import Row, field, record

DEFINING = frozenset({*COMPOSE_FILES, *OVERRIDE_FILES, *DOCKERFILES})
# Three endings in place of ten whole names: asked of every path.
_ENDS = methodcaller("endswith", tuple({name[-4:] for name in DEFINING}))

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Root(Row):
    """Where a project is in its repository: its folder, its tidegate.yaml, its usual name."""

    folder: str
    file: str
    name: str


@record(slots=True)
class Survey:
    """What a project has, and its rules.

    ``services`` leads to those with which each restarts, ``folders`` to the services of each
    folder, ``runs`` from services to the images of ours that they run; ``built_on`` are pairs of
    an image and one below it. ``named`` files define something, whatever they are called, and
    ``env_files`` give variables values. The rest is what two commits differ in.
    """

    configured: bool
    images: dict[str, Image]
    services: dict[str, list[str]]
    folders: dict[str, list[str]]
    runs: dict[str, str]
    built_on: list[tuple[str, str]]
    rules: Rules
    named: frozenset[str]
    env_files: tuple[str, ...]
    definitions: list[tuple[Target, Because]] = field(default_factory=list)
    removed: list[tuple[Target, Because]] = field(default_factory=list)
    defining: frozenset[str] = frozenset()

    def why_nobody(self, change: FileChange) -> str:
        """Why a file is nobody's."""
        if change.path in self.defining:
            return "nothing that it defines differs"
        return self.rules.why_nobody(change.path)

    def touched(self, paths: Collection[str]) -> bool:
        """Whether a difference in these is more than one of files that are somebody's."""
        return bool(self.defines(paths)) or not frozenset(self.env_files).isdisjoint(paths)

    def defines(self, paths: Collection[str]) -> set[str]:
        """Those paths whose content defines services or images."""
        found = set(self.named.intersection(paths))
        for path in filter(_ENDS, paths):
            if path.rpartition("/")[2].removeprefix(SKIPPED) in DEFINING:
                found.add(path)
        return found


def paths(changes: Sequence[FileChange]) -> list[str]:
    """Every path that a difference names."""
    olds = filter(None, map(itemgetter(2), changes))
    return [*map(itemgetter(1), changes), *olds]


def plain(found: Survey) -> Any:
    """A survey of one commit as values that every version of Python keeps alike.

    Places of images are left out: they are for errors, and a survey is made after all of them.
    """
    return (
        found.configured,
        [(*one[:3], tuple(one.build), *one[4:-1], None) for one in found.images.values()],
        *(found.services, found.folders, found.runs, found.built_on, found.rules.plain()),
        *(sorted(found.named), found.env_files),
    )


def restored(kept: Any) -> Survey:
    """The survey that ``plain`` made this of."""
    configured, images, services, folders, runs, built_on, rules, named, env_files = kept
    return Survey(
        configured,
        {one[0]: Image._make((*one[:3], Build._make(one[3]), *one[4:])) for one in images},
        services,
        folders,
        runs,
        built_on,
        Rules.restored(rules),
        frozenset(named),
        env_files,
    )
