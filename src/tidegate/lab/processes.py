"""Runs the programs that the lab is made of, and says clearly which one failed and why.

Errors: ``InfrastructureError`` with the last lines of what the program wrote.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from tidegate.errors import InfrastructureError

LOG_LINES = 15


def run(
    argv: Sequence[str],
    *,
    input: bytes | str | None = None,  # noqa: A002 - the name subprocess has for it
    check: bool = True,
    timeout_s: float = 120.0,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run one program to its end; stdout and stderr come back as text."""
    data = input.encode() if isinstance(input, str) else input
    try:
        done = subprocess.run(
            list(argv),
            input=data if data is not None else None,
            stdin=subprocess.DEVNULL if data is None else None,
            capture_output=True,
            timeout=timeout_s,
            env=None if env is None else dict(env),
            cwd=cwd,
            check=False,
        )
    except FileNotFoundError as error:
        raise InfrastructureError(
            f"{argv[0]} is not installed", code="lab-missing-program"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise InfrastructureError(
            f"{_name(argv)} did not end within {timeout_s:.0f} s", code="lab-timeout"
        ) from error
    result = subprocess.CompletedProcess(
        done.args,
        done.returncode,
        done.stdout.decode(errors="replace"),
        done.stderr.decode(errors="replace"),
    )
    if check and result.returncode != 0:
        raise failure(argv, result)
    return result


def failure(argv: Sequence[str], result: subprocess.CompletedProcess[str]) -> InfrastructureError:
    """The error for a program that ended badly."""
    lines = (result.stdout + result.stderr).strip().splitlines()
    return InfrastructureError(
        f"{_name(argv)} failed with exit code {result.returncode}",
        code="lab-program-failed",
        log=tuple(lines[-LOG_LINES:]),
    )


def _name(argv: Sequence[str]) -> str:
    """The program and its first words, without the ``nsenter`` around it."""
    words = list(argv)
    if "--" in words and Path(words[0]).name == "nsenter":
        words = words[words.index("--") + 1 :]
    plain = [word for word in words[1:] if not word.startswith("-")]
    return " ".join([*words[:1], *plain[:2]])
