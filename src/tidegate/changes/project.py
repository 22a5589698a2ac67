"""A project as one commit has it: its configuration, its compose files, what it builds."""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.changes import images, inputs
from tidegate.changes.compose_files import Composition, composition
from tidegate.changes.model import Image
from tidegate.changes.survey import Root
from tidegate.compose.files import Allowance
from tidegate.config.load import config_of
from tidegate.errors import InputError, Where
from tidegate.model.config import Config
from tidegate.repo.layout import Layout, discover, folders, parts
from tidegate.repo.tree import Tree, is_utf8
from tidegate.shapes import record


@record(slots=True)
class Project:
    """What one commit holds."""

    config: Config | None
    layout: Layout
    composition: Composition
    images: dict[str, Image]


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
