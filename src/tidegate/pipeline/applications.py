"""What a folder builds: its applications and tools, with their recipes, tests and steps.

The same rules as those of ``tidegate changes``, over the working folder in place of a commit:
folders of applications/ and tools/, entries of tidegate.yaml, and what compose files build.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from tidegate.changes.compose_files import Composition
from tidegate.changes.images import by_reference, images
from tidegate.changes.model import APPLICATION, Image
from tidegate.compose import Project
from tidegate.config.nearest import nearest
from tidegate.edges import builders
from tidegate.edges.disk_tree import DiskTree
from tidegate.errors import InputError, Where
from tidegate.images import dockerfile, recipe
from tidegate.images.recipe import Recipe
from tidegate.model.config import Config, Step
from tidegate.repo.layout import discover

TESTS = ("entrypoint_test.sh", "entrypoints/entrypoint_test.sh")


@dataclass(frozen=True, slots=True)
class Application:
    """One image of ours; ``tests`` is the path of its test script, "" where it has none.

    ``services`` are those that build it, ``bases`` leads from names in its Dockerfile to
    applications.
    """

    name: str
    kind: str
    recipe: Recipe
    services: tuple[str, ...] = ()
    tests: str = ""
    steps: tuple[Step, ...] = ()
    bases: Mapping[str, str] = field(default_factory=dict)
    where: Where | None = field(default=None, compare=False)


def applications(config: Config, project: Project) -> dict[str, Application]:
    """Every application by its name; what has no Dockerfile is delivered as it lies there.

    What compose builds is what the loader made of its files: with values, includes and all.
    """
    tree = DiskTree(config.root)
    known = images(discover(tree, ""), config, "", Composition(), tree)
    built = {name: image for name, image in known.items() if image.text is not None}
    found: dict[str, Application] = {}
    for name, image in built.items():
        own = config.applications.get(name)
        if len(image.platforms) > 1:
            raise InputError(
                "several platforms in one build are not handled", code="build-platforms",
                where=config.where("applications", name, "platforms"),
                hint="name the platform of your servers",
            )  # fmt: skip
        found[name] = Application(
            name,
            image.kind,
            _recipe(image, config.root),
            tests=_tests(config.root, image),
            steps=tuple(config.steps[step] for step in own.steps) if own else (),
            where=image.where,
        )
    _compose(found, project)
    for one in found.values():
        _require_source(one)
    found = {
        name: replace(one, bases=_bases(one, found, config.project)) for name, one in found.items()
    }
    _require_order(found)
    return found


def _compose(found: dict[str, Application], project: Project) -> None:
    """A service that builds what an application is says how; any other build is one more."""
    said: dict[str, Recipe] = {}
    for service in project.services:
        if "build" not in project.services[service]:
            continue
        made = composed_recipe(project, service)
        name = next((one for one, other in said.items() if other == made), "")
        if not name:
            free = (one for one in found if one not in said)
            name = next((one for one in free if _place(found[one].recipe) == _place(made)), "")
        if not name:
            name = service if service not in found else f"{service}-build"
            tests = _script(Path(made.context))
            found[name] = Application(name, APPLICATION, made, tests=tests, where=made.where)
        said[name] = made
        one = found[name]
        ready = replace(made, platform=made.platform or one.recipe.platform)
        found[name] = replace(one, recipe=ready, services=(*one.services, service))


def _place(made: Recipe) -> tuple[str, str, str]:
    return made.context.rstrip("/"), made.dockerfile, made.inline


def served(found: Mapping[str, Application]) -> dict[str, Application]:
    """The application of each service that compose builds."""
    return {service: one for one in found.values() for service in one.services}


def composed_recipe(project: Project, service: str) -> Recipe:
    """What compose says of a service's build, with the values of its variables."""
    body = project.services[service]
    return recipe.recipe(
        body["build"],
        platform=str(body.get("platform") or ""),
        secrets=project.secrets,
        where=lambda key: project.where(("services", service, "build", key)),
    )


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
    return _script(Path(root, image.folder)) if image.folder else ""


def _script(folder: Path) -> str:
    return next((str(folder / name) for name in TESTS if (folder / name).is_file()), "")


def _bases(one: Application, known: Mapping[str, Application], project: str) -> dict[str, str]:
    """Bases that are applications themselves; a public image of the same name is none of ours."""
    made, found = one.recipe, {}
    file = Path(made.dockerfile)
    text = made.inline or (file.read_text(errors="replace") if file.is_file() else "")
    for written in dockerfile.bases(text, made.arguments, dict(made.contexts)):
        name = by_reference(written, known, project)
        if name and name != one.name and _is_ours(written, name, project):
            found[written] = name
    return found


def _is_ours(written: str, name: str, project: str) -> bool:
    """``shop-base``, ``shop/base`` and ``REGISTRY/…/shop/base`` are; ``python:3`` is not."""
    path = written.partition("@")[0].rpartition(":")[0] or written
    return path.endswith((f"{project}/{name}", f"{project}-{name}")) or name.startswith(
        f"{project}-"
    )


def _require_source(one: Application) -> None:
    """What it is built from is there and can be read, unless steps make it first."""
    made = one.recipe
    if one.steps:
        return
    if not Path(made.context).is_dir():
        raise InputError(
            f"there is no folder {made.context}",
            code="build-context",
            where=made.where,
            hint="build.context is read from the compose file's own folder",
        )
    if made.dockerfile and not made.inline:
        builders.dockerfile_of(made)


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
                    hint="one of the two FROM lines has to name another image",
                )
            if base not in seen:
                seen.append(base)
                stack += found[base].bases.values()
