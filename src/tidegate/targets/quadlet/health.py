"""Health checks: podman's command line, the figures a deployer waits by, and how to probe.

Sources: podman v5.4.2 pkg/specgenutil/specgen.go MakeHealthCheckFromCli and podman-run(1);
https://docs.docker.com/reference/dockerfile/#healthcheck for the defaults.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.images.facts import ImageFacts
from tidegate.targets.quadlet.durations import seconds
from tidegate.targets.quadlet.escape import SCALAR, plain
from tidegate.targets.quadlet.rows import Service, whole

INTERVAL_S = TIMEOUT_S = 30.0
RETRIES = 3
# systemd's default; the figures of the check may ask for more, never for less.
START_S = 90
# What a container needs besides its checks: to be created, and to be told about.
MARGIN_S = 30
FIGURES = {
    "interval": ("HealthInterval", INTERVAL_S),
    "timeout": ("HealthTimeout", TIMEOUT_S),
    "start_period": ("HealthStartPeriod", 0.0),
}
_URL = re.compile(
    r"""http://(?:localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\])(?::(\d+))?(/[^\s'"`|;&<>()\\]*)?"""
)
_KEYWORDS = frozenset({"CMD", "CMD-SHELL", "NONE"})


@dataclass(frozen=True, slots=True)
class Health:
    """What is checked and how often: ``test`` as in compose, empty for no check. Seconds."""

    test: tuple[str, ...] = ()
    interval_s: float = INTERVAL_S
    timeout_s: float = TIMEOUT_S
    retries: int = RETRIES
    start_period_s: float = 0.0

    @property
    def start_limit_s(self) -> int:
        """How long a start may take before it has failed: what the check itself allows."""
        checks = self.start_period_s + self.retries * (self.interval_s + self.timeout_s)
        return max(START_S, math.ceil(checks) + MARGIN_S)

    def as_dict(self) -> dict[str, Any]:
        """The ``health`` of a service in release.json."""
        return {
            "kind": "container" if self.test else "none",
            "interval_s": self.interval_s,
            "timeout_s": self.timeout_s,
            "retries": self.retries,
            "start_period_s": self.start_period_s,
        }


def health(compose: Mapping[str, Any], facts: ImageFacts | None) -> Health:
    """The check in force: compose's over the image's, key by key, as Docker merges them."""
    declared = _of_image(facts.healthcheck if facts else None)
    check = compose.get("healthcheck") or {}
    test = tuple(check.get("test") or declared.test)
    if check.get("disable") or test[:1] == ("NONE",):
        return Health()
    return Health(
        test=test,
        interval_s=seconds(check.get("interval")) or declared.interval_s,
        timeout_s=seconds(check.get("timeout")) or declared.timeout_s,
        retries=int(check.get("retries") or declared.retries),
        start_period_s=seconds(check.get("start_period")) or declared.start_period_s,
    )


def _of_image(check: Mapping[str, Any] | None) -> Health:
    if not check or not check.get("test") or check["test"][0] == "NONE":
        return Health()
    return Health(
        test=tuple(check["test"]),
        interval_s=float(check.get("interval_s") or INTERVAL_S),
        timeout_s=float(check.get("timeout_s") or TIMEOUT_S),
        retries=int(check.get("retries") or RETRIES),
        start_period_s=float(check.get("start_period_s") or 0.0),
    )


def write(service: Service, at: str, value: Any) -> None:
    """The row ``healthcheck``."""
    sheet = service.sheet
    if not value:
        sheet.default((at,), "empty")
    for name in sorted(value):
        path = (at, name)
        if name == "disable":
            _disable(service, path, bool(value[name]))
        elif name == "test":
            _test(service, path, value[name])
        elif name in FIGURES and not seconds(value[name]):
            sheet.default(path, "nothing is the default, to Docker as to podman")
        elif name in FIGURES:
            sheet.key(path, FIGURES[name][0], str(value[name]))
        elif name == "retries":
            sheet.key(path, "HealthRetries", str(int(value[name]) or RETRIES))
        elif name == "start_interval":
            reason = "a start is checked every 500 ms, less often where many services are checked"
            sheet.deployed(path, reason)


def _disable(service: Service, path: tuple[str, ...], disabled: bool) -> None:
    if disabled:
        service.sheet.key(path, "HealthCmd", "none")
    else:
        service.sheet.default(path)


def _test(service: Service, path: tuple[str, ...], test: list[str]) -> None:
    if not test or service.compose["healthcheck"].get("disable"):
        service.sheet.default(path, "the check is off")
        return
    for argument in test:
        whole(service.sheet, path, argument)
    command = health_command(test)
    _needs_shell(service, path, test)
    if command is None:
        service.sheet.refuse(
            path,
            "podman cannot run this command without a shell",
            "give the command as CMD-SHELL",
        )
    service.sheet.key(path, "HealthCmd", command)


def _needs_shell(service: Service, path: tuple[str, ...], test: Sequence[str]) -> None:
    """Refuse a shell form where the image has no shell: the check could never pass."""
    facts = service.scope.facts(service.name)
    if test[0] == "CMD-SHELL" and facts is not None and facts.shell is False:
        service.sheet.refuse(
            path,
            "its command needs a shell, and the image has no /bin/sh",
            'give a program of the image as a list: test: ["CMD", "/program", "argument"]',
        )


def health_command(test: list[str]) -> str | None:
    """The value of ``--health-cmd`` that podman reads back as ``test``; None if there is none.

    Podman prepends CMD to an array of several words itself, makes a shell command of an array of
    one, and takes a first word CMD, CMD-SHELL or NONE for a keyword.
    """
    keyword, arguments = test[0], test[1:]
    if keyword == "NONE":
        return "none"
    if keyword == "CMD-SHELL":
        return _shell(" ".join(arguments))
    if not arguments or arguments[0].upper() in _KEYWORDS:
        return None
    if len(arguments) > 1:
        return json.dumps(arguments)
    return f"CMD {arguments[0]}" if arguments[0].split() == arguments else None


def _shell(command: str) -> str:
    """As it is where podman and Quadlet leave it alone, else the array that says the same."""
    first = command.split(" ", 1)[0].upper()
    simple = command.strip() == command and not command.startswith(("[", '"', "{"))
    safe = simple and command and command.isprintable() and not command.endswith(('"', "\\"))
    if safe and first not in _KEYWORDS:
        return command
    return json.dumps(["CMD-SHELL", command])


def complete(service: Service, found: Health) -> None:
    """What no compose key says: the image's own check, written out, and Notify=healthy.

    Podman ignores figures without a command, and the host repeats the command while it starts.
    """
    if not found.test:
        return
    check = service.compose.get("healthcheck") or {}
    lines = service.sheet.raw
    if not check.get("test"):
        command = health_command(list(found.test))
        _needs_shell(service, ("healthcheck",), found.test)
        if command is None:
            service.sheet.refuse(("healthcheck",), "podman cannot run the image's own check")
        lines("Container", "HealthCmd", plain(command, SCALAR) or command)
        for name, (key, default) in FIGURES.items():
            figure = getattr(found, f"{name}_s")
            if not check.get(name) and figure != default:
                lines("Container", key, f"{figure:g}s")
        if not check.get("retries") and found.retries != RETRIES:
            lines("Container", "HealthRetries", str(found.retries))
    lines("Container", "Notify", "healthy")
    lines("Service", "TimeoutStartSec", str(found.start_limit_s))


def probe_of(test: tuple[str, ...]) -> tuple[str, int] | None:
    """(path, port) of the URL on the container itself that a check asks for, if it names one."""
    for argument in test[1:]:
        found = _URL.search(argument)
        if found and "$" not in found.group(0):
            return found.group(2) or "/", int(found.group(1) or 80)
    return None
