"""Which commit a release is made from, and whether the working tree differs from it.

Source: git-status(1), porcelain format v2 with ``--branch`` (git 2.11 and newer): header lines
``# branch.oid <commit>|(initial)`` and ``# branch.head <name>|(detached)``, then one line for
each path that differs.
"""

from __future__ import annotations

from dataclasses import dataclass

STATUS = ("git", "status", "--porcelain=v2", "--branch", "--untracked-files=normal")
SUBJECT = ("git", "log", "-1", "--format=%s")
MAKERS = ("git", "log", "-1", "--format=%ae%n%ce")
MAIL = ("git", "config", "user.email")
SHORT = 7


@dataclass(frozen=True, slots=True)
class Revision:
    """A commit ("" outside of git), its branch ("" when detached), and paths that differ."""

    commit: str = ""
    branch: str = ""
    changed: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """Short text for people: ``4da4d90``, with ``+`` when the tree differs."""
        dirty = "+" if self.changed else ""
        return f"{self.commit[:SHORT]}{dirty}" if self.commit else ""


def revision(status: str) -> Revision:
    """Read the output of ``STATUS``."""
    headers: dict[str, str] = {}
    changed = []
    for line in status.splitlines():
        if line.startswith("# "):
            name, _, value = line[2:].partition(" ")
            headers[name] = value
        elif line:
            changed.append(_path(line))
    commit = headers.get("branch.oid", "")
    branch = headers.get("branch.head", "")
    return Revision(
        commit="" if commit == "(initial)" else commit,
        branch="" if branch == "(detached)" else branch,
        changed=tuple(changed),
    )


def _path(line: str) -> str:
    """The path of an entry: 8 fields before it for ``1``, 9 for ``2``, 10 for ``u``, 1 else."""
    fields = {"1": 8, "2": 9, "u": 10}.get(line[0], 1)
    return line.split(" ", fields)[-1].partition("\t")[0]
