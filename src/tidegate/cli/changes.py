"""``tidegate changes``: what must be built and redeployed after some commits, and why."""

from __future__ import annotations

import gc
import sys

from tidegate.cli.output import coloured, progress, say
from tidegate.errors import InputError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = "tidegate.yaml"


def changes(
    range: str = "",  # noqa: A002 - what --help calls it
    /,
    *,
    matrix: bool = False,
    config: str = CONFIG,
    json: bool = False,
) -> None:
    """Say which applications must be built, which services redeployed, and why, file by file.

    Reads commits, never the working tree. Example: tidegate changes origin/main..HEAD

    Args:
        range: BASE..HEAD, BASE...HEAD or BASE; without it, what the newest commit changed.
        matrix: Answer with one line for fromJSON in GitHub Actions: {"include": [...]}.
        config: The configuration file; it may be missing.
        json: Answer as JSON.
    """
    from tidegate.pipeline.changed import changed

    if matrix and json:
        raise InputError(
            "--matrix and --json are two answers", code="usage", hint="leave one of them out"
        )
    found = changed(range, config)
    for note in found.notes:
        progress(f"note: {note}")
    if matrix:
        import json as standard

        from tidegate.cli.changes_json import matrix_of

        say(standard.dumps(matrix_of(found)))
    elif json:
        from tidegate.cli.changes_json import answer

        say(answer(found))
    else:
        from tidegate.cli.changes_text import text

        say(text(found, colour=coloured(sys.stdout)))


def quickly(words: Sequence[str]) -> bool:
    """Run the command if its words are plain; False leaves them to cyclopts, which costs 40 ms."""
    positions: list[str] = []
    switches = {"--json": False, "--matrix": False}
    config = CONFIG
    rest = iter(words)
    for word in rest:
        if word in switches:
            switches[word] = True
        elif word == "--config":
            config = next(rest, "")
        elif word.startswith("--config="):
            config = word.partition("=")[2]
        elif word.startswith("-") or positions:
            return False
        else:
            positions.append(word)
    if not config or config.startswith("-"):
        return False
    gc.disable()  # what is made here lives until the answer is given
    try:
        changes(*positions, matrix=switches["--matrix"], config=config, json=switches["--json"])
    finally:
        gc.enable()
    return True
