"""Runs on the lab server: ``podman create`` for every container of some projects.

Reads a job from standard input as JSON, writes what failed as JSON. One image without content
bears every name; what the commands only look for (devices, runtimes, profiles) are stand-ins that
``prepare`` makes, as root. Standard library only.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

TINY = "localhost/ladder-tiny:latest"
OTHER = "localhost/ladder-other:latest"
RUNTIMES = Path("/etc/containers/containers.conf.d/90-ladder.conf")
MINUTES = 60


def podman(*words: str, stdin: str = "") -> str:
    """Run podman; what it complained of, nothing where it did it."""
    done = subprocess.run(
        ["podman", *words],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=2 * MINUTES,
    )
    return "" if done.returncode == 0 else done.stderr.strip() or f"exit code {done.returncode}"


def images(names: list[str]) -> None:
    """The image without content under each name; once under another platform's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "empty").touch()
        subprocess.run(["tar", "-C", folder, "-cf", f"{folder}.tar", "empty"], check=True)
        change = 'CMD ["/bin/sh"]'
        for name, options in ((TINY, ()), (OTHER, ("--os=wasi", "--arch=wasm"))):
            podman("import", "-q", "-c", change, *options, f"{folder}.tar", name)
        Path(f"{folder}.tar").unlink()
    fault = podman("tag", TINY, *names)
    if fault:
        raise SystemExit(fault)


def climb(project: dict[str, Any]) -> list[list[str]]:
    """Make a project's networks, volumes, secrets and containers; what failed, with its words."""
    failed = []
    for words in project["prepare"]:
        fault = podman(*words)
        if fault:
            failed.append([" ".join(words[:2]), fault])
    for name in project["secrets"]:
        podman("secret", "create", "--replace", name, "-", stdin="x")
    waiting = dict(project["containers"])
    while waiting:
        faults = {name: create(argv) for name, argv in waiting.items()}
        left = {name: waiting[name] for name, fault in faults.items() if fault}
        if len(left) == len(waiting):
            failed += [[name, faults[name]] for name in left]
            break
        waiting = left  # one that needs another one's container comes after it
    podman("rm", "--force", "--all", "--time=0")
    if project["private"]:
        podman("network", "rm", "--force", *project["private"])
    return failed


def create(argv: list[str]) -> str:
    """``podman create``; an image for another platform bears the name for so long."""
    foreign = next((word for word in argv if word.startswith("--platform=")), "")
    image = next((word.partition("=")[2] for word in argv if word.startswith("--ladder=")), "")
    argv = [word for word in argv if not word.startswith("--ladder=")]
    if foreign and not foreign.startswith("--platform=linux/"):
        podman("tag", OTHER, image)
        fault = podman(*argv)
        podman("tag", TINY, image)
        return fault
    return podman(*argv)


def prepare(job: dict[str, Any]) -> list[str]:
    """As root: stand-ins for what is only looked for, and the folders that the units make."""
    for path, kind in job["devices"]:
        if not Path(path).exists():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mknod", "-m", "666", path, *kind], check=True)
    for path in job["profiles"]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    for path, text in job["files"]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text)
    RUNTIMES.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{json.dumps(name)} = [{json.dumps('/usr/bin/crun')}]" for name in job["runtimes"]]
    RUNTIMES.write_text("\n".join(["[engine.runtimes]", *lines, ""]))
    failed = []
    for path, argv in job["folders"]:
        subprocess.run(argv, check=False)
        if not Path(path).exists():
            failed.append(f"no folder {path!r} came of {argv!r}")
    return failed


def main() -> None:
    """Do the job that is on standard input."""
    job = json.load(sys.stdin)
    os.chdir("/")
    if job["what"] == "prepare":
        found: Any = prepare(job)
    else:
        images(sorted({name for project in job["projects"] for name in project["images"]}))
        found = {project["name"]: climb(project) for project in job["projects"]}
        podman("volume", "rm", "--force", "--all")
        podman("network", "prune", "--force")
        podman("secret", "rm", "--all")
        podman("rmi", "--force", "--all")
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
