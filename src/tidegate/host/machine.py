"""What this machine is and what its user may set: architecture, controllers, hard limits."""

from __future__ import annotations

import os
import platform
import re
import resource
from pathlib import Path
from typing import Any, Dict

from tidegate.host.files import read_text

Facts = Dict[str, Any]


def facts() -> Facts:
    """What the machine is and can do, as far as it is cheap to know."""
    controllers = read_text(_user_cgroup() / "cgroup.controllers") or ""
    return {
        "arch": {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine()),
        "python": platform.python_version(),
        "controllers": controllers.split(),
        "ulimits": _ulimits(),
    }


def _user_cgroup() -> Path:
    """The cgroup of the user's systemd: what is delegated to it, its units may have."""
    text = read_text(Path("/proc/self/cgroup")) or ""
    match = re.search(r"^0::(.*?/user@\d+\.service)", text, re.MULTILINE)
    return Path("/sys/fs/cgroup" + (match.group(1) if match else ""))


def _ulimits() -> Dict[str, int]:
    """Each hard limit of this user, by podman's name for it; root may raise its own."""
    if os.getuid() == 0:
        return {}
    names = [name for name in dir(resource) if name.startswith("RLIMIT_")]
    return {
        name[len("RLIMIT_") :].lower(): resource.getrlimit(getattr(resource, name))[1]
        for name in names
    }
