"""Time on a host. Leases count CLOCK_BOOTTIME: it goes on in suspend and never jumps."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path


def boottime() -> float:
    """Seconds since this boot, suspended time included (clock_gettime(2))."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot_mark() -> str:
    """A word that changes with every boot of this server.

    The kernel's boot_id alone does not do: a server that is a container keeps it over its
    own reboot. The start time of PID 1 is added, in clock ticks since the kernel's boot
    (proc(5), field 22 of /proc/1/stat).
    """
    kernel = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    stat = Path("/proc/1/stat").read_text(encoding="utf-8", errors="replace")
    return f"{kernel}/{stat.rsplit(')', 1)[1].split()[19]}"


def wall() -> str:
    """The wall clock for people to read, in UTC; nothing is decided by it."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
