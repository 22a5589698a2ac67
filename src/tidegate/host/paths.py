"""Where things lie on a server, all under the deploy user's home."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from tidegate.host.errors import HostError

_INSTANCE = re.compile(r"^[a-z0-9][a-z0-9_-]{0,62}$")


class Paths(NamedTuple):
    """The places of one instance (a project, or project-environment, on this host)."""

    home: Path
    instance: str

    @property
    def base(self) -> Path:
        return self.home / ".local/share/tidegate"

    @property
    def root(self) -> Path:
        return self.base / self.instance

    @property
    def units(self) -> Path:
        """Quadlet's folder for a user: podman-systemd.unit(5), Podman 5.4."""
        return self.home / ".config/containers/systemd"

    @property
    def open(self) -> Path:
        """The open deployment; the unit tidegate@INSTANCE lives while this file exists."""
        return self.root / "open.json"

    @property
    def current(self) -> Path:
        """Holds the number of the generation that serves."""
        return self.root / "current"

    @property
    def ledger(self) -> Path:
        return self.root / "ledger.jsonl"

    @property
    def token(self) -> Path:
        return self.root / "token"

    @property
    def lock(self) -> Path:
        return self.root / "lock"

    @property
    def peer_key(self) -> Path:
        """The key with which this host asks its witness, one for each instance."""
        return self.root / "peer_ed25519"

    @property
    def witness(self) -> Path:
        """Holds the name of the environment's witness."""
        return self.root / "witness"

    @property
    def witness_place(self) -> Path:
        """How another host that is the witness is reached."""
        return self.root / "witness.json"

    @property
    def lost(self) -> Path:
        """Names of hosts that are gone for good, one a line."""
        return self.root / "lost"

    @property
    def proposals(self) -> Path:
        """Signed releases that wait for people, by digest."""
        return self.root / "proposals"

    @property
    def ahead(self) -> Path:
        """The images that are here for releases that wait for people."""
        return self.root / "ahead.json"

    @property
    def revoked(self) -> Path:
        """Versions of secrets that are not used any more, one a line."""
        return self.root / "revoked"

    @property
    def files(self) -> Path:
        return self.root / "files"

    @property
    def incoming(self) -> Path:
        """Parts of a release that is on its way here."""
        return self.root / "incoming"

    @property
    def fronts(self) -> Path:
        return self.root / "fronts"

    @property
    def allowed_signers(self) -> Path:
        return self.home / ".config/tidegate/allowed_signers"

    @property
    def socket(self) -> Path:
        return runtime_dir() / "tidegate" / f"{self.instance}.sock"

    def generation(self, n: int) -> Path:
        return self.root / "generations" / str(n)

    def decision(self, n: int) -> Path:
        return self.root / "decisions" / str(n)

    def journal(self, n: int) -> Path:
        return self.root / "journals" / f"{n}.jsonl"


def paths(instance: str) -> Paths:
    """The paths of `instance` for the user who runs this; HostError for an odd name."""
    if not _INSTANCE.match(instance):
        raise HostError(
            "input",
            "bad-instance",
            f"{instance!r} is not a project name",
            subject=instance,
            hint="use a-z, 0-9, - and _",
        )
    return Paths(Path.home(), instance)


def runtime_dir() -> Path:
    """XDG_RUNTIME_DIR, also where SSH did not set it."""
    return Path(os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}")


def set_user_bus() -> None:
    """Let `systemctl --user` find the user's manager from any kind of session."""
    folder = runtime_dir()
    os.environ["XDG_RUNTIME_DIR"] = str(folder)
    os.environ.setdefault("DBUS_SESSION_BUS_ADDRESS", f"unix:path={folder}/bus")
