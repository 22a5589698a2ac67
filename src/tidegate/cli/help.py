"""``--help`` of one command: cyclopts' panels without defaults that say nothing.

Docstrings are wrapped for who reads the code; here their paragraphs flow, as wide as the terminal
is, and the example has a line of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from attrs import evolve
from cyclopts.help import DefaultFormatter, HelpPanel, InlineText
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions


class Formatter(DefaultFormatter):
    """The panels of ``--help``; an empty default is left out."""

    def __call__(self, console: Console, options: ConsoleOptions, panel: HelpPanel) -> None:
        """Print one panel."""
        entries = [
            evolve(entry, default=entry.default or None, description=_flowing(entry.description))
            for entry in panel.entries
        ]
        super().__call__(console, options, evolve(panel, entries=entries))

    def render_description(
        self, console: Console, options: ConsoleOptions, description: Any
    ) -> None:
        """Print what a command does."""
        super().render_description(console, options, _flowing(description))


def flowing(text: str) -> str:
    """Paragraphs without the line ends that they have in a docstring."""
    joined = re.sub(r"(?<!\n)\n(?!\n)", " ", text.strip())
    return re.sub(r"\s*\bExample: ", "\n\nExample: ", joined).strip()


def _flowing(description: Any) -> Any:
    if isinstance(description, InlineText) and isinstance(description.primary_renderable, Text):
        description.primary_renderable = Text(flowing(description.primary_renderable.plain))
    return description
