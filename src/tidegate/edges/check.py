"""Runs the command of a check gate: here, beside tidegate.yaml, told what is about to happen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from tidegate.errors import InputError
from tidegate.gates import Checked
from tidegate.model.config import Gate

TIMEOUT_S = 60.0


def check(gate: Gate, told: Mapping[str, str], root: str) -> Checked:
    """How it ended and the last line that it said; ``told`` are variables that it gets."""
    words = gate.settings["command"]
    try:
        done = subprocess.run(
            words,
            cwd=root,
            env={**os.environ, **told},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=float(gate.settings.get("timeout", TIMEOUT_S)),
            check=False,
        )
    except OSError as problem:
        raise InputError(
            f"the check {words[0]} cannot be run: {problem.strerror}",
            code="check-missing",
            where=gate.where,
            hint="a path counts from the directory of tidegate.yaml",
        ) from None
    except subprocess.TimeoutExpired:
        return Checked(None)
    lines = done.stdout.decode(errors="replace").strip().splitlines()
    return Checked(done.returncode, lines[-1] if lines else "")
