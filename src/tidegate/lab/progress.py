"""Says on stderr what takes more than a second, and how long it took."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"lab: {text}\n")
    sys.stderr.flush()


@contextmanager
def step(what: str, *, after_s: float = 1.0) -> Iterator[None]:
    """Announce ``what`` once it has taken ``after_s``, and its seconds at the end."""
    begin = time.monotonic()
    announced = threading.Event()

    def announce() -> None:
        announced.set()
        say(f"{what} …")

    timer = threading.Timer(after_s, announce)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
    if announced.is_set():
        say(f"{what}: {time.monotonic() - begin:.1f} s")
