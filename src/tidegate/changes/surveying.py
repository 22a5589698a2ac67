"""Surveys a project, and compares it with that of another commit.

The other commit is only read where a file that defines something differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.changes import definitions, images, inputs
from tidegate.changes.compose_files import Composition
from tidegate.changes.model import APPLICATION, SERVICE, Because, Target
from tidegate.changes.project import Project, project
from tidegate.changes.rules import Rules
from tidegate.changes.survey import Root, Survey, paths
from tidegate.config.load import default_project
from tidegate.config.nearest import nearest
from tidegate.errors import InputError
from tidegate.repo.diff import FileChange
from tidegate.repo.layout import VERSIONS, Layout
from tidegate.repo.tree import Tree, joined

ENV_FILE = ".env"


def survey(now: Project, tree: Tree, where: Root) -> Survey:
    """The survey of one commit, by itself."""
    named = now.config is not None and ("project",) in now.config.places
    name = now.config.project if now.config and named else default_project(where.name)
    runs = {
        service.name: image
        for service in now.composition.services.values()
        if (image := images.image_of(service, now.images, name))
    }
    _require_receivers(now)
    files = _env_files(now, where)
    rules = Rules(frozenset({*now.composition.files, *files}))
    for one in now.images.values():
        inputs.of_image(rules, one, tree)
    inputs.of_services(rules, now.composition, now.layout, where.folder)
    return Survey(
        now.config is not None,
        now.images,
        {service.name: service.follows for service in now.composition.services.values()},
        now.composition.folders,
        runs,
        list(_built_on(now, name, runs)),
        rules,
        frozenset({*now.composition.files, where.file}),
        tuple(files),
    )


def compare(
    found: Survey, now: Project, tree: Tree, before: Tree, changes: Sequence[FileChange],
    where: Root,
) -> None:  # fmt: skip
    """Add to a commit's survey what its definitions differ in from those of another commit."""
    differing = set(paths(changes))
    found.defining = frozenset(found.env_files)
    _compare(found, now, before, differing, where)
    for file in found.env_files:
        if file in differing:
            names = definitions.assigned(before.text(file) or "", tree.text(file) or "")
            found.definitions += definitions.using(now.composition, names, file)


def _built_on(now: Project, name: str, runs: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Each image with those of ours that it is built on."""
    for own, image in now.images.items():
        below = {images.by_reference(base, now.images, name) for base in image.bases}
        below |= {runs.get(service, "") for service in image.build.services}
        yield from ((own, other) for other in sorted(below - {"", own}))


def _require_receivers(now: Project) -> None:
    """What is delivered must be delivered into a service that there is."""
    for image in now.images.values():
        if image.into and image.into not in now.composition.services:
            close = nearest(image.into, now.composition.services)
            raise InputError(
                f"{image.name} is delivered into {image.into!r}, and there is no such service",
                code="unknown-service",
                where=image.where,
                hint=f"did you mean {close}?" if close else "see deliver: into:",
            )


def _compare(found: Survey, now: Project, before: Tree, differing: set[str], where: Root) -> None:
    """What the definitions differ in, where a file with definitions does."""
    defining = found.defines(differing)
    if not defining:
        return
    then = _readable(before, where)
    found.defining |= defining
    found.definitions += [
        *definitions.of_services(then.composition, now.composition, differing),
        *definitions.of_images(then.images, now.images, now.composition, differing),
        *definitions.of_config(then.config, now.config, now.composition),
    ]
    for name, image in then.images.items():
        if name not in now.images:
            because = Because(image.build.dockerfile, "is gone")
            found.removed.append((Target(APPLICATION, name), because))
            found.rules.explain(image.folder, f"{image.kind} {name} is gone")
    for name, service in then.composition.services.items():
        if name not in now.composition.services:
            because = Because(next(iter(service.parts), ""), "is gone")
            found.removed.append((Target(SERVICE, name), because))
            found.rules.explain(service.folder, f"service {name} is gone")


def _readable(tree: Tree, where: Root) -> Project:
    """The project of the other commit; what could not be read then says nothing."""
    for compose in (True, False):
        try:
            return project(tree, where, compose=compose)
        except InputError:
            continue
    return Project(None, Layout(), Composition(), {})


def _env_files(now: Project, where: Root) -> list[str]:
    """Files of variables that compose files may use: .env, version.env, an environment's file."""
    found = [joined(folder, ENV_FILE) for folder in ("", where.folder, *now.composition.folders)]
    found.append(joined(where.folder, VERSIONS))
    environments = now.config.environments.values() if now.config else ()
    found += [joined(where.folder, one.env_file) for one in environments if one.env_file]
    return list(dict.fromkeys(found))
