"""Life-cycle hooks as systemd commands around the container.

``%N`` is the unit's name, which is the container's. Quadlet's own ExecStop follows ours.
Sources: systemd.service(5); podman-exec(1);
https://docs.docker.com/compose/how-tos/lifecycle/.
"""

from __future__ import annotations

from typing import Any

from tidegate.targets.quadlet.escape import InexpressibleError, words
from tidegate.targets.quadlet.rows import Service

KEYS = {"post_start": "ExecStartPost", "pre_stop": "ExecStop"}


def row(service: Service, at: str, value: Any) -> None:
    """The rows ``post_start`` and ``pre_stop``."""
    for index, hook in enumerate(value):
        options: list[str] = []
        for name in sorted(hook):
            options += _options(name, hook[name])
            service.sheet.also((at, index, name), "unit", KEYS[at])
        try:
            head, tail = words(["/usr/bin/podman", "exec", *options]), words(hook["command"])
        except InexpressibleError as problem:
            service.sheet.refuse((at, index, "command"), f"the command {problem}")
        service.sheet.raw("Service", KEYS[at], f"{head} %N {tail}")


def _options(name: str, value: Any) -> list[str]:
    if name == "user":
        return [f"--user={value}"]
    if name == "privileged":
        return ["--privileged"] if value else []
    if name == "working_dir":
        return [f"--workdir={value}"]
    if name == "environment":
        return [f"--env={key}={item}" for key, item in sorted(value.items()) if item is not None]
    return []
