"""The encrypted file of secrets: read and written with age, for people's SSH keys.

Source: https://age-encryption.org/v1; SSH keys as recipients: https://github.com/FiloSottile/age
"""

from __future__ import annotations

import contextlib
import os
import secrets as chance
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.edges.private_dir import config_dir
from tidegate.errors import InfrastructureError, InputError, Where
from tidegate.model.vault import Secret, Vault, parse

if TYPE_CHECKING:
    from pyrage import ssh, x25519

    Identity = ssh.Identity | x25519.Identity
    Recipient = ssh.Recipient | x25519.Recipient

# The text of an identity, for a machine that has no person: a CI job.
VARIABLE = "TIDEGATE_AGE_IDENTITY"
COMMAND_S = 60.0
# age-encryption.org/v1, and the armour around it.
HEADERS = (b"age-encryption.org/", b"-----BEGIN AGE ENCRYPTED FILE-----")


def load(path: Path, where: Where | None = None) -> Vault:
    """The vault in a file; an empty one where there is none yet."""
    import pyrage

    try:
        sealed = path.read_bytes()
    except FileNotFoundError:
        return Vault()
    if not sealed.startswith(HEADERS):
        raise InputError(
            f"{path.name} is no file that age has encrypted",
            code="secrets-format",
            where=where,
            hint="restore it from git, or remove it and set its secrets again",
        )
    mine = list(identities())
    try:
        text = pyrage.decrypt(sealed, mine).decode()
    except pyrage.DecryptError as problem:
        raise InputError(
            f"{path.name} cannot be opened with any key of yours: {problem}",
            code="secrets-locked",
            where=where,
            hint="somebody who can open it adds your SSH key under people: and runs "
            "`tidegate secrets edit`",
        ) from None
    return parse(text, path.name)


def save(path: Path, vault: Vault, people: Sequence[str]) -> None:
    """Encrypt for all people and for whoever writes; replaced whole, never half."""
    import pyrage

    keys = dict.fromkeys((*people, *vault.recipients, own_recipient()))
    sealed = pyrage.encrypt(vault.text().encode(), [_recipient(k) for k in keys], armored=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(sealed)
    fresh.replace(path)


def own_recipient() -> str:
    """The public key of this user's own identity, made at the first call."""
    from pyrage import x25519

    path = config_dir() / "age.txt"
    if not path.exists():
        _generate(path)
    return str(x25519.Identity.from_str(path.read_text(encoding="utf-8").strip()).to_public())


def _generate(path: Path) -> None:
    """Written whole, then linked: of two commands' identities the first stays, and is both's."""
    from pyrage import x25519

    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", prefix=f"{path.name}.", dir=path.parent) as fresh:
        fresh.write(f"{x25519.Identity.generate()}\n")
        fresh.flush()
        os.fsync(fresh.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh.name, path)


def identities() -> Iterator[Identity]:
    """Every key of this user that may open the file: age's own, and SSH keys without passphrase."""
    from pyrage import IdentityError, ssh, x25519

    given = os.environ.get(VARIABLE, "").strip()
    own = config_dir() / "age.txt"
    for text in (given, own.read_text(encoding="utf-8").strip() if own.exists() else ""):
        if text.startswith("AGE-SECRET-KEY-"):
            yield x25519.Identity.from_str(text)
        elif text:
            yield ssh.Identity.from_buffer(text.encode() + b"\n")
    for name in ("id_ed25519", "id_rsa"):
        path = Path.home() / ".ssh" / name
        try:
            yield ssh.Identity.from_buffer(path.read_bytes())
        except (OSError, IdentityError):
            continue


def _recipient(key: str) -> Recipient:
    from pyrage import RecipientError, ssh, x25519

    try:
        return (
            x25519.Recipient.from_str(key)
            if key.startswith("age1")
            else (ssh.Recipient.from_str(key))
        )
    except RecipientError as problem:
        raise InputError(
            f"{key[:40]}… is no key that secrets can be encrypted for: {problem}",
            code="secrets-recipient",
            hint="an ssh-ed25519 or ssh-rsa key, or one of age",
        ) from None


def new_version() -> str:
    """A random id."""
    return chance.token_hex(4)


def value(name: str, secret: Secret, variables: Mapping[str, str]) -> str:
    """The value of a secret now; ``InputError`` where its source has none."""
    if secret.variable:
        found = variables.get(secret.variable, os.environ.get(secret.variable, ""))
        if not found:
            raise InputError(
                f"the secret {name} has no value: the variable {secret.variable} is not set",
                code="secret-unset",
                hint=f"export {secret.variable}=…",
            )
        return found
    return _printed(name, secret.command) if secret.command else secret.value


def _printed(name: str, command: Sequence[str]) -> str:
    """What a command prints, without the last newline; its errors are not shown: they may tell."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=COMMAND_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise InfrastructureError(
            f"the command of the secret {name} does not run: {type(problem).__name__}",
            code="secret-command",
            hint=f"try: {command[0]}",
        ) from None
    text = done.stdout.rstrip("\n")
    if done.returncode or not text:
        raise InfrastructureError(
            f"the command of the secret {name} ended with {done.returncode} and "
            f"{'no value' if not text else 'an error'}",
            code="secret-command",
            hint=f"try: {command[0]}",
        )
    return text
