"""``restart`` and ``deploy.restart_policy`` as systemd keys.

Docker restarts for ever with a growing pause; systemd gives up after five starts in ten seconds
unless it is told not to. Sources: systemd.service(5) RestartSteps= (254 and newer; older ones
ignore it with a warning); https://docs.docker.com/engine/containers/start-containers-automatically/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.targets.quadlet.durations import seconds
from tidegate.targets.quadlet.health import Health
from tidegate.targets.quadlet.ports import published
from tidegate.targets.quadlet.rows import Service
from tidegate.targets.quadlet.sheet import Path

FOREVER = [
    ("Unit", "StartLimitIntervalSec", "0"),
    ("Service", "RestartSec", "100ms"),
    ("Service", "RestartSteps", "10"),
    ("Service", "RestartMaxDelaySec", "60s"),
]
# Docker counts failures until a container ran for a while; systemd counts within a window.
WINDOW_S = 600
WORDS = frozenset({"no", "always", "on-failure", "unless-stopped"})
HINT = "use no, always, on-failure, on-failure:3 or unless-stopped"
CONDITIONS = {"none": "no", "no": "no", "on-failure": "on-failure", "any": "always", "": "always"}


def policy_of(compose: Mapping[str, Any]) -> str:
    """no, always or on-failure: ``deploy.restart_policy`` wins over ``restart``."""
    policy = (compose.get("deploy") or {}).get("restart_policy")
    if policy:
        return CONDITIONS.get(policy.get("condition", ""), "always")
    word = str(compose.get("restart") or "no").partition(":")[0]
    return "always" if word == "unless-stopped" else word


def restart(service: Service, at: str, value: Any) -> None:
    """The row ``restart``."""
    if (service.compose.get("deploy") or {}).get("restart_policy"):
        service.sheet.also((at,), "unit", "Restart", "deploy.restart_policy wins")
        return
    word, _, count = str(value).partition(":")
    if word not in WORDS:
        service.sheet.unsupported((at,), f"there is no restart policy {value!r}", HINT)
        return
    attempts = service.sheet.number((at,), count) if count else 0
    _write(service, (at,), policy_of(service.compose), attempts, WINDOW_S)


def restart_policy(service: Service, at: Path, value: Mapping[str, Any]) -> None:
    """``deploy.restart_policy``."""
    sheet = service.sheet
    attempts = int(value.get("max_attempts") or 0)
    window = seconds(value.get("window")) or WINDOW_S
    _write(service, (*at, "condition"), policy_of(service.compose), attempts, window)
    for name, setting in sorted(value.items()):
        path = (*at, name)
        if name == "delay":
            sheet.raw("Service", "RestartSec", f"{seconds(setting):g}s")
            sheet.also(path, "unit", "RestartSec")
        elif name == "max_attempts":
            sheet.also(path, "unit", "StartLimitBurst" if attempts else "StartLimitIntervalSec")
        elif name == "window":
            sheet.also(path, "unit", "StartLimitIntervalSec")


def may_end(service: Service, check: Health) -> bool:
    """Whether the end of its process is no failure, if it ends with 0.

    docker compose leaves such a container ``Exited (0)``; who publishes a port, has a route or a
    health check is there to answer, and has not done its work by ending.
    """
    serves = check.test or published(service) or service.scope.setting(service.name).route
    return policy_of(service.compose) != "always" and not serves


def _write(service: Service, at: Path, policy: str, attempts: int, window_s: float) -> None:
    sheet = service.sheet
    if service.scope.strategies.get(service.name) == "job" and policy == "always":
        policy = "no"
        sheet.raw("Service", "Restart", policy)
        sheet.also(at, "unit", "Restart", "others wait for its end, so it is run once")
        return
    sheet.unit(at, "Service", "Restart", policy)
    if policy == "no":
        if not service.scope.exporting:
            sheet.lines["Install"] = []  # said in so many words: a boot does not start it either
        return
    if attempts:
        sheet.raw("Unit", "StartLimitIntervalSec", f"{window_s:g}")
        # systemd counts starts, Docker those after the first one.
        sheet.raw("Unit", "StartLimitBurst", str(attempts + 1))
        return
    for section, key, text in FOREVER:
        if key != "RestartSec" or "delay" not in (
            (service.compose.get("deploy") or {}).get("restart_policy") or {}
        ):
            sheet.raw(section, key, text)
