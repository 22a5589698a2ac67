"""Put this tool on a server: unpacked under its digest, started by one name, known to systemd.

The zipapp holds its own installer, so one SSH command carries it over and installs it. An
older one stays until nothing of it runs: a deployment in its middle goes on undisturbed.
"""

from __future__ import annotations

import base64
import compileall
import fcntl
import hashlib
import os
import shutil
import sys
import zipfile
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator, List

from tidegate.host import systemd
from tidegate.host.files import fsync_dir, make_dir, write_atomic, write_if_changed
from tidegate.host.signature import PRINCIPAL

KEEP = 3

UNIT = """\
[Unit]
Description=Tidegate: the open deployment of %i
ConditionPathExists=%h/.local/share/tidegate/%i/open.json
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=%h/.local/bin/tidegate-host serve --project %i
Restart=on-failure
RestartSec=200ms
RestartPreventExitStatus=3
KillMode=process
TimeoutStopSec=5

[Install]
WantedBy=default.target
"""

LAUNCHER = """\
#!/bin/sh
exec python3 -I "$HOME/.local/share/tidegate/lib/{digest}" "$@"
"""


def install(archive: Path, signer: str) -> str:
    """Install the zipapp `archive`; returns its 12 digits.

    `signer` is a base64 line for allowed signers, taken only where this host has none yet:
    trust on first use, by whoever may log in here anyway.
    """
    home = Path.home()
    data = archive.read_bytes()
    digest = hashlib.sha256(data).hexdigest()[:12]
    lib = home / ".local/share/tidegate/lib"
    target = lib / digest
    with _alone(lib):
        if not (target / "__main__.py").exists():
            _unpack(archive, lib, target)
        launcher = home / ".local/bin/tidegate-host"
        write_if_changed(launcher, LAUNCHER.format(digest=digest), 0o755)
        _unit(home)
        _signers(home, signer)
        _forget_old(lib, digest)
    return digest


@contextmanager
def _alone(lib: Path) -> Iterator[None]:
    """One at a time: who comes second must not take away what the first one runs already."""
    make_dir(lib)
    with (lib / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _unpack(archive: Path, lib: Path, target: Path) -> None:
    temporary = lib / f".{target.name}.{os.getpid()}"
    shutil.rmtree(str(temporary), ignore_errors=True)
    with zipfile.ZipFile(str(archive)) as packed:
        packed.extractall(str(temporary))
    compileall.compile_dir(str(temporary), quiet=2)
    os.sync()
    shutil.rmtree(str(target), ignore_errors=True)
    temporary.rename(target)
    fsync_dir(lib)


def _unit(home: Path) -> None:
    units = home / ".config/systemd/user"
    if write_if_changed(units / "tidegate@.service", UNIT, 0o644):
        systemd.daemon_reload()


def enable(instance: str) -> None:
    """Let the unit of `instance` start at boot (it does so only while a deployment is open)."""
    wants = Path.home() / ".config/systemd/user/default.target.wants"
    link = wants / f"tidegate@{instance}.service"
    if not link.is_symlink():
        make_dir(wants)
        link.symlink_to("../tidegate@.service")
        fsync_dir(wants)


def _signers(home: Path, signer: str) -> None:
    known = home / ".config/tidegate/allowed_signers"
    if signer and not known.exists():
        key = base64.b64decode(signer).decode().strip()
        write_atomic(known, f'{PRINCIPAL} namespaces="tidegate-*" {key}\n', 0o644)


def _forget_old(lib: Path, digest: str) -> None:
    """Keep the last few: an agent that was started earlier may still read its modules."""
    others: List[Path] = [
        entry for entry in lib.iterdir() if entry.name != digest and len(entry.name) == 12
    ]
    others.sort(key=lambda entry: entry.stat().st_mtime, reverse=True)
    for entry in others[KEEP:]:
        shutil.rmtree(str(entry), ignore_errors=True)


def own_archive() -> Path:
    """The zipapp that runs now."""
    return Path(sys.argv[0]).resolve()
