"""What a container's own health check says, and whether it can say anything at all."""

from __future__ import annotations

from typing import Any, Dict, List

from tidegate.host import podman

# The check itself has a time-out; this is for one that is tried by hand.
TRY_S = 20.0
# What podman-exec(1) ends with when it could not run the command.
NOT_RUN = (126, 127)
NOT_FOUND = "OCI runtime attempted to invoke a command that was not found"


def output(container: str) -> List[str]:
    """The last answer of a container's health check, for people."""
    log = _log(container)
    lines = log[-1].get("Output", "").strip().splitlines() if log else []
    return [f"health check: {line}" for line in lines[-5:]]


def missing_program(container: str) -> str:
    """The program that the check runs and the image does not have; empty while that is open.

    Podman 5.4 notes such a check as one that failed and said nothing, so it is tried once.
    """
    found = podman.inspect([container])
    log = _log_of(found)
    if not log or log[-1].get("ExitCode") == 0 or log[-1].get("Output", "").strip():
        return ""
    test = (found[0]["Config"].get("Healthcheck") or {}).get("Test") or []
    argv = ["/bin/sh", "-c", "true"] if test[:1] == ["CMD-SHELL"] else test[1:]
    if not argv:
        return ""
    done = podman.execute(container, argv, TRY_S)
    return argv[0] if done.returncode in NOT_RUN and NOT_FOUND in done.stderr else ""


def _log(container: str) -> List[Dict[str, Any]]:
    return _log_of(podman.inspect([container]))


def _log_of(found: List[Dict[str, Any]]) -> List[Dict[str, Any]]:
    health = found[0].get("State", {}).get("Health") if found else None
    return list((health or {}).get("Log") or [])
