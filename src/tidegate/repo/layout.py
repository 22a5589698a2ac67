"""What a repository holds by convention: applications/, tools/ and services/.

A folder of applications/ or tools/ with a Dockerfile is an image; a compose file there or in a
folder of services/ says what runs, by the rules of ``tidegate.compose.folders``.
"""

from __future__ import annotations

from collections.abc import Iterator

from tidegate.compose.folders import DOCKERFILES, compose_files, layout_of
from tidegate.repo.tree import Tree, is_folder, is_submodule, joined
from tidegate.shapes import Row, field, record

APPLICATIONS, TOOLS, SERVICES = "applications", "tools", "services"
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


def parts(root: str) -> dict[str, str]:
    """The folders that hold those of a project, by what they are for."""
    return {part: joined(root, part) for part in (APPLICATIONS, TOOLS, SERVICES)}


def folders(tree: Tree, root: str) -> dict[str, list[tuple[str, str]]]:
    """The folders in each of them with their modes; their names are asked for."""
    found = {part: list(_folders(tree, path)) for part, path in parts(root).items()}
    tree.fetch([path for each in found.values() for path, _ in each])
    return found


def discover(tree: Tree, root: str, compose: tuple[str, ...] = ()) -> Layout:
    """Look at a project below ``root``; ``compose`` are the files that tidegate.yaml names."""
    every = folders(tree, root)
    layout = Layout()
    listing = {
        f"{part}/{path.rpartition('/')[2]}": tree.names(path)
        for part, found in every.items()
        for path, _ in found
    }
    for folder in layout_of(listing).folders:
        if folder.off:
            layout.off[joined(root, folder.path)] = f"{joined(root, folder.off)} switches it off"
        if folder.files and not folder.path.startswith(TOOLS):
            layout.compose.append(tuple(joined(root, file) for file in folder.files))
    for part in (APPLICATIONS, TOOLS):
        for path, mode in every[part]:
            _image(tree, layout, part, path, mode)
    found = compose_files(tree.names(root))
    if compose or found:
        layout.compose = [tuple(joined(root, name) for name in compose or found)]
    return layout


def _folders(tree: Tree, path: str) -> Iterator[tuple[str, str]]:
    """Hidden ones do not count."""
    for name, mode in tree.names(path).items():
        if (is_folder(mode) or is_submodule(mode)) and not name.startswith("."):
            yield f"{path}/{name}", mode


def _image(tree: Tree, layout: Layout, part: str, path: str, mode: str) -> None:
    """A folder with a Dockerfile; one whose compose file alone is off is an image all the same."""
    name, names = path.rpartition("/")[2], tree.names(path)
    dockerfile = next((f"{path}/{file}" for file in DOCKERFILES if file in names), "")
    if dockerfile or is_submodule(mode):
        layout.images.append(ImageFolder(name, part.removesuffix("s"), path, dockerfile))
