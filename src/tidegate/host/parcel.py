"""A release that is too long for one frame travels in parts, named by its digest.

The parts are the base64 of what zlib (RFC 1950) makes of the canonical bytes. Each is durable
before it is answered, so a session or an agent that dies costs the part under way, and a part
that comes twice is the same part.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import shutil
import zlib
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from tidegate.host import generations
from tidegate.host.canon import canonical, digest
from tidegate.host.errors import HostError
from tidegate.host.files import read_text, write_atomic
from tidegate.host.paths import Paths

# Up to so many bytes a release is part of `prepare` itself, or of the answer to `observe`.
INLINE = 1 << 16
# Characters of a part: a controller has one under way to each of its hosts.
PART = 1 << 18
# Bytes of a release: some 10,000 services.
LARGEST = 1 << 25
MOST = LARGEST // PART * 2
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def pack(content: bytes) -> List[Dict[str, Any]]:
    """The `args` of each `part` for canonical bytes; none where they go inline.

    HostError (input) for a release that no host takes.
    """
    if len(content) > LARGEST:
        raise _too_large(len(content))
    if len(content) <= INLINE:
        return []
    named = "sha256:" + hashlib.sha256(content).hexdigest()
    text = base64.b64encode(zlib.compress(content)).decode()
    pieces = [text[at : at + PART] for at in range(0, len(text), PART)]
    return [
        {"digest": named, "n": n, "of": len(pieces), "data": piece}
        for n, piece in enumerate(pieces, 1)
    ]


def split(release: Mapping[str, Any]) -> Tuple[List[Dict[str, Any]], Dict[str, Any]]:
    """The `args` of each `part`, and what names the release in those of `prepare`."""
    parts = pack(canonical(release))
    return parts, {"digest": parts[0]["digest"]} if parts else {"release": release}


def unpack(pieces: Sequence[str], named: str) -> Dict[str, Any]:
    """The release of the `data` of all its parts; HostError where that is not what it is named."""
    opened = zlib.decompressobj()
    try:
        content = opened.decompress(base64.b64decode("".join(pieces)), LARGEST + 1)
    except (zlib.error, binascii.Error):
        raise _damaged(named) from None
    if len(content) > LARGEST:
        raise _too_large(len(content))
    if "sha256:" + hashlib.sha256(content).hexdigest() != named:
        raise _damaged(named)
    release: Dict[str, Any] = json.loads(content)
    return release


def keep(paths: Paths, args: Dict[str, Any]) -> None:
    """Store a part; parts of another release make room for it."""
    named, n, of = str(args["digest"]), int(args["n"]), int(args["of"])
    data = str(args["data"])
    if not _DIGEST.fullmatch(named) or not 1 <= n <= of <= MOST or len(data) > PART:
        raise HostError("input", "bad-part", "this is no part of a release", subject=named)
    folder = _folder(paths, named)
    for other in folder.parent.iterdir() if folder.parent.is_dir() else ():
        if other != folder:
            shutil.rmtree(str(other), ignore_errors=True)
    write_atomic(folder / f"{n}-{of}", data)


def take(paths: Paths, number: int, named: str) -> Dict[str, Any]:
    """The release `named`: as generation `number` has it already, else of the parts that came."""
    stored = generations.load(paths, number)
    if stored is not None and digest(stored.whole) == named:
        return stored.whole
    folder = _folder(paths, named)
    came = [entry.name for entry in folder.glob("[1-9]*")]
    of = int(came[0].partition("-")[2]) if came else 0
    pieces = [read_text(folder / f"{n}-{of}") for n in range(1, of + 1)]
    whole = [piece for piece in pieces if piece is not None]
    if not whole or len(whole) < of:
        raise HostError(
            "error",
            "release-missing",
            f"only {len(whole)} of {of} parts of the release have arrived",
            subject=named,
            hint="deploy again",
        )
    return unpack(whole, named)


def clear(paths: Paths) -> None:
    """Forget every part."""
    shutil.rmtree(str(paths.incoming), ignore_errors=True)


def fetch(paths: Paths, args: Dict[str, Any]) -> Dict[str, Any]:
    """A part of a release that is kept here, on its way to a controller."""
    for number in reversed(generations.numbers(paths)):
        found = generations.load(paths, number)
        if found is not None and digest(found.whole) == args["digest"]:
            for part in pack(canonical(found.whole)):
                if part["n"] == args["n"]:
                    return part
    raise HostError(
        "input", "no-generation", "this is no part of what is kept here", subject=args["digest"]
    )


def slim(answer: Dict[str, Any]) -> Dict[str, Any]:
    """An answer to `observe` in which a long release is the number of its `parts`."""
    if answer.get("release") is None:
        return answer
    parts = len(pack(canonical(answer["release"])))
    return {**answer, "release": None, "parts": parts} if parts else answer


def _folder(paths: Paths, named: str) -> Path:
    return paths.incoming / named.partition(":")[2]


def _too_large(size: int) -> HostError:
    return HostError(
        "input",
        "release-too-large",
        f"the release has {size:,} bytes or more, and a host takes at most {LARGEST:,}",
        hint="is there a very large value among the environment variables?",
    )


def _damaged(named: str) -> HostError:
    return HostError(
        "error",
        "release-damaged",
        "the release arrived damaged",
        subject=named,
        hint="deploy again",
    )
