"""The last words: what to try next on the servers that are still up, and how to take them down."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tidegate.testing.demo.chapter import Chapter


def farewell(console: Console, folder: Path, chapters: Sequence[Chapter], seconds: float) -> None:
    """What can be tried in the projects of the chapters, and the command that takes all down."""
    console.print(f"\n{seconds:.0f} s. The servers are still up. Try it yourself:\n")
    lines = [f"alias tidegate={Path(sys.executable).with_name('tidegate')}"]
    lines += [f"export {name}={value}" for name, value in chapters[0].environment.items()]
    for chapter in chapters:
        lines += ["", f"cd {chapter.folder}", *chapter.to_try()]
    for line in lines:
        console.print(f"    {line}", highlight=False, soft_wrap=True)
    names = [name for chapter in chapters for name in chapter.names]
    console.print("\nAnd when you have seen enough:\n", style="bold")
    down = f"    tidegate lab down --servers {','.join(names)} && rm -r {folder}\n"
    console.print(down, soft_wrap=True)
