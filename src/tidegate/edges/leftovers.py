"""Keeps the builder's own storage small, which gets slower with every image that it has.

What was built is kept by the store; the builder's copies are its cache of layers. Measured with
podman 4.3: a build of four steps takes 1.2 s beside 35 candidates, 1.6 s beside 120.

While an image goes, ten of twelve builds with podman 4.3 end with "layer not known": each looks at
every image for one that it could begin from. So nothing goes while a command builds: see ``Visit``.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
import weakref
from collections.abc import Callable, Collection
from pathlib import Path

from tidegate.edges.process import Command, run

CANDIDATES = "localhost/tidegate/build"
TESTED = "localhost/tidegate/tested"  # what a candidate became by its tests
EVERY_S = 600.0
MOST, NEWEST = 60, 40  # with more candidates than MOST, all but the NEWEST go


class Visit:
    """While it lives nobody of this user tidies up; who comes when nobody is there does it first.

    Not more often than every ``EVERY_S``: looking takes half a second beside 200 images.
    Source: flock(2); the lock goes with the process that holds it, however that ends.
    """

    def __init__(self, lock: Path, tidy_up: Callable[[], None]) -> None:
        fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        self.end = weakref.finalize(self, os.close, fd)
        with contextlib.suppress(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            found = os.fstat(fd)
            if not found.st_size or found.st_mtime < time.time() - EVERY_S:
                tidy_up()
                os.pwrite(fd, b"tidied up\n", 0)
        fcntl.flock(fd, fcntl.LOCK_SH)


def tidy(builder: str) -> None:
    """Remove the oldest candidates and all that tests left; failing changes nothing.

    Source: podman-images(1) 4.3, buildah-images(1) 1.28 (``created`` is in seconds since 1970).
    """
    form = "--json" if builder == "buildah" else "--format=json"
    done = run(Command((builder, "images", form)))
    if done.returncode:
        return
    lowered = [
        {key.lower(): value for key, value in one.items()} for one in json.loads(done.text or "[]")
    ]
    old = surplus([(one["created"], one.get("names") or []) for one in lowered])
    if old:
        run(Command((builder, "rmi", *old)), timeout_s=600.0)


def surplus(found: Collection[tuple[float, list[str]]]) -> list[str]:
    """The names that may go; ``found`` are images' times of making with their names. Pure."""
    ours = [(made, name) for made, names in found for name in names]
    tested = [name for _, name in ours if name.startswith(f"{TESTED}:")]
    candidates = sorted((one for one in ours if one[1].startswith(f"{CANDIDATES}:")), reverse=True)
    old = candidates[NEWEST:] if len(candidates) > MOST else []
    return [*tested, *(name for _, name in old)]
