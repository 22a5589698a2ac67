"""Where pages begin: servers and a home as another page has left them, made once and put back.

Many pages build upon one. What that one did is kept, disks and files, as soon as it is done, so
that each of the others begins there within seconds and none sees what another one did.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tidegate.lab import Lab


@dataclass(frozen=True, slots=True)
class Kept:
    """What there was at the end of a page: servers, and the reader's home."""

    folder: Path
    servers: tuple[str, ...]


@dataclass(slots=True)
class Stage:
    """A home that is always at the same place, and servers by name."""

    folder: Path
    runtime: Path  # for sockets, whose paths must be short
    kept: dict[str, Kept] = field(default_factory=dict)
    lab: Lab = field(default_factory=lambda: replace(Lab.open(), names=()))
    at: str = ""  # the page whose end this is

    @property
    def home(self) -> Path:
        """The reader's."""
        return self.folder / "home"

    def begin(self, servers: Sequence[str], after: str = "") -> Lab:
        """These servers and a home: new, or as they were when that page ended."""
        going_on = bool(after) and after == self.at
        if not going_on:
            self.clear()
        ours = set(self.lab.names) if going_on else set()
        if strangers := sorted((set(servers) & set(Lab.open().names)) - ours):
            Lab.open(strangers).down()
        if not going_on:
            self._restore(self.kept[after]) if after else self.home.mkdir()
        self.at = ""
        self.lab = Lab.up(servers)
        return self.lab

    def _restore(self, kept: Kept) -> None:
        shutil.copytree(kept.folder / "home", self.home, symlinks=True)
        for name in kept.servers:
            _copy(kept.folder / name, Lab.open([name]).server(name).disk.image)

    def keep(self, page: str) -> None:
        """What is there now, as the end of this page; the servers are off then."""
        folder = self.folder / f"kept-{len(self.kept)}"
        shutil.copytree(self.home, folder / "home", symlinks=True)
        for server in self.lab.servers:
            server.run(["sync"], user="root")
            server.kill()  # what systemd stops in order takes its time
            _copy(server.disk.image, folder / server.name)
        self.kept[page] = Kept(folder, self.lab.names)

    def clear(self) -> None:
        """Servers and home are removed; what was kept is not."""
        if still := sorted(set(self.lab.names) & set(Lab.open().names)):
            Lab.open(still).down()
        shutil.rmtree(self.home, ignore_errors=True)


def _copy(image: Path, to: Path) -> None:
    """A disk, and only what is written on it."""
    to.parent.mkdir(parents=True, exist_ok=True)
    words = ("cp", "--sparse=always", "--reflink=auto", image, to)
    subprocess.run(words, check=True)
