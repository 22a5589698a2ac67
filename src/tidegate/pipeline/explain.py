"""Why a deployment ended as it did, as an error for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.errors import DeploymentFailed, InDoubtError, InfrastructureError, TidegateError
from tidegate.pipeline.states import Phase


def explained(end: Phase, name: str, error: TidegateError | None) -> TidegateError | None:
    """The error of deployment ``name``, which ended so; a lost lease is one of its own."""
    if end is Phase.IN_DOUBT and error is not None:
        return InDoubtError(
            f"{name}: the decision may or may not be recorded: {error.message}",
            code="in-doubt", hint="tidegate status says what the host decided",
        )  # fmt: skip
    if end is Phase.REVERTED and error is None:
        return DeploymentFailed(
            f"{name}: its lease ran out, and the host put itself back", code="lease-lost"
        )
    if end is Phase.LEFT and error is None:
        return InfrastructureError(f"{name} could not be put back", code="left")
    return error


def judge(host: str, result: Mapping[str, Any]) -> None:
    """Raise what a host's verdict on its own watch means."""
    verdict = str(result.get("verdict"))
    reason = str(result.get("reason") or verdict)
    log = tuple(str(line) for line in result.get("log") or ())
    if verdict == "failed":
        raise DeploymentFailed(
            f"{host}: the new version does not do well: {reason}", code="watch-failed", log=log
        )
    if verdict == "error":
        raise InfrastructureError(f"{host}: it could not be watched: {reason}", code="watch-error")


def interrupted() -> DeploymentFailed:
    """A person pressed Ctrl-C."""
    return DeploymentFailed(
        "interrupted", code="interrupted", hint="nothing is left behind; deploy again at any time"
    )
