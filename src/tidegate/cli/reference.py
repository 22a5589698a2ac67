"""The reference pages, made from the code: ``python -m tidegate.cli.reference [--check]``.

commands.md comes from the table of commands and their docstrings, configuration.md from the
tables that read tidegate.yaml, states.md and its pictures from the two tables that move a
deployment, and the end of compose.md from what rendering and exporting say of every key.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tidegate.cli import COMMANDS, every_key, load
from tidegate.cli.diagram import Arrow, drawing, place
from tidegate.config.schema import SECTIONS
from tidegate.host.protocol import ENDED, TRANSITIONS
from tidegate.pipeline.states import ENDS, TABLE

MADE = "<!-- made by python -m tidegate.cli.reference: change the code, not this page -->"
FOLDER = Path("docs")


def commands() -> str:
    """The page of all commands, in the order of ``tidegate --help``."""
    parts = [MADE, "", "# Commands", ""]
    for entry in COMMANDS:
        text = load(entry).generate_docs(heading_level=1)
        text = text[text.index(f"## tidegate {entry.word}") :]
        text = re.sub(r"^(tidegate .*?) -m [\w.]+", r"\1", text, flags=re.MULTILINE)  # python -m
        text = re.sub(r" \*\[default: (None)?\]\*", "", text)
        text = re.sub(r"(--[a-z-]+), --no-[a-z-]+", r"\1", text)
        text = re.sub(r"\bExample: (.+)$", r"Example: `\1`", text, flags=re.MULTILINE)
        parts.append(text.strip())
        parts.append("")
    return "\n".join(parts)


def configuration() -> str:
    """The page of all keys of tidegate.yaml; defaults stand at the end of the meaning."""
    parts = [
        MADE,
        "",
        "# tidegate.yaml",
        "",
        "Every key, section by section. What stands after a semicolon is the default. Durations",
        "are written `500ms`, `30s`, `5m`, `1h`, `1h30m`, `2d`; percentages `5%` or `0.05`.",
        "An unknown key is an error that names the nearest right one.",
    ]
    for path, table in SECTIONS.items():
        parts += ["", f"## {path or 'The file'}", "", "| Key | Form | Meaning |", "|---|---|---|"]
        parts += [f"| `{name}` | {key.form} | {key.meaning} |" for name, key in table.items()]
    return "\n".join(parts) + "\n"


# Where each state stands in its picture; the arrows come from the tables.
HOST_PLACES = {
    **{
        name: place(0, column)
        for column, name in enumerate(
            ("acquired", "preparing", "prepared", "switching", "switched", "committing")
        )
    },
    "committed": place(0, 6),
    "in-doubt": place(1, 5),
    "aborting": place(2, 1, 5),
    "reverted": place(3, 0, 5),
}
CONTROLLER_PLACES = {
    **{
        name: place(1, column)
        for column, name in enumerate(
            ("acquire", "join", "secrets", "prepare", "switch", "watch", "verify", "commit")
        )
    },
    "finish": place(1, 8, 9),
    "contract": place(0, 9),
    "release": place(0, 10),
    "ask": place(0, 7, 8),
    "in-doubt": place(0, 6),
    "abort": place(2, 1, 6),
    "undo": place(3, 1, 8),
    "give-back": place(4, 2, 6),
    "committed": place(0, 11, bottom=1),
    "left": place(2, 11, bottom=4),
    "reverted": place(2, 0, bottom=4),
}


def host_arrows() -> list[Arrow]:
    """What moves a host."""
    return [(start, end, happened) for (start, happened), end in TRANSITIONS.items()]


def controller_arrows() -> list[Arrow]:
    """What moves the controller."""
    return [(start.value, end.value, outcome.value) for (start, outcome), end in TABLE.items()]


def host_picture() -> str:
    """The states of a deployment on a host."""
    return drawing("A host's states in a deployment", HOST_PLACES, host_arrows(), ENDED)


def controller_picture() -> str:
    """The controller's phases."""
    ends = {end.value for end in ENDS}
    return drawing("The controller's phases", CONTROLLER_PLACES, controller_arrows(), ends)


def states() -> str:
    """The page of the two state machines: a picture of each, and the table that the code runs."""
    return "\n".join(
        [
            MADE,
            "",
            "# How a deployment moves",
            "",
            "What it means, and what happens when a part dies: [the protocol](../protocol.md).",
            "",
            "## The controller",
            "",
            "Its phases. Which way a deployment ends is the decision that is recorded on the",
            "witness, not the one that was proposed (`overruled`).",
            "",
            "[![The controller's phases](controller.svg)](controller.svg)",
            "",
            *rows(("Phase", "Ends with", "Next"), controller_arrows()),
            "",
            "## A host",
            "",
            "Its states. Each change is on its disk before anything that follows from it.",
            "",
            "[![A host's states](host.svg)](host.svg)",
            "",
            *rows(("State", "What happened", "Next"), host_arrows()),
            "",
        ]
    )


def rows(head: tuple[str, str, str], arrows: list[Arrow]) -> list[str]:
    """A table of a state, what happened, and the next state."""
    body = [f"| {start} | {happened} | {end} |" for start, end, happened in arrows]
    return ["| " + " | ".join(head) + " |", "|---|---|---|", *body]


def compose() -> str:
    """The page of compose files: what people wrote above the mark, and the table below it."""
    written = FOLDER.joinpath("compose.md").read_text(encoding="utf-8").partition(MADE)[0]
    return f"{written}{MADE}\n{every_key.table()}"


def pages() -> dict[str, str]:
    """Each page's name and text."""
    return {
        "reference/commands.md": commands(),
        "reference/configuration.md": configuration(),
        "reference/states.md": states(),
        "reference/host.svg": host_picture(),
        "reference/controller.svg": controller_picture(),
        "compose.md": compose(),
    }


def main() -> int:
    """Write the pages, or with ``--check`` say which differ; 1 where one does."""
    stale = 0
    for name, text in pages().items():
        path = FOLDER / name
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if "--check" in sys.argv[1:]:
            sys.stderr.write(f"{path} is stale: run python -m tidegate.cli.reference\n")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path}\n")
    return 1 if stale and "--check" in sys.argv[1:] else 0


if __name__ == "__main__":
    sys.exit(main())
