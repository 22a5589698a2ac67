"""What a proof says while it runs: one line for each thing done, with the time left."""

from __future__ import annotations

import sys
import time


class Progress:
    """Lines on stderr."""

    def __init__(self, part: str) -> None:
        self.part = part
        self.began = time.monotonic()

    def minutes(self) -> float:
        """Since the beginning."""
        return (time.monotonic() - self.began) / 60

    def say(self, text: str) -> None:
        """A line of its own."""
        sys.stderr.write(f"{self.part} {self.minutes():5.1f} min  {text}\n")
        sys.stderr.flush()

    def step(self, done: int, of: int, text: str) -> None:
        """A step of many; how long the others will take."""
        left = self.minutes() / done * (of - done)
        self.say(f"[{done}/{of}, {left:.0f} min left] {text}")
