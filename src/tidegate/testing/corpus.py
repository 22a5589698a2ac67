"""Compose files that nobody here wrote, with docker compose's own answers, where they are at hand.

They lie outside of the project (other people's files are not committed): in the folder that
``TIDEGATE_CORPUS`` names, or in ``shared/compose`` beside the checkout. ``corpus/PATH`` is a file,
``expected/PATH.json`` what ``docker compose 2.40.3 config --profile '*' -p p`` prints for it; one
without an answer is rejected. Answers begin their paths with ``/corpus``, and so do we.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tidegate.compose import Project, load
from tidegate.edges.disk import Disk

MOUNT = "/corpus"
SUFFIXES = (".yml", ".yaml", ".json")
OTHER_SECTIONS = frozenset(("name", "version", "networks", "volumes", "configs", "secrets"))
BESIDE = Path(__file__).resolve().parents[4] / "shared/compose"


class Mounted(Disk):
    """The corpus at ``/corpus``, as it was when docker compose was asked."""

    def __init__(self, folder: Path, root: str) -> None:
        super().__init__(root)
        self._folder = os.fspath(folder)

    def _real(self, path: str) -> str:
        return self._folder + path.removeprefix(MOUNT) if path.startswith(f"{MOUNT}/") else path

    def read(self, path: str) -> str:
        """A file's text."""
        return super().read(self._real(path))

    def is_file(self, path: str) -> bool:
        """Whether there is something to read."""
        return super().is_file(self._real(path))

    def is_dir(self, path: str) -> bool:
        """Whether the path is a directory."""
        return super().is_dir(self._real(path))

    def follow(self, path: str) -> str:
        """The corpus has no symbolic links."""
        return path


@dataclass(frozen=True, slots=True)
class Corpus:
    """A folder with ``corpus`` and ``expected`` in it."""

    folder: Path

    @property
    def files(self) -> list[str]:
        """Every compose file, by its path below the corpus."""
        root = self.folder / "corpus"
        found = [path for path in root.glob("**/*") if path.suffix in SUFFIXES]
        return sorted(str(path.relative_to(root)) for path in found)

    def load(self, name: str) -> Project:
        """A file, loaded as docker compose was told to."""
        place = f"{MOUNT}/{name}"
        folder = os.path.dirname(place)  # noqa: PTH120 - a path of another root
        return load(
            [place],
            reader=Mounted(self.folder / "corpus", folder),
            variables={"HOME": "/home/user", "PATH": "/bin", "PWD": folder},
            project="p",
            profiles=["*"],
        )

    def expected(self, name: str) -> dict[str, Any] | None:
        """docker compose's answer; None where it rejects the file."""
        path = self.folder / "expected" / f"{name}.json"
        if not path.exists():
            return None
        answer: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return answer

    def rejected(self, name: str) -> bool:
        """Whether docker compose rejects the file.

        A file of other sections without services it accepts, but the corpus has no answer.
        """
        if (self.folder / "expected" / f"{name}.json").exists():
            return False
        text = (self.folder / "corpus" / name).read_text(encoding="utf-8")
        try:
            keys = set(yaml.safe_load(text) or ())
        except yaml.YAMLError:
            return True
        return not keys <= OTHER_SECTIONS


def find(folder: Path | None = None) -> Corpus | None:
    """The corpus, if it is at hand."""
    named = folder or Path(os.environ.get("TIDEGATE_CORPUS") or BESIDE)
    found = Corpus(named.resolve())
    return found if found.files else None
