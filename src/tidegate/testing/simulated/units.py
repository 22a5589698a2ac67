"""The user's systemd for tasks alone: each unit a process of its own that outlives the tool.

``Exec=`` is words for a shell. How a unit stands is in a file beside its text, so whoever starts
next finds it, as with the real one; a unit that is started again after a reboot is simulated by
taking that file away.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Iterable
from pathlib import Path

UNITS = ".config/containers/systemd"
# The mark first, as the unit has it; then the work; then how it ended, in one step.
SCRIPT = """
{marks}
[ $? = 0 ] || {{ echo failed mark > {state}.new; mv {state}.new {state}; exit; }}
( {work} ) > {log} 2>&1
code=$?
if [ $code = 0 ]; then echo active; else echo failed $code; fi > {state}.new
mv {state}.new {state}
"""


def complete(unit: str) -> None:
    """Do a unit's work, to its end."""
    file = Path.home() / UNITS / f"{unit}.container"
    lines = [line.partition("=")[::2] for line in file.read_text().splitlines()]
    marks = [text.replace("%h", str(Path.home())) for key, text in lines if key == "ExecStartPre"]
    words = next(text for key, text in lines if key == "Exec")
    state = _state(unit)
    state.write_text("activating")
    names = {"state": shlex.quote(str(state)), "log": shlex.quote(f"{state}.log")}
    script = SCRIPT.format(marks=" && ".join(marks) or "true", work=words, **names)
    work = subprocess.Popen(
        ["/bin/sh", "-c", script], start_new_session=True, stdin=subprocess.DEVNULL
    )
    work.wait()


def show(units: Iterable[str]) -> dict[str, dict[str, str]]:
    """How each stands, in systemd's words."""
    found = {}
    for unit in units:
        words = _state(unit).read_text().split() if _state(unit).exists() else ["inactive"]
        result = "timeout" if words[-1] == "124" else "exit-code"
        found[unit] = {"ActiveState": words[0], "ExecMainStatus": words[-1], "Result": result}
    return found


def logs(unit: str, _lines: int = 20) -> list[str]:
    """Its output."""
    file = Path(f"{_state(unit)}.log")
    return file.read_text().splitlines() if file.exists() else []


def stop(units: Iterable[str]) -> None:
    """Forget how they stand."""
    for unit in units:
        _state(unit).unlink(missing_ok=True)


def daemon_reload() -> None:
    """Texts are read when they are needed."""


def reset_failed(units: Iterable[str]) -> None:
    """A failure is forgotten."""
    stop(units)


def _state(unit: str) -> Path:
    return Path.home() / UNITS / f"{unit}.state"
