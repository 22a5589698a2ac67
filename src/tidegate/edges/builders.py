"""Builds images with what is installed here, and keeps the result by its key.

podman, else buildah, else docker buildx. Where this process lacks CAP_SYS_RESOURCE or the
machine has no pure cgroup v2, build containers cannot be confined and run with
``--isolation=chroot`` (buildah-build(1), 1.28). Layers are exported uncompressed: their digest
is known beforehand, so a base that is in the store already is neither read nor written.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tidegate.edges import context
from tidegate.edges.private_dir import cache_dir
from tidegate.edges.process import Command, checked, run
from tidegate.edges.store import Store, StoredImage
from tidegate.errors import InfrastructureError, InputError
from tidegate.images import dockerfile, names, recipe
from tidegate.images.recipe import Builder, Recipe

BUILD_TIMEOUT_S = 3600.0
KEPT_S = 14 * 86400.0
CAP_SYS_RESOURCE = 24  # linux/capability.h
Resolve = Callable[[str], str]


@functools.cache
def detect() -> Builder:
    """The builder of this machine; ``InputError`` when there is none."""
    for name in ("podman", "buildah"):
        if shutil.which(name):
            return Builder(name, () if _can_confine() else ("--isolation=chroot",))
    if shutil.which("docker") and not run(Command(("docker", "buildx", "version"))).returncode:
        return Builder("docker")
    raise InputError(
        "nothing here builds images",
        code="builder-missing",
        hint="apt-get install podman skopeo, or dnf install podman skopeo",
    )


class Images:
    """Own images: built when their key is new, else found."""

    def __init__(self, store: Store, resolve: Resolve) -> None:
        self._store = store
        self._resolve = resolve
        self._notes = cache_dir("builds")
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def key(self, made: Recipe) -> str:
        """What a recipe is known by, from its Dockerfile, its contexts and its bases."""
        text = _dockerfile(made)
        bases = {base: self._base(base) for base in dockerfile.bases(text, made.arguments)}
        return recipe.key(made, text, _contexts(made), bases)

    def ensure(self, made: Recipe, key: str, begin: Callable[[], None]) -> tuple[StoredImage, bool]:
        """The image of a recipe and whether it had to be built; ``begin`` is told before it is.

        Equal recipes of two services, asked for at once, are built once.
        """
        with self._building(key):
            return self._ensure(made, key, begin)

    def _building(self, key: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())

    def _ensure(
        self, made: Recipe, key: str, begin: Callable[[], None]
    ) -> tuple[StoredImage, bool]:
        found = self.known(key)
        if found is not None:
            return found, False
        begin()
        digest = self._build(made, key)
        image = self._store.image(digest)
        if image is None:
            raise InfrastructureError(f"the build of {made.context} is incomplete", code="build")
        shell = self._store.has_shell(digest)
        self.adopt(key, digest, shell=shell)
        self._forget()
        return replace(image, shell=shell), True

    def adopt(self, key: str, digest: str, *, shell: bool | None) -> None:
        """From now on this key is this image of the store, whoever built it."""
        (self._notes / key).write_text(json.dumps({"digest": digest, "shell": shell}))

    def _forget(self) -> None:
        """Drop builds that nobody asked for in ``KEPT_S``, and the blobs that only they had."""
        limit = time.time() - KEPT_S
        for note in self._notes.iterdir():
            if note.stat().st_mtime < limit:
                note.unlink(missing_ok=True)
        digests = [str(json.loads(note.read_text())["digest"]) for note in self._notes.iterdir()]
        self._store.prune(digests, limit)

    def known(self, key: str) -> StoredImage | None:
        """The image of a key, where the store has it whole."""
        try:
            note = json.loads((self._notes / key).read_text())
        except (OSError, ValueError):
            return None
        os.utime(self._notes / key)
        found = self._store.image(str(note["digest"]))
        return found and replace(found, shell=note.get("shell"))

    def _base(self, name: str) -> str:
        """The digest of a base; one that only this machine has counts by its image id."""
        try:
            reference = names.parse(name)
            return reference.digest or self._resolve(name)
        except (InputError, InfrastructureError):
            done = run(Command(("podman", "image", "inspect", "--format", "{{.Id}}", name)))
            if done.returncode:
                raise
            return done.text.strip()

    def _build(self, made: Recipe, key: str) -> str:
        builder = detect()
        with tempfile.TemporaryDirectory(prefix="build-", dir=self._store.root) as folder:
            layout = Path(folder) / "layout"
            file = _write_inline(made, Path(folder)) if made.inline else made.dockerfile
            tag = f"localhost/tidegate/build:{key[:32]}"
            own_ignores = context.ignore_file(made.context, made.dockerfile)
            argv = recipe.build_argv(
                builder, made, tag=tag, dockerfile=file, ignore_file=own_ignores,
                output=str(layout),
            )  # fmt: skip
            done = run(Command(argv), timeout_s=BUILD_TIMEOUT_S, cwd=made.context)
            if done.returncode:
                raise _build_failed(made, done.complaint)
            if builder.name == "docker":
                self._store.take_layout(layout)
            else:
                self._export(tag, layout)
            return self._store.only_image(layout)

    def _export(self, tag: str, layout: Path) -> None:
        self._store.blobs.mkdir(exist_ok=True)
        enter = ("podman", "unshare") if os.getuid() else ()
        copy = (
            *enter, "skopeo", "--insecure-policy", "copy", "--quiet",
            "--dest-oci-accept-uncompressed-layers", "--dest-shared-blob-dir",
            str(self._store.blobs), f"containers-storage:{tag}", f"oci:{layout}:image",
        )  # fmt: skip
        checked(run(Command(copy)), code="image-export", what=f"skopeo does not export {tag}")


def _contexts(made: Recipe) -> dict[str, str]:
    """The digest of each folder, or the word itself where a context is an image."""
    others = {
        name: context.digest(place, "", made.where) if Path(place).is_dir() else place
        for name, place in made.contexts
    }
    return {"": context.digest(made.context, made.dockerfile, made.where), **others}


def _dockerfile(made: Recipe) -> str:
    if made.inline:
        return made.inline
    try:
        return Path(made.dockerfile).read_text(encoding="utf-8")
    except OSError:
        raise InputError(
            f"there is no Dockerfile at {made.dockerfile}",
            code="dockerfile-missing",
            where=made.where,
            hint="write one, or name it with build.dockerfile",
        ) from None


def _write_inline(made: Recipe, folder: Path) -> str:
    path = folder / "Dockerfile"
    path.write_text(made.inline)
    return str(path)


def _build_failed(made: Recipe, words: str) -> InputError:
    lines = [line for line in words.splitlines() if line.strip()]
    return InputError(
        f"the image of {made.context} does not build: {lines[-1] if lines else 'no words'}",
        code="build-failed",
        where=made.where,
        log=tuple(lines[-20:]),
        hint="the lines below are the builder's own; nothing was changed on any host",
    )


def _can_confine() -> bool:
    if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
        return False
    if os.getuid():
        return True  # in a user namespace of its own, which holds every capability
    status = Path("/proc/self/status").read_text()
    effective = next((line for line in status.splitlines() if line.startswith("CapEff:")), "")
    return bool(int(effective.split()[-1], 16) >> CAP_SYS_RESOURCE & 1) if effective else False
