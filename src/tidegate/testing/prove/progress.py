"""What a proof says while it runs: one line for each thing done, with the time left."""

from __future__ import annotations

import sys
import time


class Progress:
    """Lines on stderr."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.began = time.monotonic()

    def say(self, text: str) -> None:
        """A line of its own."""
        elapsed = time.monotonic() - self.began
        sys.stderr.write(f"{self.part} {elapsed / 60:5.1f} min  {text}\n")
        sys.stderr.flush()

    def step(self, done: int, of: int, text: str) -> None:
        """A step of many; how long the others will take."""
        left = (time.monotonic() - self.began) / done * (of - done)
        self.say(f"[{done}/{of}, {left / 60:.0f} min left] {text}")
