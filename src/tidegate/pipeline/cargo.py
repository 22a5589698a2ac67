"""How a release reaches the hosts: packed once for all of them, in frames that each takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.errors import InfrastructureError, InputError
from tidegate.host import parcel
from tidegate.host.errors import HostError


@dataclass(frozen=True, slots=True)
class Cargo:
    """The ``args`` of each ``part`` that goes before ``prepare``, and what ``prepare`` says."""

    parts: Sequence[Mapping[str, Any]] = ()
    named: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, release: Mapping[str, Any]) -> Cargo:
        """``InputError`` for a release that is too large for any host."""
        try:
            parts, named = parcel.split(release)
        except HostError as problem:
            raise InputError(problem.message, code=problem.code, hint=problem.hint) from None
        return cls(parts, named)


def unpacked(host: str, parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The release of the parts that ``host`` has sent; ``InfrastructureError`` if it is not."""
    try:
        return parcel.unpack([str(part["data"]) for part in parts], str(parts[0]["digest"]))
    except HostError as problem:
        raise InfrastructureError(f"{host}: {problem.message}", code=problem.code) from None
