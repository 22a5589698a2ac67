"""How long builds of several applications take, beside `podman build` for each of them.

    python benchmarks/build.py [--json FILE] [--applications N] [--base IMAGE]

A project below a temporary folder, with an empty cache of Tidegate's own and layers that nobody
has: every application compresses noise, as slow and as busy as a compiler. Measured are all of
them for the first time, one at once and several at once; all of them again; and again after a
change of one file in one of them. Podman itself builds the same contexts, one after the other,
for the first time and after the same change.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

from tidegate.edges.builders import detect
from tidegate.testing.prove import evidence

CONFIG = """\
version: 1
project: bench
environments: {production: {hosts: {a: {ssh: a@192.0.2.1}}}}
"""
DOCKERFILE = """\
FROM {base}
RUN head -c {size} /dev/urandom > /noise && gzip -9 /noise && echo {salt}
COPY value /value
RUN sha256sum /noise.gz > /sum
"""
SIZE = 24_000_000


def project(folder: Path, count: int, base: str) -> list[str]:
    """Applications with a layer that takes a while, and one that follows a file."""
    (folder / "tidegate.yaml").write_text(CONFIG)
    names = [f"a{n}" for n in range(count)]
    services = "".join(f"  {name}: {{build: applications/{name}}}\n" for name in names)
    (folder / "compose.yaml").write_text(f"services:\n{services}")
    for name in names:
        place = folder / "applications" / name
        place.mkdir(parents=True)
        text = DOCKERFILE.format(base=base, size=SIZE, salt=f"{name} {uuid.uuid4()}")
        (place / "Dockerfile").write_text(text)
        (place / "value").write_text("1\n")
    return names


def took(argv: list[str], folder: Path) -> float:
    """Seconds of the wall clock."""
    begin = time.perf_counter()
    subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    return time.perf_counter() - begin


def built(folder: Path, *words: str) -> dict[str, Any]:
    """The answer of tidegate build."""
    argv = [sys.executable, "-m", "tidegate", "build", "--json", *words]
    done = subprocess.run(argv, cwd=folder, check=True, capture_output=True)
    found: dict[str, Any] = json.loads(done.stdout)["data"]
    return found


def podman(folder: Path, names: list[str]) -> float:
    """Podman alone, one context after the other."""
    begin = time.perf_counter()
    for name in names:
        words = ["podman", "build", *detect().options, "-q", "-t", f"localhost/bench:{name}", "."]
        took(words, folder / "applications" / name)
    return time.perf_counter() - begin


def measured(work: Path, count: int, base: str) -> dict[str, Any]:
    """Seconds of every run."""
    found: dict[str, Any] = {}
    for jobs in (1, max(2, os.cpu_count() or 2)):
        folder = work / f"jobs{jobs}"
        folder.mkdir()
        names = project(folder, count, base)
        os.environ["XDG_CACHE_HOME"] = str(work / f"cache{jobs}")
        first = built(folder, "--jobs", str(jobs))
        efficiency = first["work_s"] / (first["jobs"] * first["total_s"])
        found[f"first_{jobs}_at_once_s"] = round(first["total_s"], 2)
        found[f"efficiency_{jobs}_at_once"] = round(efficiency, 2)
    again = built(folder)
    assert {one["action"] for one in again["applications"]} == {"known"}
    found["again_s"] = round(again["total_s"], 2)
    (folder / "applications" / names[0] / "value").write_text("2\n")
    changed = built(folder)
    found["one_changed_s"] = round(changed["total_s"], 2)
    hits = sum(one["action"] == "known" for one in changed["applications"])
    found["one_changed_cache_hits"] = round(hits / count, 2)
    folder = work / "podman"
    folder.mkdir()
    names = project(folder, count, base)
    found["podman_first_s"] = round(podman(folder, names), 2)
    (folder / "applications" / names[0] / "value").write_text("2\n")
    found["podman_one_changed_s"] = round(podman(folder, names), 2)
    return found


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--applications", type=int, default=6)
    parser.add_argument("--base", default="docker.io/library/busybox:1")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        found = measured(Path(work), asked.applications, asked.base)
    head = {
        "commit": evidence.git("rev-parse", "HEAD"),
        "machine": evidence.machine(),
        "load_average": round(os.getloadavg()[0], 1),
        "applications": asked.applications,
    }
    text = json.dumps({**head, **found}, indent=1)
    sys.stdout.write(f"{text}\n")
    if asked.json:
        asked.json.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
