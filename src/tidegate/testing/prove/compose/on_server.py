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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

TINY = "localhost/ladder-tiny:latest"
# The names that Go, Debian and the kernel have for this machine's processor.
HERE = {"x86_64": ("amd64", "x86_64"), "aarch64": ("arm64", "aarch64")}[os.uname().machine]
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


def images(names: list[str], platform: str = "") -> None:
    """The image without content under each name."""
    os_, _, arch = platform.partition("/")
    options = (f"--os={os_}", f"--arch={arch.partition('/')[0]}") if platform else ()
    with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
        subprocess.run(["tar", "-cf", archive.name, "-T", "/dev/null"], check=True)
        change = 'CMD ["/bin/sh"]'
        fault = podman("import", "-q", "-c", change, *options, archive.name, TINY)
    fault = fault or podman("tag", TINY, *names)
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
        with ThreadPoolExecutor(2) as pool:
            faults = dict(zip(waiting, pool.map(create, waiting.values()), strict=True))
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
    """``podman create``, under an image of the platform that is asked for."""
    platform = next((w.partition("=")[2] for w in argv if w.startswith("--platform=")), "")
    image = next(w.partition("=")[2] for w in argv if w.startswith("--ladder="))
    argv = [word for word in argv if not word.startswith("--ladder=")]
    if not platform or platform.partition("/")[2] in HERE:
        return podman(*argv)
    images([image], platform)
    fault = podman(*argv)
    images([image])
    return fault


def prepare(job: dict[str, Any]) -> list[str]:
    """As root: stand-ins for what is only looked for, and the folders that the units make."""
    for path, kind in job["devices"]:
        if not Path(path).exists():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["mknod", "-m", "666", path, *kind], check=True)
    for path in job["profiles"]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text('{"defaultAction": "SCMP_ACT_ALLOW"}')
    for path in job["theirs"]:
        Path(path).mkdir(parents=True, exist_ok=True)
    for path, text in job["files"]:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        if not Path(path).is_dir():  # another project's folder serves as well
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
