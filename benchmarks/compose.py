"""How long the compose loader takes, beside docker compose itself.

    python benchmarks/compose.py [--json]

The corpus beside the checkout in one process, a file of 60 services, and the memory for both;
docker compose (`config`, one process a file) where it is installed. Prints, asserts nothing.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tidegate.compose import as_json, load
from tidegate.edges.disk import Disk
from tidegate.errors import InputError

CORPUS = Path(__file__).resolve().parents[2] / "shared/compose/corpus"
UNPACKED = Path.home() / ".cache/tidegate/oracle/root/usr/libexec/docker/cli-plugins/docker-compose"
ROUNDS = 5

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


def ours(path: Path) -> bool:
    """Load and print a file; whether it was accepted."""
    variables = {"HOME": "/home/user"}
    try:
        found = load(
            [str(path)],
            reader=Disk(str(path.parent)),
            variables=variables,
            project="p",
            profiles=["*"],
        )
    except InputError:
        return False
    json.dumps(as_json(found))
    return True


def theirs(program: str, path: Path) -> bool:
    """The same by docker compose."""
    command = [program, "-f", str(path), "-p", "p", "--profile", "*", "config", "--format", "json"]
    environment = {"HOME": "/home/user", "PATH": os.environ["PATH"]}
    return (
        subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
    )


def measured(run: Callable[[Path], bool], paths: list[Path]) -> dict[str, float]:
    """Wall-clock milliseconds for all paths, and how many were accepted."""
    begin = time.perf_counter()
    accepted = sum(run(path) for path in paths)
    return {"ms": round((time.perf_counter() - begin) * 1000, 1), "accepted": accepted}


def best(run: Callable[[Path], bool], path: Path) -> float:
    """The fastest of some rounds, in milliseconds."""
    return min(measured(run, [path])["ms"] for _ in range(ROUNDS))


def figures(work: Path) -> dict[str, object]:
    """All figures."""
    large = work / "compose.yaml"
    large.write_text(sixty(), encoding="utf-8")
    paths = sorted(path for path in CORPUS.rglob("*") if path.suffix in (".yml", ".yaml"))
    found: dict[str, object] = {"files": len(paths), "cpus": os.cpu_count()}
    found["tidegate"] = {"sixty_services_ms": best(ours, large), "corpus": measured(ours, paths)}
    found["memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    program = str(UNPACKED) if UNPACKED.exists() else shutil.which("docker-compose")
    if program is not None:
        found["docker_compose"] = {
            "sixty_services_ms": best(lambda path: theirs(program, path), large),
            "corpus": measured(lambda path: theirs(program, path), paths),
        }
    return found


def main() -> None:
    """Measure and print."""
    import tempfile

    with tempfile.TemporaryDirectory() as work:
        found = figures(Path(work))
    if "--json" in sys.argv:
        print(json.dumps(found, indent=2))
        return
    print(f"{found['files']} files, peak memory {found['memory_mb']} MB")
    for name in ("tidegate", "docker_compose"):
        row = found.get(name)
        print(f"{name:>15}: {row if row else 'not installed'}")


if __name__ == "__main__":
    main()
