"""The files of commits, read through one ``git cat-file --batch`` without a working tree.

Source: git-cat-file(1), "BATCH OUTPUT".
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping

from tidegate.errors import InfrastructureError
from tidegate.repo import tree
from tidegate.repo.diff import decoded

ENDED = "git cat-file ended before it had answered"
AT_ONCE = 32_768  # bytes of questions that a pipe takes (pipe(7)) while nobody reads the answers


class Objects:
    """A running git that gives objects by ``commit:path``; close it in the end."""

    def __init__(self, directory: str, environment: Mapping[str, str]) -> None:
        try:
            self._git = subprocess.Popen(
                ("git", "cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=directory,
                env=environment,
            )
        except FileNotFoundError:
            from tidegate.edges.process import missing_program  # 3 ms, for this only

            raise missing_program("git") from None

    def at(self, commit: str) -> CommitTree:
        """The files of one commit; "" is a commit without any."""
        return CommitTree(self, commit)

    def ask(self, names: list[str]) -> list[tuple[str, bytes]]:
        """The kind and the content of each object; the kind is "" where there is none."""
        assert self._git.stdin is not None
        found: list[tuple[str, bytes]] = []
        asked = size = 0
        for name in names:
            line = f"{name}\n".encode("utf-8", "surrogateescape")
            if size + len(line) > AT_ONCE:
                found += self._answers(asked)
                asked = size = 0
            self._git.stdin.write(line)
            asked, size = asked + 1, size + len(line)
        return found + self._answers(asked)

    def _answers(self, count: int) -> list[tuple[str, bytes]]:
        assert self._git.stdin is not None
        try:
            self._git.stdin.flush()
        except BrokenPipeError:
            raise unreadable(ENDED) from None
        return [self._answer() for _ in range(count)]

    def _answer(self) -> tuple[str, bytes]:
        assert self._git.stdout is not None
        line = self._git.stdout.readline()
        if not line:
            raise unreadable(ENDED)
        words = line.split(b" ")
        if len(words) != 3 or not words[2].strip().isdigit():
            return "", b""  # "… missing"; "… submodule"
        content = self._git.stdout.read(int(words[2]) + 1)
        return words[1].decode(), content[:-1]

    def close(self) -> None:
        """End it."""
        try:
            self._git.communicate()
        except BrokenPipeError:
            self._git.wait()


class CommitTree:
    """The files of one commit: a ``tree.Tree``. Each is asked for once."""

    def __init__(self, objects: Objects, commit: str) -> None:
        self._objects = objects
        self._commit = commit
        self._known: dict[str, tuple[str, bytes]] = {}
        self._folders: dict[str, dict[str, str]] = {}

    def fetch(self, paths: Iterable[str]) -> None:
        """Read these at once."""
        asked = [path for path in dict.fromkeys(paths) if path not in self._known]
        for path in asked:
            self._known[path] = "", b""
        # a line feed cannot be asked for, and ".." leads out of the repository
        asked = [path for path in asked if "\n" not in path and not path.startswith("..")]
        if self._commit and asked:
            found = self._objects.ask([f"{self._commit}:{path}" for path in asked])
            self._known.update(zip(asked, found, strict=True))

    def text(self, path: str) -> str | None:
        """A file's text, for which every byte is kept."""
        kind, content = self._object(path)
        return decoded(content) if kind == "blob" else None

    def names(self, path: str) -> Mapping[str, str]:
        """What a folder holds."""
        if path not in self._folders:
            kind, content = self._object(path)
            found = tree.parse(content, len(self._commit) // 2) if kind == "tree" else {}
            self._folders[path] = found
        return self._folders[path]

    def _object(self, path: str) -> tuple[str, bytes]:
        """An object; git says "missing" of a broken one, too, but its folder names it."""
        self.fetch([path])
        kind, content = self._known[path]
        if not kind and path and not path.startswith(".."):
            folder, _, name = path.rpartition("/")
            mode = self.names(folder).get(name, "")
            if mode and not tree.is_submodule(mode):
                raise unreadable(f"git cannot read {path} of {self._commit[:7]}")
        return kind, content


def unreadable(what: str) -> InfrastructureError:
    """A file that cannot be read is not one that is not there."""
    return InfrastructureError(what, code="git", hint="git fsck says what else is broken")
