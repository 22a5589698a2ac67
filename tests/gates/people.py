"""People with SSH keys of their own, and what they sign."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Key:
    """A key pair in files."""

    file: Path

    @classmethod
    def make(cls, folder: Path, name: str) -> Key:
        """A new one; its comment is NAME@example.com."""
        folder.mkdir(parents=True, exist_ok=True)
        words = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"{name}@example.com")
        subprocess.run([*words, "-f", folder / name], check=True)
        return cls(folder / name)

    @property
    def line(self) -> str:
        """The public half, with its comment."""
        return Path(f"{self.file}.pub").read_text(encoding="utf-8").strip()

    def sign(self, content: bytes, namespace: str) -> str:
        """The armoured signature."""
        words = ("ssh-keygen", "-Y", "sign", "-q", "-f", self.file, "-n", namespace)
        done = subprocess.run(words, input=content, capture_output=True, check=True)
        return done.stdout.decode()
