"""How long the compose loader and the renderer take, beside docker compose itself.

    python benchmarks/compose.py [--json FILE]

All files of the corpus beside the checkout in one process, loaded, printed and exported; a file
of 60 services, loaded and rendered as a release and as units; the memory for all of it. docker
compose (`config`, one process a file) where `./scripts/setup oracle` has put it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tidegate.compose import Project, as_json, load
from tidegate.edges.disk import Disk
from tidegate.errors import InputError
from tidegate.model.config import Switch
from tidegate.release.image import ImageRef
from tidegate.targets.quadlet.export import export
from tidegate.targets.quadlet.render import render
from tidegate.testing import corpus, oracle
from tidegate.testing.prove import evidence

ROUNDS = 15
DIGEST = "sha256:" + "a" * 64
VARIABLES = {"HOME": "/home/user", "PATH": os.environ.get("PATH", "/bin")}
LIMITS = {"corpus_times_of_docker_compose": 2.0, "sixty_services_ms": 100.0, "memory_mb": 200}

SERVICE = """
  s{n}:
    image: registry.example.com/team/app-{n}:${{TAG:-1}}
    command: [./serve, --port, "80{n:02}"]
    environment:
      DATABASE_URL: postgres://app:${{PASSWORD:-x}}@db/app{n}
      LOG_LEVEL: info
      WORKERS: 4
    ports: ["80{n:02}:8000", "127.0.0.1:90{n:02}:9000/udp"]
    volumes: ["./data/{n}:/data", "cache:/cache:ro"]
    depends_on: {{s0: {{condition: service_started}}}}
    networks: [front, back]
    healthcheck: {{test: [CMD, ./check], interval: 5s, timeout: 1s, retries: 3}}
    labels: ["team=a", "tier={n}"]
    deploy: {{resources: {{limits: {{cpus: "0.5", memory: 256m}}}}}}
    logging: {{driver: json-file, options: {{max-size: 10m}}}}
    restart: unless-stopped
"""


def sixty() -> str:
    """A file of 60 services."""
    services = "".join(SERVICE.format(n=n) for n in range(60)).replace(
        "    depends_on: {s0: {condition: service_started}}\n", "", 1
    )
    return f"services:{services}networks: {{front: , back: }}\nvolumes: {{cache: }}\n"


def loaded(path: Path) -> Project:
    """A file as `config -p p --profile '*'` sees it."""
    reader = Disk(str(path.parent))
    return load([str(path)], reader=reader, variables=VARIABLES, project="p", profiles=["*"])


def load_only(path: Path) -> bool:
    """Load and print a file; whether it was accepted."""
    try:
        json.dumps(as_json(loaded(path)))
    except InputError:
        return False
    return True


def load_and_export(path: Path) -> bool:
    """Load, print and export a file; whether it was accepted."""
    try:
        project = loaded(path)
    except InputError:
        return False
    json.dumps(as_json(project))
    export(project, variables=project.variables)
    return True


def load_and_render(path: Path) -> bool:
    """Load a file and render it as a release."""
    project = loaded(path)
    render(
        project,
        settings={},
        images={name: ImageRef(f"example.com/{name}@{DIGEST}") for name in project.services},
        instance="p",
        environment="production",
        proxy=f"example.com/proxy@{DIGEST}",
        switch=Switch(),
    )
    return True


def theirs(program: Path, path: Path) -> bool:
    """docker compose's `config` of a file; whether it was accepted."""
    words = [program, "-f", path, "-p", "p", "--profile", "*", "config", "--format", "json"]
    done = subprocess.run(words, env=VARIABLES, capture_output=True, check=False)
    return done.returncode == 0


def measured(run: Callable[[Path], bool], paths: list[Path]) -> dict[str, Any]:
    """Wall-clock and processor milliseconds for all paths, and how many were accepted."""
    before, begin = cpu_s(), time.perf_counter()
    accepted = sum(run(path) for path in paths)
    wall = time.perf_counter() - begin
    return {
        "ms": round(wall * 1000, 1),
        "cpu_ms": round((cpu_s() - before) * 1000, 1),
        "accepted": accepted,
    }


def cpu_s() -> float:
    """The processor seconds of this process and of those that it waited for."""
    found = os.times()
    return found.user + found.system + found.children_user + found.children_system


def best(run: Callable[[Path], bool], path: Path) -> float:
    """The fastest of some rounds, in milliseconds."""
    rounds = [measured(run, [path])["ms"] for _ in range(ROUNDS)]
    return float(min(rounds))


def figures(work: Path) -> dict[str, Any]:
    """All figures."""
    large = work / "compose.yaml"
    large.write_text(sixty(), encoding="utf-8")
    files = corpus.find()
    paths = [files.folder / "corpus" / name for name in files.files] if files else []
    ours: dict[str, Any] = {
        "corpus": measured(load_and_export, paths),
        "corpus_load_only": measured(load_only, paths),
        "sixty_services_ms": {
            "load": best(load_only, large),
            "load_and_export": best(load_and_export, large),
            "load_and_render": best(load_and_render, large),
        },
        "memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    found = {"files": len(paths), "limits": LIMITS, "tidegate": ours}
    program = oracle.find()
    if program is not None:
        peer = {
            "version": oracle.VERSION,
            "corpus": measured(lambda path: theirs(program, path), paths),
            "sixty_services_ms": best(lambda path: theirs(program, path), large),
        }
        found["docker_compose"] = peer
        if paths:
            ratio = ours["corpus"]["ms"] / peer["corpus"]["ms"]
            found["corpus_times_of_docker_compose"] = round(ratio, 2)
    return found


def main() -> None:
    """Measure, print, write. Never judges: a machine may be slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        found = figures(Path(work))
    head = {
        "commit": evidence.git("rev-parse", "HEAD"),
        "machine": evidence.machine(),
        "load_average": round(os.getloadavg()[0], 1),
    }
    text = json.dumps({**head, **found}, indent=1)
    sys.stdout.write(f"{text}\n")
    if "docker_compose" not in found:
        sys.stderr.write(f"{oracle.MISSING}\n")
    if asked.json:
        asked.json.write_text(f"{text}\n")


if __name__ == "__main__":
    main()
