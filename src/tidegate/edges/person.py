"""The person who sits here: which of their SSH keys is among the people, and signing with it.

A key in a file signs by itself, one that only the SSH agent has through it: ``ssh-keygen -Y sign``
takes the public half then (ssh-keygen(1), OpenSSH 8.1).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tidegate.edges.private_dir import runtime_dir
from tidegate.edges.process import Command, run
from tidegate.edges.signing import sign
from tidegate.errors import InfrastructureError, InputError

# In the order in which ssh tries them: ssh_config(5), IdentityFile.
FILES = ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk")


@dataclass(frozen=True, slots=True)
class Person:
    """A name under ``people`` and the key that signs: a file, or a line that the agent has."""

    name: str
    file: Path | None
    line: str

    def sign(self, content: bytes, namespace: str) -> str:
        """The armoured signature over ``content``."""
        if self.file is not None:
            return sign(self.file, content, namespace)
        public = runtime_dir() / f"person-{os.getpid()}.pub"
        public.write_text(f"{self.line}\n", encoding="utf-8")
        try:
            return sign(public, content, namespace)
        finally:
            public.unlink()


def person(people: Mapping[str, str], named: str = "") -> Person:
    """Who of ``people`` has the key in the file ``named``, in the SSH agent or in ~/.ssh.

    ``InputError`` where none of them does.
    """
    names = {_bare(line): name for name, line in people.items()}
    for file, line in [_named(Path(named))] if named else _own():
        if _bare(line) in names:
            return Person(names[_bare(line)], file, line)
    known = ", ".join(people) or "nobody"
    raise InputError(
        f"{named or 'what is in ~/.ssh'} is not the key of anybody under people",
        code="not-a-person",
        hint=f"people: {known}; name a key with --key, or add yours and deploy that first",
    )


def _bare(line: str) -> str:
    return " ".join(line.split()[:2])


def _named(path: Path) -> tuple[Path | None, str]:
    """A private key's file, or the public half of one that the agent has."""
    if not path.is_file():
        raise InputError(
            f"there is no key {path}",
            code="key-missing",
            hint="name the file of an SSH key, as in --key ~/.ssh/id_ed25519",
        )
    public = path if path.suffix == ".pub" else Path(f"{path}.pub")
    if public.is_file():
        return path, public.read_text(encoding="utf-8", errors="replace").strip()
    derived = run(Command(("ssh-keygen", "-y", "-P", "", "-f", str(path))))
    if derived.returncode:
        raise InputError(
            f"{path} is no private key without a passphrase, and {public} is not there",
            code="key-unreadable",
            hint=f"ssh-keygen -y -f {path} > {public}",
        )
    return path, derived.text.strip()


def _own() -> Iterator[tuple[Path | None, str]]:
    """The agent's keys, then those in ~/.ssh."""
    try:
        listed = run(Command(("ssh-add", "-L")))
    except InfrastructureError:
        listed = None
    if listed is not None and listed.returncode == 0:
        yield from ((None, line) for line in listed.text.splitlines() if line)
    for name in FILES:
        path = Path.home() / ".ssh" / name
        if path.is_file():
            yield _named(path)
