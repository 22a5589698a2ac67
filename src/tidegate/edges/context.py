"""The digest of a build context: every path that counts, its kind, its mode, its bytes.

Only what the Dockerfile takes counts. Times do not, so a fresh clone has the same digest. An
unchanged context is recognised by names, sizes, modes and times alone, without reading it again;
that note is only trusted when every file was at rest for ``REST_S`` before it was made (a file
changed twice within one tick of the clock looks unchanged: https://git-scm.com/docs/racy-git).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from tidegate.edges.private_dir import cache_path, write_json
from tidegate.errors import InputError, Where
from tidegate.images import ignore
from tidegate.images.selection import Selection

REST_S = 2.0
GIT = ".git"
IGNORE_FILES = (".containerignore", ".dockerignore")
EVERYTHING = Selection([""])
Entry = tuple[str, os.stat_result]


def ignore_file(context: str, dockerfile: str) -> str:
    """The path of the ignore file that counts, or "": the Dockerfile's own one comes first."""
    own = [f"{dockerfile}{name}" for name in IGNORE_FILES if dockerfile]
    shared = [f"{context.rstrip('/')}/{name}" for name in IGNORE_FILES]
    return next((path for path in (*own, *shared) if os.path.isfile(path)), "")  # noqa: PTH113


def digest(
    context: str, dockerfile: str, where: Where | None, taken: Selection = EVERYTHING
) -> str:
    """64 hexadecimal digits; ``InputError`` when there is no such folder.

    ``taken`` are the paths that count; a link among them that leads to one that does not makes
    the whole context count, as a builder may follow it.
    """
    if not Path(context).is_dir():
        raise InputError(
            f"there is no folder {context}",
            code="build-context",
            where=where,
            hint="build.context is read from the compose file's own folder",
        )
    rules = _read(ignore_file(context, dockerfile))
    entries = _wanted(context, _Ignoring(rules), taken)
    if entries is None:
        entries = list(_entries(context, _Ignoring(rules), EVERYTHING))
    return _noted(context, f"{context}\0{dockerfile}\0{taken.name}", entries)


def files_digest(root: str, wanted: Selection) -> str:
    """The same of files below a folder, whatever its .dockerignore says, without git's own."""
    return _noted(root, f"{root}\0\0{wanted.name}", list(_entries(root, NOTHING, wanted)))


def paths(root: str, wanted: Selection) -> Iterator[str]:
    """The paths below a folder that are wanted."""
    return (path for path, _ in _entries(root, NOTHING, wanted) if wanted.takes(path))


def _noted(context: str, name: str, entries: list[Entry]) -> str:
    """The digest of some entries, from the note where nothing moved since it was made."""
    seen = _fingerprint(context, entries)
    note = cache_path("contexts") / hashlib.sha256(name.encode()).hexdigest()
    known = _known(note, seen)
    if known:
        return known
    found = _digest(context, entries)
    newest = max((max(s.st_mtime, s.st_ctime) for _, s in entries), default=0.0)
    if newest < time.time() - REST_S:
        write_json(note, {"seen": seen, "digest": found})
    return found


class _Ignoring:
    """What an ignore file leaves out, and whether it may take back what is below."""

    def __init__(self, rules: str) -> None:
        self.ignored = ignore.matcher(rules)
        self.takes_back = ignore.takes_back(rules)


NOTHING = _Ignoring("")


def _wanted(context: str, rules: _Ignoring, taken: Selection) -> list[Entry] | None:
    """The entries that are taken; None where a link among them leads to anything else."""
    root = os.path.realpath(context)
    found = []
    for path, facts in _entries(context, rules, taken):
        if stat.S_ISLNK(facts.st_mode):
            target = os.path.realpath(f"{context}/{path}")
            inside = target.startswith(f"{root}/")
            if inside and not taken.takes(target[len(root) + 1 :]):
                return None
        found.append((path, facts))
    return found


def _entries(context: str, rules: _Ignoring, taken: Selection, folder: str = "") -> Iterator[Entry]:
    """Paths relative to the context in a fixed order, folders before what they hold.

    git's own folder is no content: it differs from clone to clone of one commit.
    """
    with os.scandir(f"{context}/{folder}") as found:
        items = sorted((i for i in found if i.name != GIT), key=lambda item: item.name)
    for item in items:
        path = f"{folder}/{item.name}" if folder else item.name
        out = rules.ignored(path)
        is_folder = item.is_dir(follow_symlinks=False)
        on_the_way = item.is_symlink() and taken.enters(path)
        if not out and (taken.takes(path) or on_the_way):
            yield path, item.stat(follow_symlinks=False)
        if is_folder and (not out or rules.takes_back) and taken.enters(path):
            yield from _entries(context, rules, taken, path)


def _fingerprint(context: str, entries: list[Entry]) -> str:
    summary = hashlib.sha256(context.encode())
    for path, s in entries:
        facts = (s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)
        summary.update(f"{path}\0{facts}\n".encode(errors="surrogateescape"))
    return summary.hexdigest()


def _digest(context: str, entries: list[Entry]) -> str:
    summary = hashlib.sha256()
    for path, found in entries:
        kind, content = "other", ""
        if stat.S_ISREG(found.st_mode):
            with open(f"{context}/{path}", "rb") as file:  # noqa: PTH123
                kind, content = "file", hashlib.file_digest(file, "sha256").hexdigest()
        elif stat.S_ISLNK(found.st_mode):
            kind, content = "link", os.readlink(f"{context}/{path}")  # noqa: PTH115
        elif stat.S_ISDIR(found.st_mode):
            kind = "folder"
        mode = stat.S_IMODE(found.st_mode)
        summary.update(f"{path}\0{kind}\0{mode:o}\0{content}\n".encode(errors="surrogateescape"))
    return summary.hexdigest()


def _known(note: Path, seen: str) -> str:
    try:
        kept = json.loads(note.read_text())
        return str(kept["digest"]) if kept["seen"] == seen else ""
    except (OSError, ValueError, KeyError):
        return ""


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace") if path else ""
