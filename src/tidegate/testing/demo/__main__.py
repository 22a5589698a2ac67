"""``python -m tidegate.testing.demo``, called by ``scripts/demo``. Exit code 1 if a claim fails."""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.testing.demo.step import table
from tidegate.testing.demo.story import PORT, SERVER, Story

FOLDER = Path(tempfile.gettempdir()) / "tidegate-demo" / "hello"


def farewell(console: Console, story: Story, seconds: float) -> None:
    """What to try next, and how to take it all down."""
    address = story.server.address
    tidegate = Path(sys.executable).with_name("tidegate")
    console.print(f"\n{seconds:.0f} s. The server is still up: http://{address}:{PORT}/\n")
    console.print("Try it yourself:\n", style="bold")
    exports = [f"export {name}={value}" for name, value in story.environment.items()]
    lines = [
        f"cd {story.project.folder}",
        *exports,
        f"alias tidegate={tidegate}",
        "tidegate status production",
        "tidegate history production",
        "echo 2.0.0 > VERSION && git commit -am 'Version 2.0.0' && tidegate plan production",
        "tidegate deploy production",
        "tidegate rollback production",
        f"curl http://{address}:{PORT}/version",
    ]
    for line in lines:
        console.print(f"    {line}", highlight=False, soft_wrap=True)
    console.print("\nAnd when you have seen enough:\n", style="bold")
    console.print(f"    tidegate lab down --servers {SERVER} && rm -r {FOLDER.parent}\n")


def main() -> int:
    """Tell the story, then show the table."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    FOLDER.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    with console.status("") as status:
        story = Story(FOLDER, lambda title: status.update(f"{title} …"))
        shown = 0

        def say(title: str) -> None:
            nonlocal shown
            for step in story.steps[shown:]:
                mark = "[green]✓[/]" if step.good else "[bold red]✗[/]"
                console.print(f"{mark} {step.title}: {step.ended} [dim]{step.seconds:.1f} s[/]")
            shown = len(story.steps)
            status.update(f"{title} …")

        story.say = say
        try:
            story.tell()
        except TidegateError as error:
            console.print(f"[bold red]✗[/] {error.message}")
            console.print(error.hint)
            return error.exit_code
        say("")
    console.print()
    console.print(table(story.steps))
    for step in story.steps:
        if step.trouble:
            console.print(f"[bold red]{step.title}[/]: {step.trouble}")
    farewell(console, story, time.monotonic() - began)
    return 0 if all(step.good for step in story.steps) else 1


if __name__ == "__main__":
    sys.exit(main())
