"""``--help`` of one command: cyclopts' panels without defaults that say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve
from cyclopts.help import DefaultFormatter, HelpPanel

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


class Formatter(DefaultFormatter):
    """The panels of ``--help``; an empty default is left out."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print one panel."""
        entries = [evolve(entry, default=entry.default or None) for entry in panel.entries]
        super().__call__(console, options, evolve(panel, entries=entries))
