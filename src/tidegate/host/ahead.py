"""Images that are here ahead of their deployment: their release waits for people.

So an approved release goes on from any machine, and at once. They come one after the other: nobody
waits for them, this host serves meanwhile, and what two images share is unpacked once. The last
ones are remembered; what older ones brought goes, unless a generation has it.
"""

from __future__ import annotations

import json
import threading
from typing import Any, Dict, List, Set

from tidegate.host import blobs, generations, podman
from tidegate.host.files import read_json, remove, write_atomic
from tidegate.host.paths import Paths

KEPT = 5  # releases, as many as the witness keeps proposals


def bring(paths: Paths, args: Dict[str, Any]) -> Dict[str, Any]:
    """Pull the `images` of a `release` that are not here; `port` leads to the controller's."""
    wanted = {str(ref) for ref in args["images"]}
    missing = sorted(wanted - podman.images())
    port = int(args.get("port") or 0)
    for ref in missing:
        mirror = blobs.mirror(port) if port and blobs.is_own(ref) else None
        podman.pull(ref, mirror, threading.Event())
    release = str(args["release"])
    lists = [entry for entry in _lists(paths) if entry["release"] != release]
    lists.append({"release": release, "images": sorted(wanted)})
    write_atomic(paths.ahead, json.dumps(lists[-KEPT:]))
    old = {str(ref) for entry in lists[:-KEPT] for ref in entry["images"]}
    for ref in sorted(old - refs(paths) - _of_generations(paths)):
        podman.remove_image(ref)
    return {"pulled": missing}


def refs(paths: Paths) -> Set[str]:
    """The images that wait here with their releases."""
    return {str(ref) for entry in _lists(paths) for ref in entry["images"]}


def forget(paths: Paths) -> None:
    """Nothing waits any more; the images go, unless a generation has them."""
    old = refs(paths)
    remove(paths.ahead)
    for ref in sorted(old - _of_generations(paths)):
        podman.remove_image(ref)


def _of_generations(paths: Paths) -> Set[str]:
    found: Set[str] = set()
    for n in generations.numbers(paths):
        generation = generations.load(paths, n)
        if generation is not None:
            found |= blobs.needed(generation.release)
    return found


def _lists(paths: Paths) -> List[Dict[str, Any]]:
    found: List[Dict[str, Any]] = read_json(paths.ahead) or []
    return found
