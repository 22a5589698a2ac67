"""The files of commits, read through one ``git cat-file --batch`` without a working tree.

Source: git-cat-file(1), "BATCH OUTPUT".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tidegate.compose.files import Allowance
from tidegate.compose.nodes import Node
from tidegate.edges import parsed
from tidegate.edges.spawn import Git
from tidegate.errors import InfrastructureError
from tidegate.repo import tree
from tidegate.repo.diff import decoded
from tidegate.shapes import Row

ENDED = "git cat-file ended before it had answered"
AT_ONCE = 32_768  # bytes of questions that a pipe takes (pipe(7)) while nobody reads the answers


class Found(Row):
    """An object: ``kind`` is blob, tree and so on, "" where there is none."""

    kind: str
    content: bytes
    oid: str


NOTHING = Found("", b"", "")


class Objects:
    """A running git that gives objects by ``commit:path``; close it in the end."""

    def __init__(self, directory: str, environment: Mapping[str, str]) -> None:
        self._git = Git(("cat-file", "--batch"), directory, environment)
        self._read = bytearray()

    def at(self, commit: str) -> CommitTree:
        """The files of one commit; "" is a commit without any."""
        return CommitTree(self, commit)

    def ask(self, names: list[str]) -> list[Found]:
        """Each object."""
        found: list[Found] = []
        asked: list[bytes] = []
        size = 0
        for name in names:
            line = f"{name}\n".encode("utf-8", "surrogateescape")
            if size + len(line) > AT_ONCE:
                found += self._answers(asked)
                asked, size = [], 0
            asked.append(line)
            size += len(line)
        return found + self._answers(asked)

    def _answers(self, asked: list[bytes]) -> list[Found]:
        try:
            self._git.write(b"".join(asked))
        except BrokenPipeError:
            raise unreadable(ENDED) from None
        return [self._answer() for _ in asked]

    def _answer(self) -> Found:
        while (end := self._read.find(b"\n")) < 0:
            self._more()
        words = self._taken(end + 1).split(b" ")
        if len(words) != 3 or not words[2].strip().isdigit():
            return NOTHING  # "… missing"; "… submodule"
        size = int(words[2]) + 1
        while len(self._read) < size:
            self._more()
        return Found(words[1].decode(), self._taken(size)[:-1], words[0].decode())

    def _more(self) -> None:
        content = self._git.read()
        if not content:
            raise unreadable(ENDED)
        self._read += content

    def _taken(self, count: int) -> bytes:
        taken = bytes(self._read[:count])
        del self._read[:count]
        return taken

    def close(self) -> None:
        """End it."""
        self._git.close()


class CommitTree:
    """The files of one commit: a ``tree.Tree``. Each is asked for once."""

    def __init__(self, objects: Objects, commit: str) -> None:
        self._objects = objects
        self._commit = commit
        self._known: dict[str, Found] = {}
        self._folders: dict[str, dict[str, str]] = {}

    def fetch(self, paths: Iterable[str]) -> None:
        """Read these at once."""
        asked = [path for path in dict.fromkeys(paths) if path not in self._known]
        for path in asked:
            self._known[path] = NOTHING
        # a line feed cannot be asked for, and ".." leads out of the repository
        asked = [path for path in asked if "\n" not in path and not path.startswith("..")]
        if self._commit and asked:
            found = self._objects.ask([f"{self._commit}:{path}" for path in asked])
            self._known.update(zip(asked, found, strict=True))

    def text(self, path: str) -> str | None:
        """A file's text, for which every byte is kept."""
        found = self._object(path)
        return decoded(found.content) if found.kind == "blob" else None

    def documents(self, path: str, allowance: Allowance) -> list[Node]:
        """The YAML documents of a file."""
        found = self._object(path)
        return parsed.roots(decoded(found.content), path, found.oid, allowance)

    def names(self, path: str) -> Mapping[str, str]:
        """What a folder holds."""
        if path not in self._folders:
            found = self._object(path)
            is_tree = found.kind == "tree"
            oid_bytes = len(self._commit) // 2
            self._folders[path] = tree.parse(found.content, oid_bytes) if is_tree else {}
        return self._folders[path]

    def _object(self, path: str) -> Found:
        """An object; git says "missing" of a broken one, too, but its folder names it."""
        self.fetch([path])
        found = self._known[path]
        if not found.kind and path and not path.startswith(".."):
            folder, _, name = path.rpartition("/")
            mode = self.names(folder).get(name, "")
            if mode and not tree.is_submodule(mode):
                raise unreadable(f"git cannot read {path} of {self._commit[:7]}")
        return found


def unreadable(what: str) -> InfrastructureError:
    """A file that cannot be read is not one that is not there."""
    return InfrastructureError(what, code="git", hint="git fsck says what else is broken")
