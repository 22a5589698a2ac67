"""Relative paths become absolute ones, from the directory of the file that they stand in.

Windows paths stay as they are. Nothing here looks at a disk; the one symbolic link that docker
compose resolves (`develop.watch.path`) comes through the reader.
Source: https://github.com/compose-spec/compose-go/tree/v2.9.1/paths.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tidegate.compose.gopath import clean_path
from tidegate.compose.nodes import Node, Path, dotted, fail
from tidegate.shapes import record

_REMOTE = ("https://", "http://", "git://", "ssh://", "github.com/", "git@", "service:")
_WINDOWS = r"(?:.:[\\/]|[\\/]{2})"


@record(frozen=True, slots=True)
class Paths:
    """Where relative paths begin, what `~` is, and how symbolic links are followed."""

    directory: str
    home: str
    follow: Callable[[str], str]

    def absolute(self, text: str) -> str:
        """A path from here; an empty one stays empty."""
        text = self.expand(text)
        return text if text.startswith("/") or not text else join(self.directory, text)

    def expand(self, text: str) -> str:
        """`~` as the home directory, if there is one."""
        return join(self.home, text[1:]) if text.startswith("~") and self.home else text

    def unix(self, text: str) -> str:
        """As :meth:`absolute`, but Windows paths are absolute too."""
        text = self.expand(text)
        if text.startswith("/") or re.match(_WINDOWS, text, re.DOTALL):
            return text
        return join(self.directory, text)

    def context(self, text: str) -> str:
        """A build context: a directory, or something remote that stays as it is."""
        return text if "://" in text or text.startswith(_REMOTE) else self.absolute(text)

    def watched(self, text: str) -> str:
        """A watched path, with its first symbolic link resolved."""
        return self.follow(self.absolute(text))

    def resolve(self, root: Node) -> None:
        """Make every path of a project absolute, in place."""
        for name, service in _children(root, "services"):
            self._service(service, ("services", name))
        for kind in ("configs", "secrets"):
            for _, entry in _children(root, kind):
                _change(entry, "file", self.unix)
        for _, volume in _children(root, "volumes"):
            options = volume.get("driver_opts")
            driver = volume.get("driver")
            if driver and driver.value == "local" and options:
                option = options.get("o")
                if option and option.value == "bind":
                    _change(options, "device", self.unix)

    def _service(self, service: Node, path: Path) -> None:
        build = service.get("build")
        if build:
            _change(build, "context", self.context)
            _change_all(build.get("additional_contexts"), self.context)
            _change_all(build.get("ssh"), self.unix)
        for entry in _items(service, "env_file"):
            _change(entry, "path", self.absolute)
        _change_all(service.get("label_file"), self.absolute)
        extends = service.get("extends")
        if extends:
            _change(extends, "file", self.absolute)
        develop = service.get("develop")
        for trigger in _items(develop, "watch") if develop else ():
            _change(trigger, "path", self.watched)
        for position, volume in enumerate(_items(service, "volumes")):
            kind = volume.get("type")
            if kind is None or kind.value != "bind":
                continue
            if volume.get("source") is None:
                fail(
                    f"{dotted((*path, 'volumes', position))}: a bind mount needs a source",
                    volume,
                    code="compose-missing",
                )
            _change(volume, "source", self.unix)


def join(directory: str, path: str) -> str:
    """Two paths as one, cleaned, as Go's filepath.Join."""
    return clean_path(f"{directory}/{path}") if directory else clean_path(path)


def _children(root: Node, kind: str) -> Iterator[tuple[str, Node]]:
    section = root.get(kind)
    if section is not None:
        yield from section.children().items()


def _items(node: Node, key: str) -> list[Node]:
    found = node.get(key)
    return found.items() if found else []


def _change(node: Node, key: str, change: Callable[[str], str]) -> None:
    found = node.get(key)
    if found is not None and isinstance(found.value, str):
        found.value = change(found.value)


def _change_all(node: Node | None, change: Callable[[str], str]) -> None:
    for child in [] if node is None else [*node.children().values(), *node.items()]:
        if isinstance(child.value, str):
            child.value = change(child.value)
