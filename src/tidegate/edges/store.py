"""The controller's store of image blobs: files named by their digest, shared by all images.

A folder ``blobs/sha256/<hex>`` as in the OCI image layout, so that skopeo writes straight into
it and the blob server reads straight from it.
Source: https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md.
"""

from __future__ import annotations

import json
import os
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.edges.private_dir import cache_path
from tidegate.errors import InfrastructureError

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
SHELLS = frozenset({"bin/sh", "usr/bin/sh"})
# How a layer says that a file of those below it is gone (image-spec, layer.md, "Whiteouts").
REMOVED_SHELLS = frozenset({"bin/.wh.sh", "usr/bin/.wh.sh"})


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image whose blobs all lie in the store; ``size`` is the sum of its blobs in bytes.

    ``shell``: whether it has a ``/bin/sh``; None when nobody has looked.
    """

    digest: str
    size: int
    config: Mapping[str, Any]
    shell: bool | None = None


class Store:
    """Blobs by digest below ``root``."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = cache_path("images") if root is None else root

    def room(self) -> Path:
        """The folder itself, made."""
        self.root.mkdir(parents=True, exist_ok=True)
        return self.root

    @property
    def blobs(self) -> Path:
        """What skopeo takes as its shared blob folder."""
        return self.root / "blobs"

    def path(self, digest: str) -> Path:
        """Where a blob lies, or would lie."""
        algorithm, _, value = digest.partition(":")
        return self.blobs / algorithm / value

    def image(self, digest: str) -> StoredImage | None:
        """The image of this manifest digest, or None when any blob of it is missing."""
        manifest = self._json(digest)
        if manifest is None or manifest.get("mediaType") in INDEX_TYPES:
            return None
        config = self._json(str(manifest["config"]["digest"]))
        layers = [(str(x["digest"]), int(x["size"])) for x in manifest["layers"]]
        if config is None or any(self._size(blob) != size for blob, size in layers):
            return None
        size = sum(s for _, s in layers) + int(manifest["config"]["size"])
        return StoredImage(digest, size, config)

    def has_shell(self, digest: str) -> bool | None:
        """Whether an image has a ``/bin/sh``, below ``/usr`` too; None for layers in zstd."""
        for layer in reversed((self._json(digest) or {})["layers"]):
            try:
                with tarfile.open(self.path(str(layer["digest"]))) as files:
                    names = {entry.name.removeprefix("./").removeprefix("/") for entry in files}
            except tarfile.ReadError:
                return None
            if names & SHELLS:
                return True
            if names & REMOVED_SHELLS:
                return False
        return False

    def only_image(self, layout: Path, blobs: Path | None = None) -> str:
        """The manifest digest of an OCI layout that holds one image; an index is entered.

        ``blobs`` are those of the layout where they are not in the store.
        """
        inside = self if blobs is None else Store(blobs.parent)
        entries = json.loads((layout / "index.json").read_text())["manifests"]
        while True:
            images = [e for e in entries if (e.get("platform") or {}).get("os") != "unknown"]
            if len(images) != 1:
                raise InfrastructureError(
                    f"the build made {len(images)} images where one was expected",
                    code="build-output",
                )
            digest = str(images[0]["digest"])
            inner = inside._json(digest) or {}
            if inner.get("mediaType") not in INDEX_TYPES:
                return digest
            entries = inner["manifests"]

    def take_layout(self, layout: Path) -> None:
        """Move the blobs of a layout that has its own into the store."""
        for blob in (layout / "blobs").glob("*/*"):
            target = self.blobs / blob.parent.name / blob.name
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(blob, target)  # noqa: PTH105

    @contextmanager
    def layout(self, digest: str) -> Iterator[Path]:
        """An OCI layout with one image; its blobs stay in the store (``--src-shared-blob-dir``)."""
        manifest = self._json(digest) or {}
        entry = {
            "mediaType": str(manifest.get("mediaType") or MANIFEST_TYPE),
            "digest": digest,
            "size": max(self._size(digest), 0),
        }
        with tempfile.TemporaryDirectory(prefix="layout-", dir=self.room()) as folder:
            layout = Path(folder)
            (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
            index = {"schemaVersion": 2, "manifests": [entry]}
            (layout / "index.json").write_text(json.dumps(index))
            yield layout

    def prune(self, images: Iterable[str], before: float) -> int:
        """Remove blobs that no image of ``images`` (manifest digests) has and that are older
        than ``before`` (seconds since the epoch); returns how many."""
        kept = {blob for digest in images for blob in self._parts(digest)}
        removed = 0
        for path in self.blobs.glob("*/*"):
            name = f"{path.parent.name}:{path.name}"
            if name not in kept and path.stat().st_mtime < before:
                path.unlink(missing_ok=True)
                removed += 1
        return removed

    def _parts(self, digest: str) -> Iterator[str]:
        manifest = self._json(digest) or {}
        yield digest
        for part in (manifest.get("config"), *manifest.get("layers", ())):
            yield str((part or {}).get("digest"))

    def _json(self, digest: str) -> dict[str, Any] | None:
        try:
            value = json.loads(self.path(digest).read_bytes())
        except (OSError, ValueError):
            return None
        return value if isinstance(value, dict) else None

    def _size(self, digest: str) -> int:
        try:
            return self.path(digest).stat().st_size
        except OSError:
            return -1
