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
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from tidegate.config.unreadable import unreadable
from tidegate.edges import context, leftovers
from tidegate.edges.private_dir import cache_path, runtime_dir, write_json
from tidegate.edges.process import Command, checked, run
from tidegate.edges.store import Store, StoredImage
from tidegate.errors import InfrastructureError, InputError, Where
from tidegate.images import dockerfile, names, recipe, sources
from tidegate.images.recipe import NO_CACHE, Builder, Cache, Recipe
from tidegate.images.selection import Selection

BUILD_TIMEOUT_S = 3600.0
# What a build ends with that looks for a cached image while somebody else than Tidegate removes
# one (Podman 4.3; for us see leftovers.Visit).
RACE, PAUSES_S = "layer not known", (0.0, 0.5, 2.0, 8.0, 30.0)
KEPT_S = 14 * 86400.0
CAP_SYS_RESOURCE = 24  # linux/capability.h
Resolve = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Key:
    """The digest of all that an image is built from, and its recipe with every base in place."""

    value: str
    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Built:
    """An image, and whether it had to be built."""

    key: str
    image: StoredImage
    fresh: bool

    @property
    def tag(self) -> str:
        """Its name in the builder's own storage."""
        return local_tag(self.key)


@dataclass(frozen=True, slots=True)
class Base:
    """An image of ours that others are built on: its digest, and where the builder finds it."""

    digest: str
    source: str


NONE: Mapping[str, Base] = {}


def local_tag(key: str) -> str:
    """What an image is called on this machine while it is only a candidate."""
    return f"{leftovers.CANDIDATES}:{key[:32]}"


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
        self._notes = cache_path("builds")
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._visit: leftovers.Visit | None = None

    def key(self, made: Recipe, own: Mapping[str, Base] = NONE) -> Key:
        """What a recipe is built from, now; ``own`` are bases that are built here, by name."""
        text = dockerfile_of(made)
        found = dockerfile.bases(text, made.arguments, dict(made.contexts))
        bases = {base: own[base].digest if base in own else self._base(base) for base in found}
        key = recipe.key(made, text, _contexts(made, text), bases)
        foreign = {base: identity for base, identity in bases.items() if base not in own}
        known = [base for base, identity in foreign.items() if identity.startswith("sha256:")]
        ready = recipe.qualified(made, known)
        here = [(base, f"docker-image://{own[base].source}") for base in bases if base in own]
        return Key(key, replace(ready, contexts=(*ready.contexts, *here)))

    def ensure(
        self,
        key: Key,
        begin: Callable[[], None],
        *,
        log: Path | None = None,
        anew: bool = False,
        cache: Cache = NO_CACHE,
    ) -> Built:
        """The image of a key; ``begin`` is told before it is built, ``log`` gets the builder's
        words, ``anew`` builds it though it is known.

        Equal recipes of two services, asked for at once, are built once.
        """
        with self._building(key.value):
            found = None if anew else self.known(key.value)
            if found is not None:
                return found
            begin()
            return self._built(key, log, cache)

    def _building(self, key: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())

    def known(self, key: str) -> Built | None:
        """The image of a key where nothing is to be built."""
        found = self._known(key)
        return Built(key, found, fresh=False) if found else None

    def _built(self, key: Key, log: Path | None, cache: Cache) -> Built:
        self._enter()
        digest = self._build(key.recipe, key.value, log, cache)
        image = self._store.image(digest)
        if image is None:
            where = key.recipe.context
            raise InfrastructureError(f"the build of {where} is incomplete", code="build")
        shell = self._store.has_shell(digest)
        write_json(self._notes / key.value, {"digest": digest, "shell": shell})
        return Built(key.value, replace(image, shell=shell), fresh=True)

    def _enter(self) -> None:
        """From here on what the builder and the store have stays; before it, what is old goes."""
        with self._lock:
            if self._visit is None:
                self._visit = leftovers.Visit(runtime_dir() / "builder.lock", self._tidy_up)

    def _tidy_up(self) -> None:
        self._forget()
        if detect().name != "docker":
            leftovers.tidy(detect().name)

    def share(self, key: Key, cache: Cache) -> bool:
        """Send the layers of what was built just now to a registry; whether it took them.

        The builder finds every step in its own cache, and builds nothing.
        """
        made = key.recipe
        if made.inline or detect().name == "docker":  # which sends them while it builds
            return True
        argv = _argv(made, key.value, made.dockerfile, "", replace(cache, write=True))
        return run(Command(argv), timeout_s=BUILD_TIMEOUT_S, cwd=made.context).returncode == 0

    def present(self, built: Built) -> str:
        """The tag under which the builder's own storage has an image, put there where it lacks."""
        asked = {
            "podman": ("podman", "image", "exists", built.tag),
            "buildah": ("buildah", "inspect", "--type", "image", built.tag),
        }.get(detect().name)
        if asked is None:
            raise InputError(
                "docker buildx keeps no image that others could be built on or tested in",
                code="builder-missing",
                hint="apt-get install podman skopeo, or dnf install podman skopeo",
            )
        self._enter()
        if run(Command(asked)).returncode:
            with self._store.layout(built.image.digest) as layout:
                self._copy(f"oci:{layout}", f"containers-storage:{built.tag}", "--src")
        return built.tag

    def _forget(self) -> None:
        """Drop builds that nobody asked for in ``KEPT_S``, and what only they had."""
        limit = time.time() - KEPT_S
        digests = []
        for note in self._notes.glob("*"):  # none where nothing was built yet
            if "." in note.name:
                continue  # somebody writes it just now
            if note.stat().st_mtime < limit:
                note.unlink(missing_ok=True)
            else:
                digests.append(str(json.loads(note.read_text())["digest"]))
        self._store.prune(digests, limit)

    def _known(self, key: str) -> StoredImage | None:
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

    def _build(self, made: Recipe, key: str, log: Path | None, cache: Cache) -> str:
        builder = detect()
        with tempfile.TemporaryDirectory(prefix="build-", dir=self._store.room()) as folder:
            layout = Path(folder) / "layout"
            file = _write_inline(made, Path(folder)) if made.inline else made.dockerfile
            if builder.name != "docker":  # a registry that says no would fail the build: see share
                cache = replace(cache, write=False)
            argv = _argv(made, key, file, str(layout), cache)
            for pause in PAUSES_S:
                time.sleep(pause)
                done = run(Command(argv), timeout_s=BUILD_TIMEOUT_S, cwd=made.context)
                if done.returncode == 0 or RACE not in done.complaint:
                    break
            if log is not None:
                log.write_bytes(done.stdout + done.stderr)
            if done.returncode:
                raise _build_failed(made, done.complaint)
            if builder.name == "docker":
                self._store.take_layout(layout)
            else:
                self._export(local_tag(key), layout)
            return self._store.only_image(layout)

    def _export(self, tag: str, layout: Path) -> None:
        self._store.blobs.mkdir(parents=True, exist_ok=True)
        flag = "--dest-oci-accept-uncompressed-layers"
        self._copy(f"containers-storage:{tag}", f"oci:{layout}:image", "--dest", flag)

    def _copy(self, source: str, target: str, side: str, *flags: str) -> None:
        """Between an OCI layout on one ``side``, whose blobs are the store's, and the builder's
        storage, which only root or a user namespace may open."""
        enter = ("podman", "unshare") if os.getuid() else ()
        copy = (
            *enter, "skopeo", "--insecure-policy", "copy", "--quiet", *flags,
            f"{side}-shared-blob-dir", str(self._store.blobs), source, target,
        )  # fmt: skip
        checked(run(Command(copy)), code="image-copy", what=f"skopeo does not copy {source}")


def _argv(made: Recipe, key: str, file: str, output: str, cache: Cache) -> tuple[str, ...]:
    own_ignores = context.ignore_file(made.context, made.dockerfile)
    return recipe.build_argv(
        detect(), made, tag=local_tag(key), dockerfile=file, ignore_file=own_ignores,
        output=output, cache=cache,
    )  # fmt: skip


def _contexts(made: Recipe, text: str) -> dict[str, str]:
    """The digest of what is taken of each folder, or the word itself where it is an image."""
    named = [name for name, _ in made.contexts]
    taken: dict[str, list[str]] = {}
    for one in sources.taken(text, dict(made.args), named):
        taken.setdefault(one.context, []).append(one.path)
    found = {}
    for name, place in (("", made.context), *made.contexts):
        if name and not Path(place).is_dir():
            found[name] = place
            continue
        wanted = Selection(taken.get(name, [""]))  # one that nobody copies from may be a stage
        file = "" if name else made.dockerfile
        found[name] = context.digest(place, file, made.where, wanted)
    return found


def dockerfile_of(made: Recipe) -> str:
    """Its text; ``InputError`` for what no builder could build."""
    if made.inline:
        return made.inline
    try:
        text = Path(made.dockerfile).read_text(encoding="utf-8")
    except UnicodeDecodeError as problem:
        raise unreadable(made.dockerfile, problem, code="dockerfile") from None
    except OSError:
        raise InputError(
            f"there is no Dockerfile at {made.dockerfile}",
            code="dockerfile-missing",
            where=made.where,
            hint="write one, or name it with build.dockerfile",
        ) from None
    if not dockerfile.has_stage(text):
        raise InputError(
            f"{made.dockerfile} has no FROM",
            code="dockerfile",
            where=Where(made.dockerfile, 1),
            hint="it begins with the image that it builds on: FROM docker.io/library/alpine:3",
        )
    return text


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
