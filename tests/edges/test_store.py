"""The store of image blobs: what it can say of an image without a host."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import pytest

from tidegate.edges.store import Store
from tidegate.release.files import bytes_digest


def image(store: Store, layers: list[list[str]]) -> str:
    """An image with these names in its layers, lowest first; its digest."""
    entries = []
    for names in layers:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz") as tar:
            for name in names:
                tar.addfile(tarfile.TarInfo(name))
        entries.append({"digest": put(store, archive.getvalue())})
    return put(store, json.dumps({"layers": entries}).encode())


def put(store: Store, content: bytes) -> str:
    """A blob, under its digest."""
    digest = bytes_digest(content)
    path = store.path(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return digest


@pytest.mark.parametrize(
    ("layers", "found"),
    [
        ([["./bin/sh"], ["app"]], True),
        ([["usr/bin/sh"]], True),
        ([["app", "lib/sh", "bin/shutdown"]], False),
        ([["bin/sh"], ["bin/.wh.sh"]], False),
        ([["bin/.wh.sh"], ["bin/sh"]], True),
        ([], False),
    ],
)
def test_a_shell_is_seen(tmp_path: Path, layers: list[list[str]], found: bool) -> None:
    """A shell counts where it lies, unless a later layer takes it away."""
    store = Store(tmp_path)
    assert store.has_shell(image(store, layers)) is found
