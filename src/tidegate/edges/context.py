"""The digest of a build context: every path that counts, its kind, its mode, its bytes.

Times do not count, so a fresh clone has the same digest. An unchanged context is recognised by
names, sizes, modes and times alone, without reading it again; that note is only trusted when
every file was at rest for ``REST_S`` before it was made (a file changed twice within one tick
of the clock looks unchanged: https://git-scm.com/docs/racy-git).
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tidegate.edges.private_dir import cache_dir
from tidegate.errors import InputError, Where
from tidegate.images import ignore

REST_S = 2.0
GIT = ".git"
IGNORE_FILES = (".containerignore", ".dockerignore")
Ignored = Callable[[str], bool]


def ignore_file(context: str, dockerfile: str) -> str:
    """The path of the ignore file that counts, or "": the Dockerfile's own one comes first."""
    own = [f"{dockerfile}{name}" for name in IGNORE_FILES]
    shared = [f"{context.rstrip('/')}/{name}" for name in IGNORE_FILES]
    return next((path for path in (*own, *shared) if os.path.isfile(path)), "")  # noqa: PTH113


def digest(context: str, dockerfile: str, where: Where | None) -> str:
    """64 hexadecimal digits; ``InputError`` when there is no such folder."""
    if not Path(context).is_dir():
        raise InputError(
            f"there is no folder {context}",
            code="build-context",
            where=where,
            hint="build.context is read from the compose file's own folder",
        )
    rules = _read(ignore_file(context, dockerfile))
    entries = list(_entries(context, ignore.matcher(rules), ignore.takes_back(rules)))
    seen = _fingerprint(context, entries)
    note = cache_dir("contexts") / hashlib.sha256(f"{context}\0{dockerfile}".encode()).hexdigest()
    known = _known(note, seen)
    if known:
        return known
    found = _digest(context, entries)
    newest = max((max(s.st_mtime, s.st_ctime) for _, s in entries), default=0.0)
    if newest < time.time() - REST_S:
        note.write_text(json.dumps({"seen": seen, "digest": found}))
    return found


def _entries(
    context: str, ignored: Ignored, inside_too: bool, folder: str = ""
) -> Iterator[tuple[str, os.stat_result]]:
    """Paths relative to the context in a fixed order, folders before what they hold.

    git's own folder is no content: it differs from clone to clone of one commit.
    """
    with os.scandir(f"{context}/{folder}") as found:
        items = sorted((i for i in found if i.name != GIT), key=lambda item: item.name)
    for item in items:
        path = f"{folder}/{item.name}" if folder else item.name
        out = ignored(path)
        is_folder = item.is_dir(follow_symlinks=False)
        if not out:
            yield path, item.stat(follow_symlinks=False)
        if is_folder and (not out or inside_too):
            yield from _entries(context, ignored, inside_too, path)


def _fingerprint(context: str, entries: list[tuple[str, os.stat_result]]) -> str:
    summary = hashlib.sha256(context.encode())
    for path, s in entries:
        facts = (s.st_mode, s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino)
        summary.update(f"{path}\0{facts}\n".encode(errors="surrogateescape"))
    return summary.hexdigest()


def _digest(context: str, entries: list[tuple[str, os.stat_result]]) -> str:
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
