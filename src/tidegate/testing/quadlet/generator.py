"""The real Quadlet generator of Podman 5.4 and the real ``systemd-analyze verify``.

They run in the lab's own root file system (Debian trixie), in a mount namespace of their own:
nothing of the machine or of the lab is changed. Where the root file system is not there yet, it
is built.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tidegate.lab.machine import examine
from tidegate.lab.namespace import Namespace
from tidegate.lab.places import default_places
from tidegate.lab.processes import run
from tidegate.lab.rootfs import Rootfs

# Where a set of units lies when the generator reads it, by the set's name.
FOLDER = "/mnt/units"
SCRIPT = f"""
mount --make-rprivate /
mount -t tmpfs tmpfs "$1/mnt"
mkdir "$1{FOLDER}" "$1/mnt/out" "$1/mnt/run"
mount --bind "$2/units" "$1{FOLDER}"
mount --bind "$2/out" "$1/mnt/out"
mount -t proc proc "$1/proc"
export verify="$3"
exec chroot "$1" sh -c '
cd /mnt/out
for name in *; do
    cd "/mnt/out/$name/made"
    QUADLET_UNIT_DIRS="{FOLDER}/$name" \
        /usr/libexec/podman/quadlet -user -no-kmsg-log . > ../generator 2>&1
    [ -z "$verify" ] || [ -z "$(ls)" ] || XDG_RUNTIME_DIR=/mnt/run systemd-analyze \
        --user --man=no --recursive-errors=no verify *.service > ../verify 2>&1
done'
"""


@dataclass(frozen=True, slots=True)
class Generated:
    """What became of a set of units: services by name, and what was complained of."""

    services: Mapping[str, str]
    complaints: str
    faults: str


@cache
def root() -> Path:
    """The lab's root file system."""
    places = default_places()
    return Rootfs(places, examine(), Namespace(places)).base()


def generate(units: Mapping[str, str], *, verify: bool = False) -> dict[str, str]:
    """Service name → text of what Quadlet makes of ``units``; any complaint is a failure."""
    made = generate_all({"one": units}, verify=verify)["one"]
    assert not made.complaints, made.complaints
    assert not made.faults, made.faults
    return dict(made.services)


def generate_all(
    sets: Mapping[str, Mapping[str, str]], *, verify: bool = True
) -> dict[str, Generated]:
    """What becomes of many sets of units, each read from a folder of its own below ``FOLDER``."""
    names = list(sets)
    shares = [names[first :: os.cpu_count() or 1] for first in range(os.cpu_count() or 1)]
    with ThreadPoolExecutor() as pool:
        parts = pool.map(lambda share: _share(share, sets, verify), filter(None, shares))
        return {name: made for part in parts for name, made in part.items()}


def _share(
    names: Sequence[str], sets: Mapping[str, Mapping[str, str]], verify: bool
) -> dict[str, Generated]:
    with tempfile.TemporaryDirectory(prefix="tidegate-quadlet-") as folder:
        here = Path(folder)
        for name in names:
            (here / "out" / name / "made").mkdir(parents=True)
            for file, text in sets[name].items():
                path = here / "units" / name / file
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
        (here / "units").mkdir(exist_ok=True)
        argv = ["unshare", "--mount", "sh", "-c", SCRIPT, "sh", str(root()), folder, "1" * verify]
        run(argv, timeout_s=60 + 10 * len(names))
        return {name: _read(here / "out" / name) for name in names}


def _read(folder: Path) -> Generated:
    said = {name: folder / name for name in ("generator", "verify")}
    texts = {name: path.read_text("utf-8") if path.exists() else "" for name, path in said.items()}
    services = {path.name: path.read_text("utf-8") for path in (folder / "made").glob("*.service")}
    return Generated(services, texts["generator"].strip(), texts["verify"].strip())
