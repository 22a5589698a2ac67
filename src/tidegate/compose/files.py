"""What the loader needs to know of files: a reader, named texts, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidegate.compose.nodes import Mark, Node, fail
from tidegate.compose.paths import join
from tidegate.compose.variables import Lookup, VariableError
from tidegate.shapes import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol
else:
    Protocol = object

_REMOTE = ("oci://", "https://", "http://", "ssh://", "git://", "git@", "github.com/")


MAX_FILES = 500
MAX_VALUES = 60_000
LONG_VALUES = 4  # of the long form of a volume, a port or a dependency
SERVICE_VALUES = 20  # what a service counts at least, however little it says
MAX_TEXT = 2_000_000


@record(slots=True)
class Allowance:
    """What one project may use up: files, values and characters, with all that they turn into.

    docker compose bounds only aliases; without bounds a short file could ask for all memory.
    """

    files: int = MAX_FILES
    values: int = MAX_VALUES
    text: int = MAX_TEXT

    def take_file(self, at: Mark | None) -> None:
        """One more compose file."""
        self.files -= 1
        if self.files < 0:
            fail(f"more than {MAX_FILES} files", at, code="compose-too-large")

    def take_values(self, count: int, at: Node | Mark | None) -> None:
        """So many more values."""
        self.values -= count
        if self.values < 0:
            fail(
                f"more than {MAX_VALUES} values, also from aliases, extends and env files",
                at,
                code="compose-too-large",
                hint=f"split the project; each service counts at least {SERVICE_VALUES}",
            )

    def take_text(self, text: str, at: Mark | None) -> None:
        """One more file's text."""
        self.text -= len(text)
        if self.text < 0:
            fail(f"more than {MAX_TEXT} characters in all", at, code="compose-too-large")

    def lookup(self, find: Lookup) -> Lookup:
        """As ``find``; what it finds counts as text."""

        def found(name: str) -> str | None:
            value = find(name)
            self.text -= len(value or "")
            if self.text < 0:
                raise VariableError(f"more than {MAX_TEXT} characters in all, with the variables")
            return value

        return found


class Reader(Protocol):
    """The files that compose files may name; paths are absolute."""

    def absolute(self, path: str) -> str:
        """A path of the caller's as an absolute one."""

    def read(self, path: str) -> str:
        """A file's text. OSError or UnicodeDecodeError where there is none."""

    def is_file(self, path: str) -> bool:
        """Whether there is something to read."""

    def is_dir(self, path: str) -> bool:
        """Whether the path is a directory."""

    def follow(self, path: str) -> str:
        """The path with its first symbolic link resolved."""


@record(frozen=True, slots=True)
class Source:
    """A compose file that is already read; `name` is what errors call it."""

    name: str
    text: str


@record(frozen=True, slots=True)
class Scope:
    """Where a group of files stands: `base` for the files it names, `directory` for all else."""

    base: str
    directory: str
    environment: Mapping[str, str]
    included: tuple[str, ...] = ()
    chain: tuple[tuple[str, str], ...] = ()


def parent(path: str) -> str:
    """The directory of a path."""
    return join(path.rpartition("/")[0] or "/", "")


def from_base(path: str, base: str) -> str:
    """A path, relative to a directory unless it is absolute."""
    return path if path.startswith("/") else join(base, path)


def local(item: Node, base: str) -> str:
    """The absolute path of a file that a compose file names."""
    name = item.text()
    if name.startswith(_REMOTE):
        fail(
            f"{name}: compose files from elsewhere are not loaded",
            item,
            code="compose-remote",
            hint="put a copy of the file into the repository",
        )
    return from_base(name, base)


def discard(root: Node, paths: Sequence[tuple[str, ...]]) -> None:
    """Remove what `!reset` and `!override` name."""
    for path in paths:
        node: Node | None = root
        for part in path[:-1]:
            node = node.get(part) if node is not None else None
        if node is not None and path:
            node.children().pop(path[-1], None)
