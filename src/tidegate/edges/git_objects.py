"""The files of commits, read through one ``git cat-file --batch`` without a working tree.

Questions are put long before their answers are wanted, so git reads while Python works.
Source: git-cat-file(1), "BATCH OUTPUT".
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

from tidegate.edges.spawn import Git
from tidegate.errors import InfrastructureError
from tidegate.repo import tree
from tidegate.repo.diff import decoded
from tidegate.shapes import Row

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    from tidegate.compose.files import Allowance
    from tidegate.compose.nodes import Node

ENDED = "git cat-file ended before it had answered"
AT_ONCE = 32_768  # bytes of questions without an answer: a pipe takes them (pipe(7)), and no more


class Found(Row):
    """An object: ``kind`` is blob, tree and so on, "" where there is none."""

    kind: str
    content: bytes
    oid: str


NOTHING = Found("", b"", "")
Answers: TypeAlias = "dict[str, Found | None]"  # None: asked for, not yet answered
# By path: the kind of object, its id, and the names in a folder with their modes.
Reads: TypeAlias = "dict[str, tuple[str, str, dict[str, str] | None]]"


class Objects:
    """A running git that gives objects by ``commit:path``; close it in the end."""

    def __init__(self, directory: str, environment: Mapping[str, str]) -> None:
        self._git = Git(("cat-file", "--batch"), directory, environment)
        self._read = bytearray()
        self._asked: deque[tuple[Answers, str, int]] = deque()
        self._unanswered = 0

    def at(self, commit: str) -> CommitTree:
        """The files of one commit; "" is a commit without any."""
        return CommitTree(self, commit)

    def ask(self, commit: str, paths: Iterable[str], answers: Answers) -> None:
        """Ask for objects by their paths; ``answer`` puts each into ``answers`` in this order."""
        lines: list[bytes] = []
        for path in paths:
            line = f"{commit}:{path}\n".encode("utf-8", "surrogateescape")
            if self._unanswered + len(line) > AT_ONCE:
                self._put(lines)
                while self._asked:
                    self.answer()
            lines.append(line)
            self._asked.append((answers, path, len(line)))
            self._unanswered += len(line)
        self._put(lines)

    def _put(self, lines: list[bytes]) -> None:
        try:
            self._git.write(b"".join(lines))
        except BrokenPipeError:
            raise unreadable(ENDED) from None
        lines.clear()

    def answer(self) -> None:
        """Wait for the next answer."""
        answers, path, size = self._asked.popleft()
        self._unanswered -= size
        answers[path] = self._answer()

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
        self._known: Answers = {}
        self._folders: dict[str, dict[str, str]] = {}

    def fetch(self, paths: Iterable[str]) -> None:
        """Ask for these, and wait for none."""
        asked = [path for path in dict.fromkeys(paths) if path not in self._known]
        for path in asked:
            # a line feed cannot be asked for, and ".." leads out of the repository
            able = self._commit and "\n" not in path and not path.startswith("..")
            self._known[path] = None if able else NOTHING
        self._objects.ask(
            self._commit, (path for path in asked if self._known[path] is None), self._known
        )

    def text(self, path: str) -> str | None:
        """A file's text, for which every byte is kept."""
        found = self._object(path)
        return decoded(found.content) if found.kind == "blob" else None

    def documents(self, path: str, allowance: Allowance) -> list[Node]:
        """The YAML documents of a file."""
        from tidegate.edges import parsed  # 5 ms, for who parses

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

    def reads(self) -> Reads:
        """What was read so far."""
        return {
            path: (found.kind, found.oid, self._folders.get(path))
            for path, found in self._known.items()
            if found is not None and (found.kind != "tree" or path in self._folders)
        }

    def holds(self, reads: Reads) -> bool:
        """Whether this commit has the same where another one was read.

        Of a folder only the names count, and their modes.
        """
        self.fetch(reads)
        for path, (kind, oid, names) in reads.items():
            found = self._object(path)
            if found.kind != kind or (
                found.oid != oid and (not names or self.names(path) != names)
            ):
                return False
        return True

    def _object(self, path: str) -> Found:
        """An object; git says "missing" of a broken one, too, but its folder names it."""
        self.fetch([path])
        while (found := self._known[path]) is None:
            self._objects.answer()
        if not found.kind and path and not path.startswith(".."):
            folder, _, name = path.rpartition("/")
            mode = self.names(folder).get(name, "")
            if mode and not tree.is_submodule(mode):
                raise unreadable(f"git cannot read {path} of {self._commit[:7]}")
        return found


def unreadable(what: str) -> InfrastructureError:
    """A file that cannot be read is not one that is not there."""
    return InfrastructureError(what, code="git", hint="git fsck says what else is broken")
