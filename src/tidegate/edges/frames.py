"""Host protocol 1 as bytes: one JSON object a line, at most 1 MiB, and its errors as ours."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from tidegate.errors import (
    DeploymentFailed,
    InDoubtError,
    InfrastructureError,
    InputError,
    RefusedError,
    TidegateError,
    WaitingError,
)

PROTOCOL = 1
MAX_FRAME = 1 << 20

CLASSES: Mapping[str, type[TidegateError]] = {
    "input": InputError,
    "refused": RefusedError,
    "failed": DeploymentFailed,
    "error": InfrastructureError,
    "waiting": WaitingError,
    "in-doubt": InDoubtError,
}


def request(ident: str, op: str, deployment: str, token: int, args: Mapping[str, Any]) -> bytes:
    """One request line; too long a one is an ``InputError`` before anything is sent."""
    frame: dict[str, Any] = {"v": PROTOCOL, "id": ident, "op": op, "args": dict(args)}
    if deployment:
        frame |= {"deployment": deployment, "token": token}
    line = json.dumps(frame, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    if len(line) > MAX_FRAME:
        raise InputError(
            f"the request {op} has {len(line)} bytes, and a host takes at most {MAX_FRAME}",
            code="frame-too-long",
            hint="is there a very large value among the environment variables?",
        )
    return line


def too_long(host: str) -> InfrastructureError:
    """A line from a host that is no frame: it has no end within the limit."""
    return InfrastructureError(
        f"{host} answered with more than {MAX_FRAME} bytes, which no host of ours does",
        code="protocol",
    )


def parse(line: bytes, host: str) -> dict[str, Any]:
    """One line from a host; anything but an object means that something else answers."""
    try:
        frame = json.loads(line)
    except ValueError:
        frame = None
    if not isinstance(frame, dict):
        shown = line[:120].decode(errors="replace").strip()
        raise InfrastructureError(
            f"{host} answered {shown!r} where the protocol was expected",
            code="protocol",
            hint="does ~/.bashrc of the deploy user print something? it must not for commands",
        )
    return frame


def error(host: str, frame: Mapping[str, Any]) -> TidegateError:
    """The error of a response with ``ok: false``."""
    told = frame.get("error") or {}
    kind = CLASSES.get(str(told.get("class")), InfrastructureError)
    return kind(
        f"{host}: {told.get('message', 'an error without words')}",
        code=str(told.get("code", "host")),
        hint=str(told.get("hint", "")),
        log=tuple(str(line) for line in told.get("log") or ()),
        subject=str(told.get("subject", "")),
    )
