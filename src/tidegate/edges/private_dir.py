"""Directories of this user alone: sockets of SSH masters, caches.

A Unix socket's path holds at most 107 bytes on Linux (unix(7)), and OpenSSH adds 17 of its
own while it opens one, so the runtime directory is kept short.
"""

from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

from tidegate.errors import InfrastructureError

LONGEST_RUNTIME_DIR = 60


def runtime_dir() -> Path:
    """For sockets: below XDG_RUNTIME_DIR where that is short enough, else below /tmp."""
    base = os.environ.get("XDG_RUNTIME_DIR", "")
    if base and len(base) <= LONGEST_RUNTIME_DIR and Path(base).is_dir():
        return private(Path(base) / "tidegate")
    return private(Path("/tmp") / f"tidegate-{os.getuid()}")  # noqa: S108 (checked below)


def cache_path(*parts: str) -> Path:
    """Below XDG_CACHE_HOME or ~/.cache; what is lost here is made again. It need not exist."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base, "tidegate", *parts)


def cache_dir(*parts: str) -> Path:
    """The same, made."""
    path = cache_path(*parts)
    path.mkdir(parents=True, exist_ok=True)
    return path


def config_dir() -> Path:
    """Below XDG_CONFIG_HOME or ~/.config; holds the signing key. Who writes there makes it."""
    base = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(base, "tidegate")


def private(path: Path) -> Path:
    """Made with mode 0700; refuses one that somebody else owns or may enter."""
    path.mkdir(mode=0o700, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise InfrastructureError(
            f"{path} must be a directory that only you can enter",
            code="runtime-dir",
            hint=f"look at it, then remove it: rm -r {path}",
        )
    return path


def write_json(path: Path, value: Any) -> None:
    """A note that whoever reads it finds whole: several threads and processes may write it.

    While it is written it has another name, with dots in it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}")
    fresh.write_text(json.dumps(value))
    fresh.replace(path)
