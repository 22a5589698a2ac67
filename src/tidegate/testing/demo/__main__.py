"""``python -m tidegate.testing.demo``, called by ``scripts/demo``. Exit code 1 if a claim fails."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from tidegate.errors import TidegateError
from tidegate.testing.demo import figures
from tidegate.testing.demo.chapter import Chapter
from tidegate.testing.demo.farewell import farewell
from tidegate.testing.demo.hello import Hello
from tidegate.testing.demo.shop import Shop
from tidegate.testing.demo.step import happened, seconds
from tidegate.testing.prove.site import fresh

WIDTH = 100  # where the output is no terminal


def arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="scripts/demo", description="See Tidegate work.")
    parser.add_argument("--chapter", choices=("hello", "shop"), help="only this one")
    parser.add_argument("--name", default="demo", help="servers' names begin with it")
    return parser.parse_args(argv)


def told(console: Console, chapters: Sequence[Chapter]) -> list[TidegateError]:
    """Tell the chapters, each step as it ends, one chapter after the other; returns the troubles.

    They happen at the same time, for much of each is waiting.
    """
    troubles: list[TidegateError] = []
    with ThreadPoolExecutor(len(chapters)) as pool, console.status("") as status:
        telling = [pool.submit(chapter.tell) for chapter in chapters]
        for chapter, future in zip(chapters, telling, strict=True):
            console.print(f"\n[bold]{type(chapter).__name__.lower()}[/]")
            shown = 0
            while shown < len(chapter.steps) or not future.done():
                for step in chapter.steps[shown:]:
                    mark = "[green]✓[/]" if step.good else "[bold red]✗[/]"
                    console.print(f"{mark} {step.title}: {step.ended} [dim]{step.seconds:.1f} s[/]")
                    shown += 1
                busy = [c for c, f in zip(chapters, telling, strict=True) if not f.done()]
                status.update("; ".join(f"{c.doing} …" for c in busy))
                wait([future], timeout=0.2)
            try:
                future.result()
            except TidegateError as error:
                troubles.append(error)
                console.print(trouble(error))
    return troubles


def trouble(error: TidegateError) -> str:
    """An error as lines of the story."""
    return "[bold red]✗[/] " + escape(f"{error.message}\n{error.hint}")


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
    kinds = {"hello": Hello, "shop": Shop}
    chapters: dict[str, Chapter] = {
        name: kind(folder / name, asked.name)
        for name, kind in kinds.items()
        if asked.chapter in (None, name)
    }
    began = time.monotonic()
    try:
        lab = fresh(*(name for chapter in chapters.values() for name in chapter.names))
        environment = lab.env()
    except TidegateError as error:
        console.print(trouble(error))
        return 1
    for chapter in chapters.values():
        chapter.lab, chapter.environment = lab, environment
    console.print(f"[green]✓[/] new servers [dim]{time.monotonic() - began:.1f} s[/]")
    troubles = told(console, list(chapters.values()))
    for name, chapter in chapters.items():
        summary(console, name, chapter)
    farewell(console, folder, list(chapters.values()), time.monotonic() - began)
    good = all(step.good for chapter in chapters.values() for step in chapter.steps)
    return 0 if good and not troubles else 1


if __name__ == "__main__":
    sys.exit(main())
