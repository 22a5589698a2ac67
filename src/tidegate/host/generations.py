"""Releases as this host keeps them: numbered folders, one of which `current` names."""

from __future__ import annotations

import json
import shutil
from typing import Any, Dict, List, NamedTuple, Optional

from tidegate.host.canon import canonical, digest
from tidegate.host.deployment import current_number
from tidegate.host.errors import HostError
from tidegate.host.files import read_json, read_text, write_atomic
from tidegate.host.layout import Layout, Release
from tidegate.host.paths import Paths
from tidegate.host.placement import here

RELEASE_FORMAT = 1


class Generation(NamedTuple):
    """A release with its signature and, once prepared, its layout on this host.

    `release` is what this host runs of it, `signed` the whole where that is more.
    """

    n: int
    release: Release
    signature: str
    layout: Optional[Layout]
    signed: Optional[Release] = None

    @property
    def whole(self) -> Release:
        """The release as it was signed, for all hosts."""
        return self.signed or self.release


def load(paths: Paths, n: int) -> Optional[Generation]:
    """Generation `n`, or None where the host does not have it."""
    folder = paths.generation(n)
    release = read_json(folder / "release.json")
    if release is None:
        return None
    return Generation(
        n,
        here(release, host_of(paths, n)),
        read_text(folder / "release.sig") or "",
        read_json(folder / "layout.json"),
        release,
    )


def host_of(paths: Paths, n: int) -> str:
    """This host's name in the release of generation `n`."""
    return read_text(paths.generation(n) / "host") or ""


def require(paths: Paths, n: int) -> Generation:
    """Generation `n`; HostError (input) where the host does not keep it."""
    found = load(paths, n)
    if found is None:
        raise HostError(
            "input",
            "no-generation",
            f"generation {n} is not kept here",
            subject=str(n),
            hint="`tidegate history` lists those that are",
        )
    return found


def current(paths: Paths) -> Optional[Generation]:
    """The generation that serves, or None on a host without one."""
    n = current_number(paths)
    if n == 0:
        return None
    found = load(paths, n)
    if found is None or found.layout is None:
        raise HostError(
            "error",
            "generation-lost",
            f"generation {n} serves, but its folder is damaged",
            subject=str(paths.generation(n)),
            hint="deploy again",
        )
    return found


def store(paths: Paths, n: int, release: Release, signature: str, host: str) -> None:
    """Keep a release that was verified, durably; `host` is what it calls this host."""
    folder = paths.generation(n)
    write_atomic(folder / "host", host)
    write_atomic(folder / "release.json", canonical(release))
    write_atomic(folder / "release.sig", signature)


def store_layout(paths: Paths, layout: Layout) -> None:
    """Keep where a generation runs, durably."""
    folder = paths.generation(layout["n"])
    write_atomic(folder / "layout.json", json.dumps(layout, sort_keys=True))


def numbers(paths: Paths) -> List[int]:
    """The generations kept, oldest first."""
    folder = paths.root / "generations"
    if not folder.is_dir():
        return []
    return sorted(int(entry.name) for entry in folder.iterdir() if entry.name.isdigit())


def drop(paths: Paths, n: int) -> None:
    """Forget a generation."""
    shutil.rmtree(str(paths.generation(n)), ignore_errors=True)


def committed(paths: Paths) -> List[int]:
    """Generations that once served (the record of decisions says so), oldest first."""
    return [n for n in numbers(paths) if (read_text(paths.decision(n)) or "").strip() == "commit"]


def summary(generation: Generation, current_n: int) -> Dict[str, Any]:
    """What `observe` says of a generation."""
    return {
        "n": generation.n,
        "digest": digest(generation.whole),
        "version": generation.release.get("version", ""),
        "commit": generation.release.get("commit", ""),
        "current": generation.n == current_n,
    }


def check(release: Any, instance: str, host: str = "", *, later: bool = False) -> None:
    """HostError (input or refused) for a release that is not for here or too new.

    `later`: this host may be one that the release does not know yet, where it runs nothing.
    """
    if not isinstance(release, dict) or "format" not in release:
        raise HostError("input", "bad-release", "this is not a release", subject="release")
    if release["format"] > RELEASE_FORMAT:
        raise HostError(
            "refused",
            "newer-format",
            "a newer Tidegate made this release",
            subject="release",
            hint="upgrade Tidegate on this host: deploy with the newer one",
        )
    if release.get("instance") != instance:
        raise HostError(
            "input",
            "wrong-instance",
            f"the release is for {release.get('instance')!r}, not for {instance!r}",
            subject=str(release.get("instance")),
        )
    if "hosts" in release and host not in release["hosts"] and not later:
        raise HostError(
            "input",
            "wrong-host",
            f"the release knows no host {host!r}",
            subject=host,
            hint=f"it is for {', '.join(sorted(release['hosts']))}",
        )
