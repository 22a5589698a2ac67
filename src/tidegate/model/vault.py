"""The secrets of an environment: one file in the repository, readable by a few people. Pure.

A secret is a value, or where a value comes from when it is needed. Its version is a random id,
so that nothing about the value can be learnt from it; a rotated version is revoked for ever.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tidegate.errors import InputError

FORMAT = 1
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")


@dataclass(frozen=True, slots=True)
class Secret:
    """One of: a ``value``, the ``variable`` that has it, a ``command`` that prints it."""

    version: str
    value: str = field(default="", repr=False)
    variable: str = ""
    command: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """Where its value is, in a few words that say nothing of it."""
        if self.variable:
            return f"variable {self.variable}"
        return f"command {self.command[0]}" if self.command else "file"


@dataclass(frozen=True, slots=True)
class Vault:
    """``recipients`` are public keys besides those of the configuration's people."""

    secrets: Mapping[str, Secret] = field(default_factory=dict)
    recipients: tuple[str, ...] = ()

    def put(self, name: str, secret: Secret) -> Vault:
        """With a secret, new or replaced; the old version of a replaced one is not revoked."""
        if not NAME.match(name):
            raise InputError(
                f"{name!r} cannot name a secret",
                code="secret-name",
                hint="letters, digits and _, as in a variable",
            )
        if not (secret.value or secret.variable or secret.command):
            raise InputError(
                f"the secret {name} would be empty", code="secret-empty", hint="give it a value"
            )
        known = self.secrets.get(name)
        kept = replace(secret, revoked=known.revoked) if known else secret
        return replace(self, secrets={**self.secrets, name: kept})

    def without(self, name: str) -> Vault:
        """Without a secret; ``InputError`` where there is none of that name."""
        self.named(name)
        left = {key: secret for key, secret in self.secrets.items() if key != name}
        return replace(self, secrets=left)

    def rotated(self, name: str, secret: Secret) -> Vault:
        """With a new version of a secret, the one before revoked."""
        before = self.named(name)
        changed = self.put(name, secret)
        revoked = (*before.revoked, before.version)
        entry = replace(changed.secrets[name], revoked=revoked)
        return replace(changed, secrets={**changed.secrets, name: entry})

    def named(self, name: str) -> Secret:
        """The secret of that name; ``InputError`` where there is none."""
        if name not in self.secrets:
            known = ", ".join(sorted(self.secrets)) or "none"
            raise InputError(
                f"there is no secret {name!r}", code="secret-unknown", hint=f"there are: {known}"
            )
        return self.secrets[name]

    def text(self) -> str:
        """As JSON, for encryption: names sorted, so equal vaults are equal bytes."""
        entries = {
            name: {
                key: value
                for key, value in (
                    ("version", secret.version),
                    ("value", secret.value),
                    ("variable", secret.variable),
                    ("command", list(secret.command)),
                    ("revoked", list(secret.revoked)),
                )
                if value
            }
            for name, secret in sorted(self.secrets.items())
        }
        content = {"format": FORMAT, "recipients": list(self.recipients), "secrets": entries}
        return json.dumps(content, indent=1) + "\n"


def parse(text: str, name: str) -> Vault:
    """The vault of a decrypted file ``name``; ``InputError`` for what is none, or too new."""
    try:
        content: Mapping[str, Any] = json.loads(text)
        newer = int(content["format"]) > FORMAT
        if not newer:
            return Vault(
                {key: _secret(entry) for key, entry in content["secrets"].items()},
                tuple(content["recipients"]),
            )
    except (ValueError, KeyError, TypeError, AttributeError):
        newer = False
    raise InputError(
        f"{name} was written by a newer Tidegate" if newer else f"{name} holds no secrets",
        code="secrets-format",
        hint="upgrade Tidegate" if newer else "restore it from git",
    )


def _secret(entry: Mapping[str, Any]) -> Secret:
    return Secret(
        version=str(entry["version"]),
        value=str(entry.get("value", "")),
        variable=str(entry.get("variable", "")),
        command=tuple(map(str, entry.get("command", ()))),
        revoked=tuple(map(str, entry.get("revoked", ()))),
    )
