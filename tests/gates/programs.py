"""ssh, podman and skopeo for a town of simulated hosts: started under these names, by the tests.

ssh leads to ``tidegate.testing.simulated.host``, with a home below TOWN for each address. A build
is another image each time, as with real builders; hosts have every image that was ever built.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shlex
import subprocess
import sys
import tarfile
import uuid
from pathlib import Path
from typing import Any

TOWN = Path(os.environ.get("TOWN", "/nonexistent"))
CONFIG = {"architecture": "amd64", "os": "linux", "config": {"ExposedPorts": {"8000/tcp": {}}}}
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def ssh(words: list[str]) -> int:
    """A session on a host, or a word to the master: forwards lead where they began."""
    if "-O" in words:
        print(words[words.index("-R") + 1].rpartition(":")[2] if "-R" in words else "")
        return 0
    end = words.index("--")
    command = shlex.split(words[end + 1])
    if not command[0].endswith("tidegate-host"):
        return 0
    home = TOWN / "hosts" / words[end - 1].rpartition("@")[2]
    if (home / "down").exists():
        print("ssh: connect to host: No route to host", file=sys.stderr)
        return 255
    environment = {**os.environ, "HOME": str(home), "XDG_RUNTIME_DIR": str(home)}
    argv = [sys.executable, "-m", "tidegate.testing.simulated.host", *command[1:]]
    return subprocess.run(argv, env=environment, check=False).returncode


def podman(words: list[str]) -> int:
    """``build`` notes what was asked for; ``save`` gives an image of before."""
    if words[0] == "save":
        digest = words[-1].rpartition("@sha256:")[2]
        if not has(Path.home(), digest):
            print(f"Error: {words[-1]}: image not known", file=sys.stderr)
            return 125
        sys.stdout.buffer.write((TOWN / "images" / f"{digest}.tar").read_bytes())
    if words[0] == "build":
        with (TOWN / "built").open("a") as file:
            file.write(f"{words[-1]}\n")
    return 0


def has(home: Path, digest: str) -> bool:
    """Whether a host has an image: deployed there once, or brought ahead of it."""
    places = home / ".local/share/tidegate"
    files = [*places.glob("*/generations/*/release.json"), *places.glob("*/ahead.json")]
    return any(digest in file.read_text() for file in files)


def skopeo(words: list[str]) -> int:
    """``inspect`` of any name is the same image; ``copy`` exports a new one."""
    if "inspect" in words:
        print(json.dumps(CONFIG if "--config" in words else {"mediaType": MANIFEST}))
        return 0
    layout = Path(words[-1].split(":")[1])
    blobs = Path(words[words.index("--dest-shared-blob-dir") + 1])
    write_image(layout, blobs)
    return 0


def write_image(layout: Path, blobs: Path) -> None:
    """One image with an empty layer, into a layout whose blobs lie elsewhere; the town has it."""
    empty = io.BytesIO()
    tarfile.open(fileobj=empty, mode="w").close()
    layer = _blob(blobs, empty.getvalue())
    config = _blob(blobs, json.dumps({**CONFIG, "author": uuid.uuid4().hex}).encode())
    parts = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
    manifest = _blob(blobs, json.dumps(parts).encode())
    layout.mkdir(parents=True, exist_ok=True)
    index = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": MANIFEST, **manifest}]})
    (layout / "index.json").write_text(index)
    (TOWN / "images").mkdir(exist_ok=True)
    name = manifest["digest"].removeprefix("sha256:")
    with tarfile.open(TOWN / "images" / f"{name}.tar", "w") as whole:
        whole.add(layout / "index.json", "index.json")
        for part in (layer, config, manifest):
            hexadecimal = part["digest"].removeprefix("sha256:")
            whole.add(blobs / "sha256" / hexadecimal, f"blobs/sha256/{hexadecimal}")


def _blob(blobs: Path, content: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(content).hexdigest()
    path = blobs / "sha256" / digest
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return {"digest": f"sha256:{digest}", "size": len(content)}


if __name__ == "__main__":
    sys.exit({"ssh": ssh, "podman": podman, "skopeo": skopeo}[sys.argv[1]](sys.argv[2:]))
