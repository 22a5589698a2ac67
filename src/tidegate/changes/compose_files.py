"""What compose files say of files, as written: no variable needs a value, no file must exist.

The loader (``tidegate.compose``) wants both, and a commit rarely has them: env files are not
committed. So this reads the trees that the loader begins with, with anchors and merge keys
resolved, and follows ``include`` and ``extends`` itself.
Source: https://docs.docker.com/reference/compose-file/ (as of docker compose 2.40).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from tidegate.changes.model import Service
from tidegate.changes.service import Place, add
from tidegate.compose.files import Allowance
from tidegate.compose.nodes import Node, fail
from tidegate.repo.tree import Tree, is_utf8, joined
from tidegate.shapes import field, record

DEEPEST = 50
SECTIONS = ("networks", "volumes", "configs", "secrets")


@record(slots=True)
class Composition:
    """All services of a project by name; ``files`` are all files that say something of them."""

    services: dict[str, Service] = field(default_factory=dict)
    files: dict[str, None] = field(default_factory=dict)
    folders: dict[str, list[str]] = field(default_factory=dict)


def composition(groups: Iterable[Sequence[str]], tree: Tree) -> Composition:
    """Read groups of compose files; the paths of a group count from its first file's folder."""
    groups = [tuple(group) for group in groups]
    tree.fetch([file for group in groups for file in group])
    found = _Files(tree)
    for group in groups:
        folder = group[0].rpartition("/")[0]
        found.result.folders[folder] = found.group(group, folder, folder, ())
    return found.result


class _Files:
    """One reading of a project; files that several others name are parsed once."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.result = Composition()
        self.allowance = Allowance()
        self.parsed: dict[str, list[Node]] = {}

    def roots(self, file: str, named_at: Node | None) -> list[Node]:
        """The documents of a file."""
        if file not in self.parsed:
            self.result.files[file] = None
            text = self.tree.text(file)
            if text is None:
                fail(
                    f"there is no {file}", named_at or (file, 0, 0),
                    code="compose-file", hint="is it there, and committed?",
                )  # fmt: skip
            if not is_utf8(text):
                fail(f"not UTF-8 text: {file}", named_at or (file, 0, 0), code="compose-file")
            self.allowance.take_text(text, (file, 0, 0))
            self.parsed[file] = self.tree.documents(file, self.allowance)
        return self.parsed[file]

    def group(
        self, files: Sequence[str], base: str, folder: str, chain: tuple[str, ...],
        at: Node | None = None,
    ) -> list[str]:  # fmt: skip
        """The names of the services of files that are merged; paths count from ``folder``, other
        compose files from ``base``."""
        documents = [(file, root) for file in files for root in self.roots(file, at)]
        sections: dict[str, dict[str, Node]] = {name: {} for name in SECTIONS}
        for name, section in sections.items():
            for _, root in documents:
                section.update(_children(root, name))
        for file, root in documents:
            self.included(root, base, (*chain, file))
            for name, body in _children(root, "services").items():
                place = Place(file, folder, root, sections)
                service = self.result.services.setdefault(name, Service(name))
                service.folder = service.folder or folder
                self.service(service, body, place, base, 0)
        return list({name: None for _, root in documents for name in _children(root, "services")})

    def included(self, root: Node, base: str, chain: tuple[str, ...]) -> None:
        """The projects under ``include``."""
        for entry in _list(root.get("include")):
            path = entry if isinstance(entry.value, str) else entry.get("path")
            names = [item.text() for item in ([path] if path and path.text() else _list(path))]
            files = [joined(base, name) for name in names if _local(name)]
            if not files or files[0] in chain or len(chain) > DEEPEST:
                continue
            own = entry.get("project_directory")
            folder = joined(base, own.text()) if own else files[0].rpartition("/")[0]
            self.group(files, folder, folder, chain, path)

    def service(self, into: Service, body: Node, place: Place, base: str, depth: int) -> None:
        """A service, with what it extends below it."""
        extends = body.get("extends")
        if extends is not None and depth < DEEPEST:
            for node, other in self.extended(extends, place, base):
                self.service(into, node, other, other.folder, depth + 1)
        add(into, body, place)

    def extended(self, extends: Node, place: Place, base: str) -> Iterator[tuple[Node, Place]]:
        """The service that ``extends`` names, here or in another file."""
        target = extends if isinstance(extends.value, str) else extends.get("service")
        file = extends.get("file")
        roots, other = [place.root], place
        if file is not None and file.text() and _local(file.text()):
            path = joined(base, file.text())
            roots = self.roots(path, file)
            other = Place(path, path.rpartition("/")[0], place.root, place.sections)
        for root in roots:
            node = _children(root, "services").get(target.text() if target else "")
            if node is not None:
                yield node, Place(other.file, other.folder, root, other.sections)


def _children(root: Node, key: str) -> dict[str, Node]:
    found = root.get(key)
    return found.children() if found is not None else {}


def _list(node: Node | None) -> list[Node]:
    return node.items() if node is not None else []


def _local(name: str) -> bool:
    return "://" not in name and not name.startswith(("/", "~", "git@", "github.com/"))
