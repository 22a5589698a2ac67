"""Brings an image back from a host that has it, for a machine that never built it.

``podman save --uncompressed`` writes layers as they were when they came: own images travel
uncompressed, so manifest and digests are the same (podman-save(1), Podman 5.4). Every blob is
held against its own name before it counts.
"""

from __future__ import annotations

import hashlib
import shutil
import tarfile
import tempfile
from pathlib import Path

from tidegate.edges.agent_install import ATTACH
from tidegate.edges.process import Command
from tidegate.edges.ssh import Ssh
from tidegate.edges.store import Store
from tidegate.errors import InfrastructureError, TidegateError


def fetch(ssh: Ssh, instance: str, reference: str, store: Store) -> None:
    """Put the image that a host knows by ``reference`` (``name@sha256:…``) into ``store``.

    ``InfrastructureError`` where the host does not have it, or sends something else.
    """
    words = (ATTACH, "save-image", "--project", instance, "--image", reference)
    store.blobs.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fetch-", dir=store.root) as folder:
        archive, layout = Path(folder) / "image.tar", Path(folder) / "layout"
        _receive(ssh, Command(words), archive)
        try:
            with tarfile.open(archive) as content:
                content.extractall(layout, filter="data")
            _check(layout)
        except (tarfile.TarError, OSError) as problem:
            raise _damaged(ssh, reference, str(problem)) from None
        found = store.only_image(layout, layout / "blobs")
        if found != reference.rpartition("@")[2]:
            raise _damaged(ssh, reference, f"it is {found} there")
        store.take_layout(layout)


def _receive(ssh: Ssh, command: Command, archive: Path) -> None:
    pipe = ssh.open(command)
    try:
        with archive.open("wb") as file:
            shutil.copyfileobj(pipe.stdout, file)
        if pipe.returncode(timeout_s=60.0):
            raise pipe.failure()
    finally:
        pipe.close()


def _check(layout: Path) -> None:
    for blob in (layout / "blobs/sha256").iterdir():
        with blob.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != blob.name:
                raise OSError(f"the blob {blob.name} is damaged")


def _damaged(ssh: Ssh, reference: str, why: str) -> TidegateError:
    name = reference.partition("@")[0]
    return InfrastructureError(
        f"{ssh.name} does not give {name} back as it was: {why}",
        code="image-damaged",
        hint="build it here: tidegate deploy from a checkout of that commit",
    )
