"""How the command line speaks: facts on stdout, progress and errors on stderr, JSON on request.

With ``--json`` stdout carries one object ``{"schema": "tidegate/<kind>/1", "kind", "data"}``;
an error is such an object of the kind ``error``, on one line, the last one of stderr.
Colour only on a terminal and without NO_COLOR (https://no-color.org).
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence

from tidegate.errors import TidegateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from rich.console import Console

BOLD, DIM, RED, GREEN, YELLOW, CYAN = "1", "2", "31", "32", "33", "36"


def envelope(kind: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """The outer object of every ``--json`` answer."""
    return {"schema": f"tidegate/{kind}/1", "kind": kind, "data": dict(data)}


def print_json(kind: str, data: Mapping[str, Any]) -> None:
    """Write one ``--json`` answer to stdout."""
    import json

    sys.stdout.write(json.dumps(envelope(kind, data), indent=2, ensure_ascii=False) + "\n")


def say(text: str = "") -> None:
    """Write a line of facts to stdout."""
    sys.stdout.write(text + "\n")


def progress(text: str) -> None:
    """Write a line of progress to stderr; where nobody reads it any more, what is done goes on."""
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stderr.fileno())


def print_error(error: TidegateError, *, json: bool) -> None:
    """Write an error to stderr, for people or as one line of JSON.

    Its file is shown as people would type it here: relative where it is below this directory.
    """
    if error.where is not None:
        from dataclasses import replace  # 9 ms, for errors only

        error.where = replace(error.where, file=typed_path(error.where.file))
    if json:
        from json import dumps

        line = dumps(envelope("error", error.as_dict()), ensure_ascii=False)
        sys.stderr.write(line + "\n")
        return
    sys.stderr.write(error_text(error, colour=coloured(sys.stderr)))


def typed_path(file: str) -> str:
    """A path relative to the working directory where it is below it, else as it is."""
    from pathlib import Path  # 5 ms, for errors only

    try:
        return str(Path(file).relative_to(Path.cwd()))
    except (ValueError, OSError):
        return file


def error_text(error: TidegateError, *, colour: bool = False) -> str:
    """``error: message`` and, indented below it, the place, the hint and the log lines."""
    lines = [f"{paint('error:', RED, BOLD, on=colour)} {error.message}"]
    if error.where is not None:
        lines.append(f"  at {error.where}")
    if error.hint:
        lines.append(f"  {paint('hint:', CYAN, on=colour)} {error.hint}")
    if error.log:
        lines.append("  its last log lines:")
        lines += [f"    | {line}" for line in error.log]
    return "\n".join(lines) + "\n"


def coloured(stream: TextIO) -> bool:
    """Whether a stream gets colour."""
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def paint(text: str, *codes: str, on: bool) -> str:
    """``text`` in the given ANSI codes where ``on``, else as it is."""
    return f"\x1b[{';'.join(codes)}m{text}\x1b[0m" if on and text else text


def table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns aligned by spaces, without rules or colour: easy to read and to cut."""
    cells = [[str(cell) for cell in row] for row in rows]
    heads = [header.upper() for header in headers]
    widths = [max(len(line[i]) for line in [heads, *cells]) for i in range(len(heads))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [heads, *cells]
    )


def console(*, stderr: bool = False) -> Console:
    """A rich Console, for live progress: imported here because it costs about 60 ms."""
    from rich.console import Console

    return Console(stderr=stderr, highlight=False, soft_wrap=True)


def typed(question: str, wanted: str) -> bool:
    """Whether a person at a terminal answers with just this word; nobody is asked elsewhere."""
    if not sys.stdin.isatty():
        return False
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip() == wanted
