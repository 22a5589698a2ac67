"""Asks git about a range of commits and decides what it changes; reads no working tree.

git looks up, compares, lists and reads in processes of its own, while this one imports what it
needs and reads the project: so whatever git can begin without is imported inside of functions.
"""

from __future__ import annotations

import os

from tidegate.edges.git_repository import Answer, Repository
from tidegate.errors import InputError
from tidegate.repo import commits, diff, revisions
from tidegate.shapes import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tidegate.changes.decide import Decision
    from tidegate.changes.project import Project
    from tidegate.changes.survey import Root, Survey
    from tidegate.edges.git_objects import CommitTree, Objects
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
    repository, wanted = Repository(directory), revisions.written(text)
    answer = repository.look_up(wanted)
    objects = repository.objects()
    try:
        import re  # noqa: F401 - costs as long as git takes to look up two names

        found = repository.range(wanted, answer)
        differences = repository.begin(diff.command(found.base, found.head))  # takes the longest
        try:
            return _decided(found, _Asked(objects, differences), file, repository)
        finally:
            differences.close()
    finally:
        answer.close()
        objects.close()


def _decided(found: Range, asked: _Asked, file: str, repository: Repository) -> Changed:
    from tidegate.changes.survey import Root, paths, plain
    from tidegate.edges import surveys

    folder, path = found.prefix.rstrip("/"), f"{found.prefix}{file}"
    tree, before = asked.objects.at(found.head), asked.objects.at(found.base)
    directory = repository.directory
    name = os.path.basename(os.path.abspath(directory))  # noqa: PTH100, PTH119 - as above
    where = Root(folder, path, name)
    known = surveys.find(directory, where)
    tree.fetch((*(known.reads if known else ()), diff.GITMODULES))
    before.fetch(["", diff.GITMODULES])  # these come while the core is imported
    from tidegate.changes.decide import decide
    from tidegate.changes.directives import orders

    survey = known.of(tree) if known else None
    now = None if survey else _project(tree, where, file)
    said = repository.begin(commits.command(found.base, found.head))  # slowed the others down
    try:
        differences = diff.parse(asked.differences.bytes(), _submodules(tree, before))
        if survey is None or survey.touched(paths(differences)):
            from tidegate.changes import surveying

            now = now or _project(tree, where, file)
            survey = surveying.survey(now, tree, where)
            kept = plain(survey)
            surveying.compare(survey, now, tree, before, differences, where)
        messages = commits.parse(said.bytes())
    finally:
        said.close()
    decision = decide(differences, survey, orders(messages))
    if now is not None:
        surveys.keep(directory, where, tree, kept)
    return Changed(found, len(messages), decision, survey, _notes(survey, file, directory))


def _submodules(tree: CommitTree, before: CommitTree) -> set[str]:
    """Those of both commits: one that is gone has changed, too."""
    texts = [one.text(diff.GITMODULES) for one in (tree, before)]
    return {path for text in texts if text for path in diff.submodules(text)}


def _project(tree: CommitTree, where: Root, file: str) -> Project:
    from tidegate.repo.layout import parts

    tree.fetch([where.file, where.folder, *parts(where.folder).values()])  # come meanwhile
    from tidegate.changes.project import project

    now = project(tree, where)
    _require_something(now, file)
    return now


def _require_something(now: Project, file: str) -> None:
    """An empty answer about a folder that holds no project would look like no changes."""
    if now.config is None and not now.images and not now.composition.services:
        raise InputError(
            f"this commit has no {file}, no compose file, no applications/ and no services/ here",
            code="config-missing",
            hint="change to the project's folder, or name the file with --config",
        )


def _notes(survey: Survey, file: str, directory: str) -> tuple[str, ...]:
    if not survey.configured and os.path.exists(os.path.join(directory, file)):  # noqa: PTH110, PTH118
        return (f"{file} is not in this commit, and was not heeded",)
    return ()
