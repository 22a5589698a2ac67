"""Real builds: once per content, exported uncompressed, served by digest to a real puller."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tidegate.edges import builders, leftovers
from tidegate.edges.blobs import BlobServer
from tidegate.edges.builders import Images
from tidegate.edges.store import Store, StoredImage
from tidegate.errors import InputError
from tidegate.images.recipe import Recipe, recipe

pytestmark = pytest.mark.lab
BIG = 3_000_000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A context with a base layer that stays and a file that changes."""
    place = tmp_path / "context"
    place.mkdir()
    (place / "Dockerfile").write_text("FROM scratch\nCOPY big /big\nCOPY small /small\nEXPOSE 80\n")
    (place / "big").write_bytes(bytes(range(256)) * (BIG // 256))
    (place / "small").write_text("1")
    (place / ".dockerignore").write_text("notes\n")
    return place


def made(folder: Path, **build: str) -> Recipe:
    return recipe({"context": str(folder), **build}, platform="", secrets={}, where=lambda _: None)


def ensure(folder: Path, **build: str) -> tuple[StoredImage, bool]:
    def resolve(name: str) -> str:
        raise AssertionError(name)

    images = Images(Store(), resolve)
    found = images.ensure(images.key(made(folder, **build)), lambda: None)
    return found.image, found.fresh


def test_an_unchanged_context_is_not_built_again(folder: Path) -> None:
    """The digest stays for the same content, also where times or ignored files differ."""
    first, fresh = ensure(folder)
    assert fresh
    assert first.size > BIG
    (folder / "notes").write_text("not part of it")
    (folder / "small").touch()
    assert ensure(folder) == (first, False)
    (folder / "small").write_text("2")
    second, fresh = ensure(folder)
    assert fresh
    assert second.digest != first.digest


def test_an_unchanged_layer_is_kept_once(folder: Path) -> None:
    """A change of a small file adds a small layer to the store; the big one is there already."""
    ensure(folder)
    before = {path.name for path in (Store().blobs / "sha256").iterdir()}
    (folder / "small").write_text("2")
    ensure(folder)
    added = [p for p in (Store().blobs / "sha256").iterdir() if p.name not in before]
    assert added
    assert sum(path.stat().st_size for path in added) < BIG / 10


def test_a_lost_blob_is_built_again(folder: Path) -> None:
    """The cache is only believed while every blob of the image is there."""
    first, _ = ensure(folder)
    layer = max((Store().blobs / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    layer.unlink()
    assert ensure(folder) == (first, True)


def test_builds_that_nobody_asks_for_are_forgotten(
    folder: Path, caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A build makes room where nobody else builds: notes and blobs older than the limit go."""
    monkeypatch.setattr(builders, "runtime_dir", lambda: caches)  # others may build
    monkeypatch.setattr(leftovers, "EVERY_S", 0.0)
    old, _ = ensure(folder)
    for path in (*(caches / "cache/tidegate/builds").iterdir(), *Store().blobs.glob("*/*")):
        os.utime(path, (1, 1))
    (folder / "small").write_text("2")
    new, _ = ensure(folder)
    assert Store().image(old.digest) is None
    assert Store().image(new.digest) == replace(new, shell=None)  # nobody looked this time


def test_a_failing_build_shows_the_builders_words(folder: Path) -> None:
    """A bad Dockerfile is bad input, with the builder's last lines."""
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY missing /x\n")
    with pytest.raises(InputError) as found:
        ensure(folder)
    assert found.value.code == "build-failed"
    assert "missing" in "\n".join(found.value.log)


def test_a_puller_gets_what_it_asks_for_by_digest(folder: Path, tmp_path: Path) -> None:
    """skopeo copies the image over HTTP; the bytes are counted; nothing else is served."""
    image, _ = ensure(folder)
    server = BlobServer(Store(), {"sha256:" + "a" * 64: b"companion"})
    base = f"127.0.0.1:{server.port}"
    copy = ["skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false"]
    source = f"docker://{base}/tidegate/web@{image.digest}"
    subprocess.run([*copy, source, f"dir:{tmp_path}/out"], check=True)
    assert server.bytes_sent >= image.size
    for path, status in (
        ("files/" + "a" * 64, "200"),
        ("files/" + "b" * 64, "404"),
        ("v2/x/blobs/sha256:../../builds", "404"),
        (f"v2/x/manifests/{image.digest}", "200"),
        ("v2/x/manifests/latest", "404"),
    ):
        argv = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://{base}/{path}"]
        assert subprocess.run(argv, capture_output=True, check=True).stdout.decode() == status
    server.close()


def test_an_interrupted_pull_goes_on_where_it_was(folder: Path) -> None:
    """A range gives exactly those bytes; one beyond the end is refused."""
    ensure(folder)
    layer = max((Store().blobs / "sha256").iterdir(), key=lambda path: path.stat().st_size)
    server = BlobServer(Store(), {})
    url = f"http://127.0.0.1:{server.port}/v2/x/blobs/sha256:{layer.name}"
    got = subprocess.run(["curl", "-s", "-r", "1000-", url], capture_output=True, check=True)
    assert got.stdout == layer.read_bytes()[1000:]
    beyond = subprocess.run(["curl", "-sf", "-r", "99999999-", url], check=False)
    assert beyond.returncode == 22
    server.close()
