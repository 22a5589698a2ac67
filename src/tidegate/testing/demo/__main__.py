"""``python -m tidegate.testing.demo``, called by ``scripts/demo``. Exit code 1 if a claim fails."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.testing.demo import figures
from tidegate.testing.demo.chapter import Chapter
from tidegate.testing.demo.farewell import farewell
from tidegate.testing.demo.hello import Hello
from tidegate.testing.demo.shop import Shop
from tidegate.testing.demo.step import happened, seconds

CHAPTERS = ("hello", "shop")
WIDTH = 100  # where the output is no terminal


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description="See Tidegate work.")
    parser.add_argument("--chapter", choices=CHAPTERS, help="only this one")
    parser.add_argument("--name", default="demo", help="servers' names begin with it")
    return parser.parse_args(argv)


def told(console: Console, chapter: Chapter) -> bool:
    """Tell one chapter, each step as it ends; whether all its claims held."""
    with console.status("") as status:
        shown = 0

        def say(title: str) -> None:
            nonlocal shown
            for step in chapter.steps[shown:]:
                mark = "[green]✓[/]" if step.good else "[bold red]✗[/]"
                console.print(f"{mark} {step.title}: {step.ended} [dim]{step.seconds:.1f} s[/]")
            shown = len(chapter.steps)
            status.update(f"{title} …")

        chapter.say = say
        chapter.tell()
        say("")
    return all(step.good for step in chapter.steps)


def summary(console: Console, title: str, chapter: Chapter) -> None:
    """The chapter's tables, and every trouble whole."""
    console.print()
    console.print(happened(f"What happened to {title}", chapter.steps))
    console.print(seconds(chapter.steps))
    if isinstance(chapter, Shop):
        console.print(figures.table(list(chapter.measured.figures(chapter.steps))))
    for step in chapter.steps:
        if step.trouble:
            console.print(f"[bold red]{step.title}[/]: ", end="")
            console.print(step.trouble, markup=False)


def main(argv: Sequence[str] | None = None) -> int:
    """Tell the chapters, show their tables, say what can be tried now."""
    asked = arguments(argv)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    folder = Path(tempfile.gettempdir()) / f"tidegate-{asked.name}"
    folder.mkdir(parents=True, exist_ok=True)
    chapters: dict[str, Chapter] = {}
    if asked.chapter != "shop":
        chapters["hello"] = Hello(folder / "hello", print, asked.name)
    if asked.chapter != "hello":
        chapters["shop"] = Shop(folder / "shop", print, asked.name, after_hello="hello" in chapters)
    began, good = time.monotonic(), True
    for name, chapter in chapters.items():
        console.print(f"\n[bold]{name}[/]")
        try:
            good = told(console, chapter)
        except TidegateError as error:
            good = False
            console.print(f"[bold red]✗[/] {error.message}\n{error.hint}")
        if not good:
            break  # what comes after it would be in doubt
    begun = {name: chapter for name, chapter in chapters.items() if chapter.steps}
    for name, chapter in begun.items():
        summary(console, name, chapter)
    if begun:
        farewell(console, folder, list(begun.values()), time.monotonic() - began)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
