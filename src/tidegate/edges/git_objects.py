"""The files of commits, read through one ``git cat-file --batch`` without a working tree.

Source: git-cat-file(1), "BATCH OUTPUT".
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping

from tidegate.repo import tree
from tidegate.repo.diff import decoded

AT_ONCE = 500  # so many questions fit into a pipe while nobody reads the answers


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
        found = []
        for begin in range(0, len(names), AT_ONCE):
            asked = names[begin : begin + AT_ONCE]
            lines = "".join(f"{name}\n" for name in asked)
            self._git.stdin.write(lines.encode("utf-8", "surrogateescape"))
            self._git.stdin.flush()
            found += [self._answer() for _ in asked]
        return found

    def _answer(self) -> tuple[str, bytes]:
        assert self._git.stdout is not None
        words = self._git.stdout.readline().split(b" ")
        if len(words) != 3 or not words[2].strip().isdigit():
            return "", b""  # "… missing"; "… submodule"
        content = self._git.stdout.read(int(words[2]) + 1)
        return words[1].decode(), content[:-1]

    def close(self) -> None:
        """End it."""
        self._git.communicate()


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
        self.fetch([path])
        kind, content = self._known[path]
        return decoded(content) if kind == "blob" else None

    def names(self, path: str) -> Mapping[str, str]:
        """What a folder holds."""
        if path not in self._folders:
            self.fetch([path])
            kind, content = self._known[path]
            found = tree.parse(content, len(self._commit) // 2) if kind == "tree" else {}
            self._folders[path] = found
        return self._folders[path]
