"""What a repository holds by convention: applications/, tools/ and services/.

A folder of applications/ or tools/ with a Dockerfile is an image; a compose file there or in a
folder of services/ says what runs. A file named ``skipped-Dockerfile`` or
``skipped-docker-compose.yml``, or a folder named ``skipped-…``, switches that one off.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.compose.folders import COMPOSE_FILES, OVERRIDE_FILES
from tidegate.repo.tree import Tree, is_folder, is_submodule, joined
from tidegate.shapes import Row, field, record

APPLICATIONS, TOOLS, SERVICES = "applications", "tools", "services"
OFF = "skipped-"
DOCKERFILES = ("Dockerfile", "Containerfile")
VERSIONS = f"{SERVICES}/version.env"


class ImageFolder(Row):
    """A folder that an image is built from; ``dockerfile`` "" in a submodule, where nobody sees."""

    name: str
    kind: str
    path: str
    dockerfile: str


@record(slots=True)
class Layout:
    """``compose`` are groups of files that belong together; ``off`` are folders switched off."""

    images: list[ImageFolder] = field(default_factory=list)
    compose: list[tuple[str, ...]] = field(default_factory=list)
    off: dict[str, str] = field(default_factory=dict)


def discover(tree: Tree, root: str, compose: tuple[str, ...] = ()) -> Layout:
    """Look at a project below ``root``; ``compose`` are the files that tidegate.yaml names."""
    parts = {part: joined(root, part) for part in (APPLICATIONS, TOOLS, SERVICES)}
    tree.fetch([root, *parts.values()])
    folders = {part: list(_folders(tree, path)) for part, path in parts.items()}
    tree.fetch([path for found in folders.values() for path, _ in found])
    layout = Layout()
    for part in (APPLICATIONS, TOOLS):
        for path, mode in folders[part]:
            _image(tree, layout, part, path, mode)
    found = compose_files(tree, root)
    if compose:
        layout.compose.append(tuple(joined(root, name) for name in compose))
    elif found:
        layout.compose.append(found)
    else:
        for part in (APPLICATIONS, SERVICES):
            for path, _ in folders[part]:
                _composed(tree, layout, path)
    return layout


def compose_files(tree: Tree, folder: str) -> tuple[str, ...]:
    """The compose file that docker compose would find in a folder, and its override."""
    names = tree.names(folder)
    for name in COMPOSE_FILES:
        if name in names:
            override = [other for other in OVERRIDE_FILES if other in names]
            return tuple(joined(folder, found) for found in (name, *override[:1]))
    return ()


def _folders(tree: Tree, path: str) -> Iterator[tuple[str, str]]:
    for name, mode in tree.names(path).items():
        if is_folder(mode) or is_submodule(mode):
            yield f"{path}/{name}", mode


def _image(tree: Tree, layout: Layout, part: str, path: str, mode: str) -> None:
    name, names = path.rpartition("/")[2], tree.names(path)
    switch = next((OFF + file for file in DOCKERFILES if OFF + file in names), "")
    dockerfile = next((f"{path}/{file}" for file in DOCKERFILES if file in names), "")
    if name.startswith(OFF):
        layout.off[path] = f"{path} is switched off by its name"
    elif switch:
        layout.off[path] = f"{path}/{switch} switches it off"
    elif dockerfile or is_submodule(mode):
        layout.images.append(ImageFolder(name, part.removesuffix("s"), path, dockerfile))


def _composed(tree: Tree, layout: Layout, path: str) -> None:
    names = tree.names(path)
    switch = next((OFF + name for name in COMPOSE_FILES if OFF + name in names), "")
    found = compose_files(tree, path)
    if path in layout.off:
        return  # without its image nothing of it runs
    if path.rpartition("/")[2].startswith(OFF):
        layout.off.setdefault(path, f"{path} is switched off by its name")
    elif switch:
        layout.off.setdefault(path, f"{path}/{switch} switches it off")
    elif found:
        layout.compose.append(found)
