"""Keeps releases on the branch ``releases`` of a repository, whoever else does at the same time.

Nothing here touches the working tree, the index or the branch that is checked out. Branch and
tag move together or not at all: ``git push --atomic`` to the remote, one transaction of
``git update-ref`` where there is none. Whoever comes second builds on what came first.
Sources: git-push(1), git-update-ref(1), git-read-tree(1).
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from tidegate.edges.process import Command, Completed, run
from tidegate.errors import InfrastructureError, InputError
from tidegate.repo import releases
from tidegate.repo.releases import BRANCH, Entry

ATTEMPTS = 30
UNMOVED = 3  # refusals in a row that nobody else's release explains
LONGEST_S = 2.0
AUTHOR = {
    "GIT_AUTHOR_NAME": "Tidegate", "GIT_COMMITTER_NAME": "Tidegate",
    "GIT_AUTHOR_EMAIL": "tidegate@localhost", "GIT_COMMITTER_EMAIL": "tidegate@localhost",
}  # fmt: skip

# Files of a release by their paths, from those that the released commit has.
Files = Callable[[Callable[[str], bytes]], Mapping[str, bytes]]


class Releases:
    """The branch of the repository that a folder is in, at a remote or, with "", only here."""

    def __init__(self, root: str, remote: str = "") -> None:
        self._root = root
        self._remote = remote
        self.prefix = self._said("rev-parse", "--show-prefix", code="not-a-repository").strip()
        self.ref = f"refs/remotes/{remote}/{BRANCH}" if remote else f"refs/heads/{BRANCH}"

    def entries(self) -> list[Entry]:
        """Every release that this repository knows, the newest first."""
        done = self._git(*releases.log_command(self.ref)[1:])
        return releases.parse_log(done.stdout) if done.returncode == 0 else []

    def fetch(self) -> None:
        """Learn of the releases that others have made."""
        if not self._remote:
            return
        if not self._said("ls-remote", self._remote, f"refs/heads/{BRANCH}"):
            self._git("update-ref", "-d", self.ref)
            return
        spec = f"+refs/heads/{BRANCH}:{self.ref}"
        self._said("fetch", "--quiet", "--no-tags", self._remote, spec)

    def file(self, commit: str, path: str) -> bytes:
        """A file of a commit, its path from the project's folder; b"" where there is none."""
        done = self._git("cat-file", "blob", f"{commit}:{self.prefix}{path}")
        return done.stdout if done.returncode == 0 else b""

    def tree(self, commit: str) -> str:
        """The id of the project's folder in a commit."""
        return self._said("rev-parse", f"{commit}:{self.prefix}").strip()

    def includes(self, newer: str, older: str) -> bool:
        """Whether a commit has another one behind it, or is it."""
        return self._git("merge-base", "--is-ancestor", older, newer).returncode == 0

    def count(self, before: str, after: str) -> int:
        """How many commits a commit has behind it that another one has not."""
        return int(self._said("rev-list", "--count", f"{before}..{after}"))

    def publish(
        self, commit: str, digest: str, files: Files, accept: Callable[[Entry | None], bool]
    ) -> Entry | None:
        """Put a release on the branch; ``accept`` is asked what it comes after, and may say no.

        Returns what was published, or None.
        """
        unmoved = 0
        for attempt in range(ATTEMPTS):
            self.fetch()
            head = self._head()
            known = self.entries()
            if not accept(known[0] if known else None):
                return None
            entry = self._commit(head, Entry("", digest, commit, self._free_tag()), files)
            done = self._move(head, entry)
            if done.returncode == 0:
                return entry
            self.fetch()
            unmoved = unmoved + 1 if self._head() == head else 0
            if unmoved == UNMOVED:
                raise self._refused(done)
            time.sleep(random.uniform(0, min(LONGEST_S, 0.05 * 2**attempt)))  # noqa: S311
        raise InfrastructureError(
            f"{BRANCH} moved {ATTEMPTS} times while this release was made", code="release-race",
            hint="run it again",
        )  # fmt: skip

    def _head(self) -> str:
        return self._git("rev-parse", "--verify", "--quiet", self.ref).text.strip()

    def _free_tag(self) -> str:
        """The time, or the next second that has no tag yet, here or at the remote."""
        taken = self._said("tag", "--list").split()
        if self._remote:
            lines = self._said("ls-remote", "--tags", self._remote).split("\n")
            taken += [line.rpartition("/")[2] for line in lines]
        at = time.time()
        while releases.stamp(at) in taken:
            at += 1
        return releases.stamp(at)

    def _commit(self, head: str, entry: Entry, files: Files) -> Entry:
        """The commit of a release; nothing leads to it yet."""
        with tempfile.TemporaryDirectory(prefix="tidegate-release-") as folder:
            env = {"GIT_INDEX_FILE": str(Path(folder, "index"))}
            self._said("read-tree", entry.commit, env=env)
            for path, content in files(lambda name: self.file(entry.commit, name)).items():
                blob = self._said("hash-object", "-w", "--stdin", stdin=content).strip()
                named = f"100644,{blob},{self.prefix}{path}"
                self._said("update-index", "--add", "--cacheinfo", named, env=env)
            tree = self._said("write-tree", env=env).strip()
        subject = self._said("log", "-1", "--format=%s", entry.commit).strip()
        parents = [word for one in (head, entry.commit) if one for word in ("-p", one)]
        text = releases.message(entry, subject).encode()
        oid = self._said("commit-tree", tree, *parents, stdin=text, env=self._author()).strip()
        return entry._replace(oid=oid)

    def _author(self) -> dict[str, str]:
        """Somebody for git to name, where nobody was configured, as on a CI runner."""
        return {} if self._git("var", "GIT_COMMITTER_IDENT").returncode == 0 else AUTHOR

    def _move(self, head: str, entry: Entry) -> Completed:
        """Branch and tag at once, if the branch is still where it was."""
        tag = f"refs/tags/{entry.tag}"
        if self._remote:
            done = self._git(
                "push", "--atomic", "--porcelain", f"--force-with-lease=refs/heads/{BRANCH}:{head}",
                self._remote, f"{entry.oid}:refs/heads/{BRANCH}", f"{entry.oid}:{tag}",
            )  # fmt: skip
            if done.returncode == 0:
                self._git("update-ref", tag, entry.oid)
            return done
        moved = (
            f"update {self.ref} {entry.oid} {head}" if head else f"create {self.ref} {entry.oid}"
        )
        lines = ("start", moved, f"create {tag} {entry.oid}", "prepare", "commit", "")
        return self._git("update-ref", "--stdin", stdin="\n".join(lines).encode())

    def _refused(self, done: Completed) -> InfrastructureError:
        lines = tuple(done.complaint.splitlines()[-10:])
        place = f"{self._remote} does not take the release" if self._remote else "git refuses it"
        return InfrastructureError(
            f"{place}: {lines[-1] if lines else 'no words'}",
            code="release-push",
            hint=f"may you push to {BRANCH} and make tags there?",
            log=lines,
        )

    def _git(
        self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None
    ) -> Completed:
        quiet = {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0", **(env or {})}
        return run(Command(("git", *words), stdin=stdin), cwd=self._root, env=quiet)

    def _said(
        self, *words: str, stdin: bytes = b"", env: Mapping[str, str] | None = None,
        code: str = "git",
    ) -> str:  # fmt: skip
        """What git says; an error with its last word where it fails."""
        done = self._git(*words, stdin=stdin, env=env)
        if done.returncode == 0:
            return os.fsdecode(done.stdout)
        last = (done.complaint.splitlines() or ["no words"])[-1]
        if code == "not-a-repository":
            raise InputError(
                "a release is made of a commit, and this folder is in no git repository",
                code=code,
                hint="git init, and commit what is here",
            )
        raise InfrastructureError(f"git {words[0]}: {last}", code=code)


def remote(root: str, named: str) -> str:
    """The remote to publish at: the one that was named, else origin, else "" for none."""
    done = run(Command(("git", "remote")), cwd=root)
    known = done.text.split() if done.returncode == 0 else []
    if named and named not in known:
        raise InputError(
            f"there is no remote {named!r}",
            code="unknown-remote",
            hint=f"there are: {', '.join(known) or 'none'}",
        )
    return named or ("origin" if "origin" in known else "")
