"""What a release needs and this host does not have yet: images and companion files, by digest.

Images that no registry has come from the controller: it serves them read-only, and the SSH
connection leads a port of this host's loopback there. A mirror entry of our own
(containers-registries.conf(5)) makes Podman take them from it under their own names.
"""

from __future__ import annotations

import hashlib
import http.client
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Set

from tidegate.host import podman
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import fsync_dir, make_dir, write_atomic
from tidegate.host.layout import SLOTTED, Release
from tidegate.host.paths import runtime_dir

DOMAIN = "tidegate.internal"
PARALLEL = 4


def bring(ctx: Context, release: Release, source: Optional[Dict[str, Any]]) -> int:
    """Pull the images and fetch the files that are missing; returns bytes asked for, about."""
    port = int(source["port"]) if source else 0
    for digest, entry in sorted(release["files"].items()):
        _file(ctx, digest, entry, port)
    missing = needed(release) - podman.images()
    sizes = {entry["ref"]: int(entry.get("size") or 0) for entry in release["images"].values()}
    size = sum(sizes.get(ref, 0) for ref in missing)
    free = podman.free_bytes(ctx.paths.base)
    if size > free:
        raise HostError(
            "error",
            "disk-full",
            f"the images need {size // 1_000_000} MB, and {free // 1_000_000} MB are free",
            subject=str(ctx.paths.base),
            hint="free some space, then deploy again",
        )
    registries = mirror(port) if port else None
    stop = ctx.cancel

    def one(ref: str) -> None:
        name = _service_of(release, ref)
        with ctx.step(f"pull:{name}", ref.split("@")[0]):
            ours = is_own(ref)
            if ours and registries is None:
                raise HostError(
                    "error",
                    "image-missing",
                    f"the image of {name} is not on this host",
                    subject=ref,
                    hint="deploy from a checkout: the controller has it",
                )
            podman.pull(ref, registries if ours else None, stop)

    in_lanes(one, missing)
    return size


def is_own(ref: str) -> bool:
    """Whether an image comes from no registry but the controller."""
    return ref.startswith(f"{DOMAIN}/")


def needed(release: Release) -> Set[str]:
    """Every image that a release runs, or would if it were scaled up, the proxy's with them."""
    entries = [*release["services"].values()]
    entries += [told["entry"] for told in (release.get("asleep") or {}).values()]
    refs = {str(entry["image"]) for entry in entries if entry["image"]}
    if any(entry["strategy"] in SLOTTED for entry in release["services"].values()):
        refs.add(str(release["proxy"]["image"]))
    return refs


def in_lanes(work: Callable[[str], None], refs: Set[str]) -> None:
    """Registries' images side by side, ours one after the other.

    Ours come through one connection and mostly share a base, which Podman would fetch and unpack
    once for each of those that it pulls at the same time.
    """
    ours = [ref for ref in sorted(refs) if is_own(ref)]
    lanes = [ours, *([ref] for ref in sorted(refs) if not is_own(ref))]

    def lane(refs: List[str]) -> None:
        for ref in refs:
            work(ref)

    with ThreadPoolExecutor(max_workers=PARALLEL) as pool:
        list(pool.map(lane, lanes))


def _service_of(release: Release, ref: str) -> str:
    for name, entry in sorted(release["services"].items()):
        if entry["image"] == ref:
            return str(name)
    return "proxy"


def mirror(port: int) -> Path:
    """A configuration by which Podman takes our images from a port of this host."""
    path = runtime_dir() / "tidegate" / f"registries-{port}.conf"
    write_atomic(
        path,
        f'[[registry]]\nprefix = "{DOMAIN}"\nlocation = "127.0.0.1:{port}"\ninsecure = true\n',
    )
    return path


def _file(ctx: Context, digest: str, entry: Dict[str, Any], port: int) -> None:
    """One companion file or folder under files/<hex>, whole or not there."""
    target = ctx.paths.files / digest.split(":", 1)[1]
    if target.exists():
        return
    make_dir(ctx.paths.files)
    with ctx.step("files", digest[:19]):
        temporary = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
        shutil.rmtree(str(temporary), ignore_errors=True)
        if entry["kind"] == "file":
            write_atomic(temporary, _fetch(ctx, digest, port), int(entry["mode"]))
        else:
            temporary.mkdir(mode=0o755)
            for part in entry["entries"]:
                place = temporary / part["path"]
                place.parent.mkdir(parents=True, exist_ok=True)
                write_atomic(place, _fetch(ctx, part["digest"], port), int(part["mode"]))
        temporary.rename(target)
        fsync_dir(ctx.paths.files)


def _fetch(ctx: Context, digest: str, port: int) -> bytes:
    """The bytes of `digest`: from the folder beside a release made by hand, or the controller."""
    hexadecimal = digest.split(":", 1)[1]
    local: str = ctx.record.get("files_from") or ""
    if local:
        data: bytes = (Path(local) / hexadecimal).read_bytes()
    elif port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/files/{hexadecimal}")
        response = connection.getresponse()
        data = response.read()
        connection.close()
    else:
        raise HostError(
            "error",
            "file-missing",
            "a companion file of this release is not on this host",
            subject=digest,
            hint="deploy from a checkout: the controller has it",
        )
    if hashlib.sha256(data).hexdigest() != hexadecimal:
        raise HostError(
            "error",
            "file-damaged",
            "a companion file arrived damaged",
            subject=digest,
            hint="deploy again",
        )
    return data
