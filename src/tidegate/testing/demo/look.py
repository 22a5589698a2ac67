"""Runs on a server, fed to ``python3 - INSTANCE``: what really runs, by podman and by the files.

Uses no code of the tool and nothing that it wrote down. Standard library, Python 3.9. Prints a
JSON list: each container of a service, with the digests of what is mounted into it.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

MASKED = "*******"
os.environ.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")


def podman(*words: str) -> str:
    """What podman says."""
    return subprocess.run(("podman", *words), stdout=subprocess.PIPE, check=True).stdout.decode()


def digest(path: Path) -> str:
    """The digest of a file's content."""
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def contents(path: Path) -> dict[str, str]:
    """Path → digest of every file that is mounted; the path of a single file is empty."""
    if path.is_file():
        return {"": digest(path)}
    files = sorted(file for file in path.rglob("*") if file.is_file())
    return {str(file.relative_to(path)): digest(file) for file in files}


def look(container: dict[str, Any]) -> dict[str, Any]:
    """One container."""
    labels, variables = container["Config"]["Labels"], container["Config"]["Env"]
    return {
        "name": container["Name"],
        "service": labels["tidegate.service"],
        "running": container["State"]["Running"],
        "healthy": container["State"].get("Health", {}).get("Status") in ("healthy", "", None),
        "pin": container["ImageName"],
        "digest": container["ImageDigest"],
        "image": container["Image"],
        "files": {
            mount["Destination"]: contents(Path(mount["Source"]))
            for mount in container["Mounts"]
            if mount["Type"] == "bind" and "/tidegate/" in mount["Source"]
        },
        "secrets": sorted(v[: -len(MASKED) - 1] for v in variables if v.endswith(f"={MASKED}")),
    }


def main(instance: str) -> None:
    """All containers of the instance's services, ended ones too."""
    wanted = (f"--filter=label=tidegate.instance={instance}", "--filter=label=tidegate.service")
    names = podman("ps", "--all", "--sort=names", "--format={{.Names}}", *wanted).split()
    found = json.loads(podman("inspect", *names)) if names else []
    json.dump([look(container) for container in found], sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
