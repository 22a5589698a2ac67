"""A project as one commit has it, and what its definitions differ in from another commit.

The other commit is only read where a file that defines something differs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tidegate.changes import definitions, images, inputs
from tidegate.changes.compose_files import Composition, composition
from tidegate.changes.model import APPLICATION, SERVICE, Because, Image, Target
from tidegate.changes.rules import Rules
from tidegate.compose.files import Allowance
from tidegate.compose.folders import COMPOSE_FILES, OVERRIDE_FILES, SKIPPED
from tidegate.config.load import config_of, default_project
from tidegate.config.nearest import nearest
from tidegate.errors import InputError, Where
from tidegate.model.config import Config
from tidegate.repo.diff import FileChange
from tidegate.repo.layout import DOCKERFILES, VERSIONS, Layout, discover, folders, parts
from tidegate.repo.tree import Tree, is_utf8, joined
from tidegate.shapes import Row, field, record

DEFINING = frozenset({*COMPOSE_FILES, *OVERRIDE_FILES, *DOCKERFILES})
ENDINGS = tuple(DEFINING)
ENV_FILE = ".env"


class Root(Row):
    """Where a project is in its repository: its folder, its tidegate.yaml, its usual name."""

    folder: str
    file: str
    name: str


@record(slots=True)
class Project:
    """What one commit holds."""

    config: Config | None
    layout: Layout
    composition: Composition
    images: dict[str, Image]


@record(slots=True)
class Survey:
    """A project and its rules; ``runs`` leads from services to the images of ours they run."""

    project: str
    images: dict[str, Image]
    composition: Composition
    runs: dict[str, str]
    rules: Rules
    definitions: list[tuple[Target, Because]] = field(default_factory=list)
    removed: list[tuple[Target, Because]] = field(default_factory=list)
    defining: frozenset[str] = frozenset()

    def why_nobody(self, change: FileChange) -> str:
        """Why a file is nobody's."""
        if change.path in self.defining:
            return "nothing that it defines differs"
        return self.rules.why_nobody(change.path)


def project(tree: Tree, where: Root, *, compose: bool = True) -> Project:
    """Read a commit, with or without its compose files."""
    root = where.folder
    tree.fetch([where.file, root, *parts(root).values()])
    text = tree.text(where.file)
    folders(tree, root)  # come while the configuration is read
    if text is not None and not is_utf8(text):
        line = next(n for n, one in enumerate(text.split("\n"), 1) if not is_utf8(one))
        raise InputError(
            f"{where.file} is not UTF-8 text",
            code="config-unreadable",
            where=Where(where.file, line),
            hint="save it as UTF-8 and commit it",
        )
    config = None
    if text is not None:
        documents = tree.documents(where.file, Allowance())
        config = config_of(documents, where.file, root=f"/{root}")
    layout = discover(tree, root, config.compose if config else ())
    tree.fetch(_texts(layout, tree))
    composed = composition(layout.compose if compose else (), tree)
    return Project(config, layout, composed, images.images(layout, config, root, composed, tree))


def _texts(layout: Layout, tree: Tree) -> Iterator[str]:
    """All that is surely read soon."""
    for group in layout.compose:
        yield from group
    for image in layout.images:
        yield image.dockerfile
        names = tree.names(image.path)
        yield from (f"{image.path}/{name}" for name in inputs.IGNORE_FILES if name in names)


def survey(
    now: Project, tree: Tree, before: Tree, changes: Sequence[FileChange], where: Root
) -> Survey:
    """The project of a commit, compared with that of another commit."""
    name = now.config.project if now.config and _named(now.config) else default_project(where.name)
    runs = {
        service.name: image
        for service in now.composition.services.values()
        if (image := images.image_of(service, now.images, name))
    }
    _require_receivers(now)
    rules = Rules()
    for one in now.images.values():
        inputs.of_image(rules, one, tree)
    files = _env_files(now, where)
    compared = {*now.composition.files, *files}
    inputs.of_services(rules, now.composition, now.layout, where.folder, compared)
    found = Survey(name, now.images, now.composition, runs, rules, defining=frozenset(files))
    paths = {change.path for change in changes}
    paths |= {change.old for change in changes if change.old}
    _compare(found, now, before, paths, where)
    for file in files:
        if file in paths:
            names = definitions.assigned(before.text(file) or "", tree.text(file) or "")
            found.definitions += definitions.using(now.composition, names, file)
    return found


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


def _named(config: Config) -> bool:
    return ("project",) in config.places


def _compare(found: Survey, now: Project, before: Tree, paths: set[str], where: Root) -> None:
    """What the definitions differ in, where a file with definitions does."""
    named = {*now.composition.files, where.file}
    defining = {
        path
        for path in paths
        if (path.endswith(ENDINGS) and path.rpartition("/")[2].removeprefix(SKIPPED) in DEFINING)
        or path in named
    }
    if not defining:
        return
    then = _readable(before, where)
    found.defining |= defining
    found.definitions += [
        *definitions.of_services(then.composition, now.composition, paths),
        *definitions.of_images(then.images, now.images, now.composition, paths),
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
