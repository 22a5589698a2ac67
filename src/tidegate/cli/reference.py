"""The reference pages, made from the code: ``python -m tidegate.cli.reference [--check]``.

commands.md comes from the table of commands and their docstrings, configuration.md from the
tables that read tidegate.yaml, states.md from the two tables that move a deployment, and the end
of compose.md from what rendering and exporting say of every key.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from tidegate.cli import COMMANDS, every_key, load
from tidegate.config.schema import SECTIONS
from tidegate.host.protocol import ENDED, TRANSITIONS
from tidegate.pipeline.states import ENDS, TABLE, Phase

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


def states() -> str:
    """The page of the two state machines, as Mermaid diagrams of the tables that the code runs."""
    controller = [
        f"    {start.name.lower()} --> {end.name.lower()}: {outcome.value}"
        for (start, outcome), end in TABLE.items()
    ]
    host = [f"    {start} --> {end}: {happened}" for (start, happened), end in TRANSITIONS.items()]
    return "\n".join(
        [
            MADE,
            "",
            "# How a deployment moves",
            "",
            "The controller's phases. Which way a deployment ends is the decision that is recorded",
            "on the host, not the one that was proposed (`overruled`).",
            "",
            *diagram(
                Phase.ACQUIRE.name.lower(), controller, sorted(end.name.lower() for end in ENDS)
            ),
            "",
            "A host's states. Each change is on its disk before anything that follows from it.",
            "",
            *diagram("acquired", host, sorted(ENDED)),
            "",
        ]
    )


def compose() -> str:
    """The page of compose files: what people wrote above the mark, and the table below it."""
    written = FOLDER.joinpath("compose.md").read_text(encoding="utf-8").partition(MADE)[0]
    return f"{written}{MADE}\n{every_key.table()}"


def diagram(first: str, arrows: list[str], ends: list[str]) -> list[str]:
    """A state diagram in Mermaid's words (https://mermaid.js.org/syntax/stateDiagram.html)."""
    closing = [f"    {end} --> [*]" for end in ends]
    lines = [f"    [*] --> {first}", *arrows, *closing]
    return ["```mermaid", "stateDiagram-v2", *lines, "```"]


def pages() -> dict[str, str]:
    """Each page's name and text."""
    return {
        "reference/commands.md": commands(),
        "reference/configuration.md": configuration(),
        "reference/states.md": states(),
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
