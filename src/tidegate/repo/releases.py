"""The branch ``releases``: a commit for each release, on top of the one before.

Such a commit has the whole tree of the commit that is released, with the release and its
``version.env`` beside it, and that commit as its second parent: whoever checks it out has all
that a deployment needs, and what it changed is what differs from its first parent. A tag of the
time when it was made leads to it.
Sources: git-commit-tree(1), git-interpret-trailers(1), git-push(1) for ``--porcelain``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from tidegate.config.nearest import nearest
from tidegate.errors import InputError
from tidegate.repo.diff import decoded

BRANCH = "releases"
SHORTEST = 6  # digits of a digest or a commit that name a release
_TRAILER = r"^Tidegate-(Release|Commit|Tag): (\S+)$"


class Entry(NamedTuple):
    """A release on the branch: its own commit, its digest, the commit it is of, its tag."""

    oid: str
    digest: str
    commit: str
    tag: str


def stamp(at: float) -> str:
    """The tag of a release that is made at a time (seconds since the epoch): in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%d-%H%M%S")


def message(entry: Entry, subject: str) -> str:
    """What the commit of a release says; its own id is not in it."""
    return (
        f"Release {entry.tag}: {subject}\n\nTidegate-Release: {entry.digest}\n"
        f"Tidegate-Commit: {entry.commit}\nTidegate-Tag: {entry.tag}\n"
    )


def log_command(ref: str) -> tuple[str, ...]:
    """The argv that lists the releases of a branch, the newest first."""
    return (
        *("git", "-c", "log.showSignature=false", "log", "-z", "--first-parent"),
        *("--format=%H%n%B", ref, "--"),
    )


def parse_log(raw: bytes) -> list[Entry]:
    """The output of ``log_command``; commits that are no releases are left out."""
    found = []
    for record in decoded(raw).split("\0"):
        oid, _, text = record.partition("\n")
        facts = dict(re.findall(_TRAILER, text, re.MULTILINE))
        if len(facts) == 3:
            found.append(Entry(oid, facts["Release"], facts["Commit"], facts["Tag"]))
    return found


def choose(entries: Sequence[Entry], name: str) -> Entry:
    """The release that a person means: a tag, the beginning of a digest or of a commit's id;
    "" is the newest, ``~1`` the one before."""
    if not entries:
        raise InputError(
            "there is no release yet", code="no-release", hint="tidegate release makes one"
        )
    steps = re.fullmatch(r"~(\d{1,4})", name)
    if not name or steps:
        back = int(steps[1]) if steps else 0
        if back < len(entries):
            return entries[back]
        several = f"are {len(entries)} releases" if len(entries) > 1 else "is only one release"
        raise InputError(
            f"there {several}, and none is {back} before the newest",
            code="unknown-release",
            hint="tidegate release makes one of a newer commit",
        )
    for entry in entries:
        if name == entry.tag:
            return entry
    digits = name.removeprefix("sha256:")
    if len(digits) >= SHORTEST:
        for entry in entries:
            known = (entry.digest.removeprefix("sha256:"), entry.commit, entry.oid)
            if any(one.startswith(digits) for one in known):
                return entry
    close = nearest(name, [entry.tag for entry in entries])
    raise InputError(
        f"there is no release {name!r}",
        code="unknown-release",
        hint=f"did you mean {close}?" if close else f"the newest is {entries[0].tag}",
    )
