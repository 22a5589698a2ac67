"""The user's systemd, by its command line."""

from __future__ import annotations

import threading
import time
from typing import Dict, Iterable, List, Optional, Set

from tidegate.host.run import run

PROPERTIES = (
    "Id",
    "LoadState",
    "ActiveState",
    "SubState",
    "Result",
    "ExecMainStatus",
    "NRestarts",
    "ActiveEnterTimestamp",
    "Job",
    "InvocationID",
)
# Longer than any service's own time to stop: systemd ends a stop by itself.
STOP_S = 24 * 3600.0


def systemctl(*words: str, check: bool = True, timeout_s: float = 120.0) -> str:
    """`systemctl --user WORDS`; its output."""
    return run(["systemctl", "--user", *words], check=check, timeout_s=timeout_s).stdout


def status(*words: str) -> int:
    """The exit status of `systemctl --user WORDS`."""
    return run(["systemctl", "--user", *words], check=False).returncode


def daemon_reload() -> None:
    """Let systemd and Quadlet's generator read the unit files again."""
    systemctl("daemon-reload")


def show(units: Iterable[str]) -> Dict[str, Dict[str, str]]:
    """The PROPERTIES of each unit, by the name it was asked by (suffix .service added)."""
    names = [f"{unit}.service" for unit in units]
    if not names:
        return {}
    output = systemctl("show", *names, "-p", ",".join(PROPERTIES))
    blocks = output.strip("\n").split("\n\n")
    result = {}
    for index, block in enumerate(blocks):
        pairs = (line.partition("=") for line in block.splitlines())
        result[names[index][: -len(".service")]] = {key: value for key, _, value in pairs}
    return result


class Looks:
    """What systemd says of units, asked once for all threads that look at about the same time."""

    def __init__(self, fresh_s: float) -> None:
        self._fresh_s = fresh_s
        self._lock = threading.Lock()
        self._units: Set[str] = set()
        self._found: Dict[str, Dict[str, str]] = {}
        self._asked = 0.0

    def of(self, unit: str, since: float) -> Dict[str, str]:
        """The PROPERTIES of a unit; asked for after `since`, and at most `fresh_s` seconds ago."""
        with self._lock:
            self._units.add(unit)
            now = time.monotonic()
            if unit not in self._found or self._asked < max(since, now - self._fresh_s):
                self._asked, self._found = now, show(sorted(self._units))
            return self._found[unit]

    def end(self, unit: str) -> None:
        """Ask for a unit no more."""
        with self._lock:
            self._units.discard(unit)


def complete(unit: str, cancel: Optional[threading.Event] = None) -> None:
    """Start a unit that ends by itself and wait until it has; `cancel` ends the waiting alone.

    systemd says when: asking it ten times a second costs a tenth of a processor.
    """
    words = ["systemctl", "--user", "start", f"{unit}.service"]
    run(words, check=False, timeout_s=STOP_S, cancel=cancel)


def restart(unit: str) -> None:
    """Begin to restart a unit and return at once."""
    systemctl("restart", "--no-block", f"{unit}.service")


def reset_failed(units: Iterable[str]) -> None:
    """Forget earlier failures, so that a start is judged by itself."""
    names = [f"{unit}.service" for unit in units]
    if names:
        systemctl("reset-failed", *names, check=False)


def stop(units: Iterable[str]) -> None:
    """Stop units and wait until they are, as long as their TimeoutStopSec lets them."""
    names = [f"{unit}.service" for unit in units]
    if names:
        systemctl("stop", *names, check=False, timeout_s=STOP_S)


def unit_logs(unit: str, lines: int = 20) -> List[str]:
    """The last that systemd and podman themselves said of a unit."""
    words = ["journalctl", "--user", "-q", "-o", "cat", "-n", str(lines), "-u", f"{unit}.service"]
    return [line for line in run(words, check=False).stdout.splitlines() if line.strip()]


def logs(unit: str, lines: int = 20) -> List[str]:
    """The last output of the container of `unit` since it was started last.

    Also of one that is gone: its output is in the journal, under its name, which earlier
    copies in the same slot had as well.
    """
    words = ["journalctl", "--user", "-q", "-o", "cat", "-n", str(lines)]
    since = systemctl("show", f"{unit}.service", "-p", "InactiveExitTimestamp", "--value").strip()
    if since and since != "n/a":
        words.append(f"--since={since}")
    result = run([*words, f"CONTAINER_NAME={unit}"], check=False)
    return [line for line in result.stdout.splitlines() if line.strip()]
