"""Containers by their names here: podman, and what their processes use."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path


def podman(*words: str, check: bool = True) -> str:
    """What podman says."""
    done = subprocess.run(
        ("podman", *words), check=False, capture_output=True, text=True, timeout=60
    )
    if check and done.returncode:
        raise RuntimeError(f"podman {' '.join(words)}: {done.stderr.strip()}")
    return done.stdout.strip()


def pids(container: str) -> list[int]:
    """Its conmon, its first process and all below that one."""
    shown = podman("inspect", "-f", "{{.State.ConmonPid}} {{.State.Pid}}", f"names-{container}")
    conmon, first = map(int, shown.split())
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = [first]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return [conmon, *found]


def running_us(pid: int) -> float:
    """Time on a processor, of all threads (proc(5), /proc/PID/task/TID/schedstat)."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1000


def memory_kib(container: str) -> dict[str, int]:
    """PSS and RSS of its processes and its conmon, KiB (proc(5), smaps_rollup)."""
    total = {"pss": 0, "rss": 0, "pss_conmon": 0}
    for number, pid in enumerate(pids(container)):
        text = podman("unshare", "cat", f"/proc/{pid}/smaps_rollup")
        fields = {line.split()[0]: line.split()[1] for line in text.splitlines()[1:]}
        total["pss"] += int(fields["Pss:"])
        total["rss"] += int(fields["Rss:"])
        total["pss_conmon"] += 0 if number else int(fields["Pss:"])
    return total
