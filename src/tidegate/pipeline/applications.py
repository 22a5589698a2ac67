"""What a folder builds: its applications and tools, with their recipes, tests and steps.

The same rules as those of ``tidegate changes``, over the working folder in place of a commit:
folders of applications/ and tools/, entries of tidegate.yaml, and what compose files build.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tidegate.changes.compose_files import composition
from tidegate.changes.images import by_reference, images
from tidegate.changes.model import Image
from tidegate.compose import Project
from tidegate.config.nearest import nearest
from tidegate.edges.disk_tree import DiskTree
from tidegate.errors import InputError, Where
from tidegate.images import recipe
from tidegate.images.recipe import Recipe
from tidegate.model.config import Config, Step
from tidegate.repo.layout import discover

TESTS = ("entrypoint_test.sh", "entrypoints/entrypoint_test.sh")


@dataclass(frozen=True, slots=True)
class Application:
    """One image of ours; ``tests`` is the path of its test script, "" where it has none.

    ``bases`` leads from names in its Dockerfile to applications.
    """

    name: str
    kind: str
    recipe: Recipe
    tests: str = ""
    steps: tuple[Step, ...] = ()
    bases: Mapping[str, str] = field(default_factory=dict)
    where: Where | None = field(default=None, compare=False)


def applications(config: Config, project: Project) -> dict[str, Application]:
    """Every application by its name; what has no Dockerfile is delivered as it lies there."""
    tree = DiskTree(config.root)
    layout = discover(tree, "", config.compose)
    composed = composition(layout.compose, tree)
    known = images(layout, config, "", composed, tree)
    built = {name: image for name, image in known.items() if image.text is not None}
    found: dict[str, Application] = {}
    for name, image in built.items():
        own = config.applications.get(name)
        first = next((s for s in image.names if _builds(project, s)), "")
        found[name] = Application(
            name,
            image.kind,
            composed_recipe(project, first) if first else _recipe(image, config.root),
            tests=_tests(config.root, image),
            steps=tuple(config.steps[step] for step in own.steps) if own else (),
            bases=_bases(image, built, config.project),
            where=image.where,
        )
    _require_order(found)
    return found


def served(found: Mapping[str, Application], project: Project) -> dict[str, Application]:
    """The application of each service that compose builds: the one with the same recipe, else
    one of its own."""
    by_recipe = {one.recipe: one for one in found.values()}
    result = {}
    for service in project.services:
        if _builds(project, service):
            made = composed_recipe(project, service)
            alone = Application(service, "application", made, where=made.where)
            result[service] = by_recipe.get(made, alone)
    return result


def composed_recipe(project: Project, service: str) -> Recipe:
    """What compose says of a service's build, with the values of its variables."""
    body = project.services[service]
    return recipe.recipe(
        body["build"],
        platform=str(body.get("platform") or ""),
        secrets=project.secrets,
        where=lambda key: project.where(("services", service, "build", key)),
    )


def _builds(project: Project, service: str) -> bool:
    return "build" in project.services.get(service, {})


def chosen(found: Mapping[str, Application], names: Iterable[str]) -> list[str]:
    """The applications of these names, or all; ``InputError`` with the nearest one."""
    wanted = list(dict.fromkeys(names))
    for name in wanted:
        if name not in found:
            close = nearest(name, found)
            there = ", ".join(found) or "none; applications/ has no Dockerfile"
            raise InputError(
                f"there is no application {name!r}",
                code="unknown-application",
                hint=f"did you mean {close}?" if close else f"there are: {there}",
            )
    return wanted or list(found)


def _recipe(image: Image, root: str) -> Recipe:
    """What the folder says; an argument that only an environment knows has no value."""
    build = image.build
    return Recipe(
        context=str(Path(root, build.context or "")),
        dockerfile=str(Path(root, build.dockerfile)) if build.dockerfile else "",
        inline=build.inline,
        target=build.target,
        platform=image.platforms[0] if image.platforms else "",
        args=tuple((name, value) for name, value in build.arguments if value is not None),
        contexts=tuple((name, str(Path(root, place))) for name, place in build.contexts),
        where=image.where,
    )


def _tests(root: str, image: Image) -> str:
    """The script of an application's own folder."""
    found = (Path(root, image.folder, name) for name in TESTS if image.folder)
    return next((str(path) for path in found if path.is_file()), "")


def _bases(image: Image, known: Mapping[str, Image], project: str) -> dict[str, str]:
    """Bases that are applications themselves; a public image of the same name is none of ours."""
    found = {}
    for written in image.bases:
        name = by_reference(written, known, project)
        if name and name != image.name and _is_ours(written, name, project):
            found[written] = name
    return found


def _is_ours(written: str, name: str, project: str) -> bool:
    """``shop-base``, ``shop/base`` and ``REGISTRY/…/shop/base`` are; ``python:3`` is not."""
    path = written.partition("@")[0].rpartition(":")[0] or written
    return path.endswith((f"{project}/{name}", f"{project}-{name}")) or name.startswith(
        f"{project}-"
    )


def _require_order(found: Mapping[str, Application]) -> None:
    """No application is built on itself, over however many others."""
    for name in found:
        seen: list[str] = [name]
        stack = list(found[name].bases.values())
        while stack:
            base = stack.pop()
            if base == name:
                raise InputError(
                    f"{name} is built on itself, by way of {seen[-1]}",
                    code="build-cycle",
                    where=found[name].where or Where(found[name].recipe.dockerfile),
                )
            if base not in seen:
                seen.append(base)
                stack += found[base].bases.values()
