"""What an image declares about itself, read from its OCI configuration.

Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/config.md; the health check is
Docker's extension of it (durations in nanoseconds).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """Ports as ``(8000, "tcp")``, in order; paths of declared volumes; argv as lists.

    ``shell``: whether there is a ``/bin/sh`` in it; None when nobody has looked.
    """

    ports: tuple[tuple[int, str], ...] = ()
    volumes: tuple[str, ...] = ()
    user: str = ""
    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    stop_signal: str = ""
    working_dir: str = ""
    architecture: str = ""
    os: str = "linux"
    healthcheck: Mapping[str, Any] | None = None
    shell: bool | None = None


def facts(config: Mapping[str, Any]) -> ImageFacts:
    """Read an OCI image configuration (the whole object, with ``config`` inside)."""
    inner: Mapping[str, Any] = config.get("config") or {}
    return ImageFacts(
        ports=tuple(sorted(_port(text) for text in inner.get("ExposedPorts") or {})),
        volumes=tuple(sorted(inner.get("Volumes") or {})),
        user=str(inner.get("User") or ""),
        entrypoint=tuple(inner.get("Entrypoint") or ()),
        command=tuple(inner.get("Cmd") or ()),
        env=tuple(_pair(item) for item in inner.get("Env") or ()),
        stop_signal=str(inner.get("StopSignal") or ""),
        working_dir=str(inner.get("WorkingDir") or ""),
        architecture=str(config.get("architecture") or ""),
        os=str(config.get("os") or "linux"),
        healthcheck=_healthcheck(inner.get("Healthcheck")),
    )


def _port(text: str) -> tuple[int, str]:
    number, _, protocol = text.partition("/")
    return int(number.partition("-")[0]), protocol or "tcp"


def _pair(item: str) -> tuple[str, str]:
    name, _, value = item.partition("=")
    return name, value


def _healthcheck(value: Any) -> Mapping[str, Any] | None:
    """In compose's words, with seconds; None for no check or ``NONE``."""
    if not value or not value.get("Test") or value["Test"] == ["NONE"]:
        return None
    seconds = {
        "interval_s": "Interval",
        "timeout_s": "Timeout",
        "start_period_s": "StartPeriod",
    }
    times = {k: value[v] / NANOSECONDS for k, v in seconds.items() if value.get(v)}
    retries = {"retries": value["Retries"]} if value.get("Retries") else {}
    return {"test": list(value["Test"]), **times, **retries}
