"""A repository of many compose files by convention: ``applications/NAME``, ``services/NN_NAME``.

Paths are relative to the repository, with ``/``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Folder:
    """One application or service: its compose file and override, and its number.

    ``off`` is the ``skipped-…`` file that switches the folder off, ``unread`` the compose files
    that are not loaded because of it.
    """

    path: str
    files: tuple[str, ...] = ()
    number: int | None = None
    off: str = ""
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders of a repository: services by number, then applications by name."""

    folders: tuple[Folder, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Every compose file that counts."""
        return tuple(file for folder in self.folders for file in folder.files)
