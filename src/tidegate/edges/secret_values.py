"""Values of secrets, from files and variables of this machine, ready for the wire.

They go to hosts over SSH and nowhere else. What was sent last is remembered here as a salted
digest only, so that a changed value is noticed by a deployment that changes nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from tidegate.edges.private_dir import cache_dir
from tidegate.errors import InputError, Where

Values = dict[str, str]
# podman v5.4.2 vendor/github.com/containers/common/pkg/secrets: larger than 0, less than this.
MOST_BYTES = 512_000


class Source(Protocol):
    """Where a value comes from: a file or a variable."""

    @property
    def name(self) -> str: ...
    @property
    def secret(self) -> str: ...
    @property
    def file(self) -> str: ...
    @property
    def variable(self) -> str: ...
    @property
    def where(self) -> Where: ...


def read(sources: Iterable[Source], variables: Mapping[str, str]) -> Values:
    """Base64 of each value by its name on the host; the environment's variables come first."""
    return {source.secret: encoded(_fitting(source, variables)) for source in sources}


def changed(place: str, values: Mapping[str, str]) -> bool:
    """Whether they differ from what this machine last sent to ``place``."""
    try:
        kept = json.loads(_note(place).read_text())
        return bool(kept["digest"] != _digest(kept["salt"], values))
    except (OSError, ValueError, KeyError):
        return bool(values)


def remember(place: str, values: Mapping[str, str]) -> None:
    """They are on the hosts of ``place`` now."""
    if not values:
        return
    salt = secrets.token_hex(16)
    note = _note(place)
    note.touch(mode=0o600)
    note.write_text(json.dumps({"salt": salt, "digest": _digest(salt, values)}))


def _fitting(source: Source, variables: Mapping[str, str]) -> bytes:
    value = _value(source, variables)
    if 0 < len(value) < MOST_BYTES:
        return value
    raise InputError(
        f"the secret {source.name} has {len(value)} bytes, and podman keeps 1 to {MOST_BYTES - 1}",
        code="secret-size", where=source.where,
        hint="use a config for it" if value else "give it a value",
    )  # fmt: skip


def _value(source: Source, variables: Mapping[str, str]) -> bytes:
    if source.file:
        try:
            return Path(source.file).read_bytes()
        except OSError as problem:
            raise InputError(
                f"the secret {source.name} cannot be read: {source.file}: {problem.strerror}",
                code="secret-unreadable", where=source.where,
                hint="write the file on this machine; keep it out of git",
            ) from None  # fmt: skip
    value = variables.get(source.variable, os.environ.get(source.variable))
    if value is None:
        raise InputError(
            f"the secret {source.name} has no value: the variable {source.variable} is not set",
            code="secret-unset", where=source.where, hint=f"export {source.variable}=…",
        )  # fmt: skip
    return value.encode()


def encoded(value: bytes) -> str:
    """As it travels."""
    return base64.b64encode(value).decode()


def _digest(salt: str, values: Mapping[str, str]) -> str:
    content = json.dumps(dict(values), sort_keys=True).encode()
    return hashlib.scrypt(content, salt=salt.encode(), n=1024, r=8, p=1).hex()


def _note(place: str) -> Path:
    return cache_dir("secrets") / hashlib.sha256(place.encode()).hexdigest()
