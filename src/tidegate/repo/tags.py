"""What an image of a commit is called: aliases only, as the digest decides what runs.

Any commit: its branch and ``sha-<short>``. A tagged one: its version. The default branch:
``latest`` and the time of the commit, so that the same commit has the same tags everywhere.
Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#pulling-manifests
(the form of a tag), https://semver.org (versions).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

COMMIT = ("git", "log", "-1", "--format=%H %ct")
VERSIONS = ("git", "tag", "--points-at", "HEAD")
DEFAULT = ("git", "symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD")
USUAL = ("main", "master")
LONGEST = 128
SHORT = 7
_VERSION = re.compile(r"v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)(?:\+[0-9A-Za-z.-]+)?")


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, when it was made (seconds since the epoch), its branch ("" where there is none),
    the git tags that point at it, and the branch that others start from."""

    oid: str
    at: int
    branch: str = ""
    versions: tuple[str, ...] = ()
    default: str = ""

    @property
    def stamp(self) -> str:
        """``20261121-235959``, in UTC."""
        return datetime.fromtimestamp(self.at, UTC).strftime("%Y%m%d-%H%M%S")

    @property
    def on_default(self) -> bool:
        """Whether its branch is the default one; nobody knows a better one than main or master."""
        return bool(self.branch) and self.branch in ((self.default,) if self.default else USUAL)


def tags(commit: Commit) -> tuple[str, ...]:
    """All tags, the most exact one first."""
    found = [f"sha-{commit.oid[:SHORT]}", *versions(commit.versions)]
    if commit.branch:
        found.append(cleaned(commit.branch))
    if commit.on_default:
        found += [commit.stamp, "latest"]
    return tuple(dict.fromkeys(found))


def versions(names: Iterable[str]) -> list[str]:
    """Semantic versions among git tags, without ``v`` and build data."""
    return sorted(match[1] for name in names if (match := _VERSION.fullmatch(name)))


def cleaned(branch: str) -> str:
    """A branch as a tag: ``feature/login`` is ``feature-login``."""
    text = re.sub(r"[^A-Za-z0-9_.-]+", "-", branch)[:LONGEST].lstrip(".-")
    return text or "branch"


def commit(told: str, branch: str, points: str, default: str) -> Commit:
    """From what git says to ``COMMIT``, ``VERSIONS`` and ``DEFAULT``."""
    oid, _, at = told.strip().partition(" ")
    start = default.strip().partition("/")[2]
    return Commit(oid, int(at or 0), branch, tuple(points.split()), start)
