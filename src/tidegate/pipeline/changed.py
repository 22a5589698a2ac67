"""Asks git about a range of commits and decides what it changes; reads no working tree.

git looks up, compares, lists and reads in processes of its own, while this one imports what it
needs and reads the project: so whatever git can begin without is imported inside of functions.
"""

from __future__ import annotations

import os

from tidegate.edges.git_repository import Answer, Repository
from tidegate.errors import InputError
from tidegate.repo import commits, diff
from tidegate.shapes import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tidegate.changes.decide import Decision
    from tidegate.changes.survey import Project, Survey
    from tidegate.edges.git_objects import Objects
    from tidegate.repo.revisions import Range


class Changed(Row):
    """A range, how many commits are on its line of first parents, and what follows."""

    range: Range
    commits: int
    decision: Decision
    survey: Survey
    notes: tuple[str, ...] = ()


class _Asked(Row):
    """git at work: the files, the differences."""

    objects: Objects
    differences: Answer


def changed(text: str, config: str) -> Changed:
    """What a range of commits changes; ``config`` is the path of tidegate.yaml from here."""
    directory, file = os.path.split(config)
    directory = directory or "."
    if not os.path.isdir(directory):  # noqa: PTH112 - nothing here needs pathlib, which costs 5 ms
        raise InputError(
            f"there is no folder {directory}", code="config-missing", hint="see --config"
        )
    repository = Repository(directory)
    found = repository.range(text, _prepare)
    differences = repository.begin(diff.command(found.base, found.head))  # takes the longest
    asked = _Asked(repository.objects(), differences)
    try:
        return _decided(found, asked, file, repository)
    finally:
        for one in asked:
            one.close()


def _prepare() -> None:
    """Import for as long as git takes to look up two names: a quarter of what everything needs."""
    import tidegate.compose.nodes  # noqa: F401


def _decided(found: Range, asked: _Asked, file: str, repository: Repository) -> Changed:
    from tidegate.repo.layout import parts

    folder, path = found.prefix.rstrip("/"), f"{found.prefix}{file}"
    tree, before = asked.objects.at(found.head), asked.objects.at(found.base)
    tree.fetch([path, folder, *parts(folder).values()])  # come while the core is imported
    from tidegate.changes.decide import decide
    from tidegate.changes.directives import orders
    from tidegate.changes.survey import Root, project, survey
    from tidegate.edges import parsed

    directory = repository.directory
    name = os.path.basename(os.path.abspath(directory))  # noqa: PTH100, PTH119 - as above
    where = Root(folder, path, name)
    now = project(tree, where)
    _require_something(now, file)
    said = repository.begin(commits.command(found.base, found.head))  # slowed the others down
    try:
        differences = diff.parse(asked.differences.bytes())
        surveyed = survey(now, tree, before, differences, where)
        messages = commits.parse(said.bytes())
    finally:
        said.close()
    decision = decide(differences, surveyed, orders(messages))
    parsed.keep()
    return Changed(found, len(messages), decision, surveyed, _notes(now, file, directory))


def _require_something(now: Project, file: str) -> None:
    """An empty answer about a folder that holds no project would look like no changes."""
    if now.config is None and not now.images and not now.composition.services:
        raise InputError(
            f"this commit has no {file}, no compose file, no applications/ and no services/ here",
            code="config-missing",
            hint="change to the project's folder, or name the file with --config",
        )


def _notes(now: Project, file: str, directory: str) -> tuple[str, ...]:
    if now.config is None and os.path.exists(os.path.join(directory, file)):  # noqa: PTH110, PTH118
        return (f"{file} is not in this commit, and was not heeded",)
    return ()
