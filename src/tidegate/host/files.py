"""Durable files: what was written is there after a power cut, or was never there.

A file is written to a temporary name, fsynced, renamed, and its folder fsynced
(rename(2) is atomic on one file system: https://man7.org/linux/man-pages/man2/rename.2.html).
"""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any, Optional, Union


def fsync_dir(folder: Path) -> None:
    """Make the names in `folder` durable."""
    fd = os.open(str(folder), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write_atomic(path: Path, data: Union[bytes, str], mode: int = 0o600) -> None:
    """Replace `path` by `data` in one step, durably; the folder is made where missing."""
    raw = data.encode() if isinstance(data, str) else data
    make_dir(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    fd = os.open(str(temporary), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        os.fchmod(fd, mode)
        view = memoryview(raw)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    except OSError:
        temporary.unlink()
        raise
    finally:
        os.close(fd)
    temporary.rename(path)
    fsync_dir(path.parent)


def write_if_changed(path: Path, data: str, mode: int = 0o600) -> bool:
    """Write `data` only when the file differs; returns whether it was written."""
    if read_text(path) == data:
        return False
    write_atomic(path, data, mode)
    return True


def make_dir(folder: Path) -> None:
    """Make `folder` and its parents, durably, private to the user."""
    if folder.is_dir():
        return
    make_dir(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        return
    fsync_dir(folder.parent)


def write_once(path: Path, data: str) -> str:
    """Create `path` with `data` unless it exists; returns what it holds then: the first wins.

    link(2) fails when the name is there, so two writers cannot both succeed, and a reader
    never sees half a record.
    """
    make_dir(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    write_atomic(temporary, data)
    try:
        os.link(str(temporary), str(path))
        fsync_dir(path.parent)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
    return path.read_text(encoding="utf-8")


def sweep(folder: Path) -> int:
    """Remove temporary files that a killed writer left in `folder`; returns how many."""
    swept = 0
    for entry in folder.glob(".*"):
        words = entry.name.split(".")
        ours = len(words) > 2 and words[-1] in ("tmp", "new") and words[-2].isdigit()
        if ours and not Path(f"/proc/{words[-2]}").exists():
            entry.unlink(missing_ok=True)
            swept += 1
    return swept


def remove(path: Path) -> bool:
    """Remove a file durably; returns whether it was there."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    fsync_dir(path.parent)
    return True


def read_text(path: Path) -> Optional[str]:
    """The text of `path`, or None where there is no such file."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        if problem.errno in (errno.ENOENT, errno.ENOTDIR):
            return None
        raise


def read_json(path: Path) -> Optional[Any]:
    """The JSON value in `path`, or None where there is no such file."""
    text = read_text(path)
    return None if text is None else json.loads(text)
