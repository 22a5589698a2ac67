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

    @property
    def home(self) -> Path:
        """The reader's."""
        return self.folder / "home"

    def begin(self, servers: Sequence[str], after: str = "") -> Lab:
        """These servers and a home: new, or where they were there when that page ended, so."""
        self.clear()
        kept = self.kept.get(after)
        if kept is None:
            self.home.mkdir()
        else:
            shutil.copytree(kept.folder / "home", self.home, symlinks=True)
        if stale := sorted(set(servers) & set(Lab.open().names)):
            Lab.open(stale).down()
        for name in kept.servers if kept else ():
            _copy(kept.folder / name, Lab.open([name]).server(name).disk.image)
        self.lab = Lab.up(servers)
        return self.lab

    def keep(self, page: str) -> None:
        """What is there now, as the end of this page."""
        folder = self.folder / f"kept-{len(self.kept)}"
        folder.mkdir()
        for server in self.lab.servers:
            server.stop()
            _copy(server.disk.image, folder / server.name)
        self.home.rename(folder / "home")
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
