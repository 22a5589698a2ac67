"""The key that signs releases: ``TIDEGATE_SIGNING_KEY``, else one made at first need.

An ed25519 key in OpenSSH's format below ~/.config/tidegate, mode 0600, without a passphrase;
hosts know its public half as the signer ``deployer``. Format: ssh-keygen(1), ALLOWED SIGNERS.
"""

from __future__ import annotations

import os
from pathlib import Path

from tidegate.edges.private_dir import config_dir
from tidegate.edges.process import Command, checked, run
from tidegate.errors import InputError

VARIABLE = "TIDEGATE_SIGNING_KEY"


def signing_key() -> Path:
    """The private key's file; it is generated where none was named and there is none yet."""
    named = os.environ.get(VARIABLE, "")
    if named:
        if not Path(named).is_file():
            raise InputError(
                f"there is no signing key at {named}",
                code="signing-key-missing",
                hint=f"{VARIABLE} must name an OpenSSH private key; unset it to use your own",
            )
        return Path(named)
    path = config_dir() / "signing_key"
    if not path.exists():
        generate(path)
    return path


def generate(path: Path) -> None:
    """Make a key pair under a name of our own, then link it: of two processes one pair stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    comment = f"tidegate@{os.uname().nodename}"
    argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(fresh))
    checked(run(Command(argv)), code="signing-key", what="no signing key could be made")
    try:
        os.link(fresh, path)
        Path(f"{fresh}.pub").replace(f"{path}.pub")
    except FileExistsError:
        Path(f"{fresh}.pub").unlink()
    finally:
        fresh.unlink()


def public_key(private: Path) -> str:
    """The line ``ssh-ed25519 AAAA…`` of a private key's public half, without its comment."""
    argv = ("ssh-keygen", "-y", "-f", str(private))
    done = checked(
        run(Command(argv)),
        code="signing-key",
        what=f"{private} gives no public key",
        hint="a key with a passphrase cannot sign here; make one without: ssh-keygen -N ''",
    )
    return " ".join(done.text.split()[:2])
