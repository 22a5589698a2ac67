"""A git repository: finds a range of commits, and asks git about it without waiting.

Repository paths are those of git, from the top of the repository; a project may be below it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from tidegate.edges.spawn import Git
from tidegate.errors import InfrastructureError, InputError
from tidegate.repo import revisions
from tidegate.repo.revisions import Range, Written

TYPE_CHECKING = False
if TYPE_CHECKING:
    from tidegate.edges.git_objects import Objects

GONE = "the base is in nobody's history any more (a push that rewrote it), so everything counts"
FIRST = "the history begins here, so everything counts"
NONE = "no base was given, so everything counts"


class Answer:
    """A git that runs; ``bytes`` waits for what it says."""

    def __init__(self, argv: tuple[str, ...], directory: str, env: Mapping[str, str]) -> None:
        self._argv = argv
        self._git = Git(argv[1:], directory, env)

    def wait(self) -> tuple[int, bytes, str]:
        """Its exit status, its output, and its last word."""
        return self._git.wait()

    def close(self) -> None:
        """End it, where nobody waited for its answer."""
        self._git.close()

    def bytes(self) -> bytes:
        """Its output; ``InfrastructureError`` with its last word where it failed."""
        status, out, complaint = self.wait()
        if status:
            what = f"git {self._argv[1]}: {complaint or f'exit status {status}'}"
            raise InfrastructureError(what, code="git")
        return out


class Repository:
    """The repository that a directory is in."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._env = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}

    def begin(self, argv: tuple[str, ...]) -> Answer:
        """Start a command."""
        return Answer(argv, self.directory, self._env)

    def objects(self) -> Objects:
        """The files of its commits."""
        from tidegate.edges.git_objects import Objects  # imports what reads YAML

        return Objects(self.directory, self._env)

    def look_up(self, wanted: Written) -> Answer:
        """Let git look for the commits that a person means."""
        asked = [f"{name}^{{commit}}" for name in (wanted.head, wanted.base) if name]
        return self.begin(("git", "rev-parse", "--show-prefix", "--is-shallow-repository", *asked))

    def range(self, wanted: Written, answer: Answer) -> Range:
        """The commits, by the answer of ``look_up``; ``InputError`` says what is not there."""
        status, out, complaint = answer.wait()
        lines = os.fsdecode(out).split("\n")
        if status:
            return self._diagnosed(wanted, lines, complaint)
        head, base = lines[2], lines[3] if wanted.base else ""
        if wanted.fork:
            base = self._fork(wanted, base, head)
        return Range(base, head, lines[0], "" if base else NONE)

    def _fork(self, wanted: Written, base: str, head: str) -> str:
        status, out, _ = self.begin(("git", "merge-base", base, head)).wait()
        if status:
            raise InputError(
                f"{wanted.base} and {wanted.head} have no common commit here",
                code="base-missing",
                hint="git fetch --unshallow --tags, where the clone is shallow",
            )
        return out.decode().strip()

    def _diagnosed(self, wanted: Written, lines: list[str], complaint: str) -> Range:
        """Why git does not know a range; a base that cannot exist is none."""
        if len(lines) < 2:
            raise InputError(
                f"this is no git repository that can be read: {complaint}",
                code="not-a-repository",
                hint="change to the project's folder",
            )
        head = self._commit(wanted.head)
        if not head and self._named(wanted.head):
            raise InfrastructureError(
                f"git cannot read the commit that {wanted.head} is",
                code="git",
                hint="git fsck says what else is broken",
            )
        if not head and wanted.head == "HEAD":
            raise InputError("there is no commit yet", code="no-commit", hint="git commit")
        if not head:
            raise _unknown(wanted.head)
        shallow, base = lines[1] == "true", wanted.base
        if shallow:
            raise _shallow(base)
        if revisions.is_full_id(base):
            return Range("", head, lines[0], GONE)
        if self._commit(revisions.descendant(base)):
            return Range("", head, lines[0], FIRST)
        raise _unknown(base)

    def _commit(self, name: str) -> str:
        """The full id of a commit, or "" where there is none of that name."""
        return self._named(f"{name}^{{commit}}") if name else ""

    def _named(self, name: str) -> str:
        """What a name stands for, were it gone or not."""
        argv = ("git", "rev-parse", "--verify", "--quiet", name)
        return self.begin(argv).wait()[1].decode().strip()


def _unknown(name: str) -> InputError:
    return InputError(
        f"there is no commit {name!r} here", code="unknown-commit",
        hint=f"git fetch origin {name}, if it is a branch or tag of the remote",
    )  # fmt: skip


def _shallow(base: str) -> InputError:
    """What is typed to get the base; the command line must not guess in its place."""
    fetch = f"git fetch --depth=1 origin {base}"
    if not revisions.is_full_id(base):
        fetch = "git fetch --deepen=1" if base in ("HEAD^", "HEAD^1", "HEAD~1") else (
            "git fetch --unshallow --tags"
        )  # fmt: skip
    return InputError(
        f"the clone is shallow, and {base} is not in it",
        code="base-missing",
        hint=f"{fetch} (actions/checkout: fetch-depth: 0)",
    )
