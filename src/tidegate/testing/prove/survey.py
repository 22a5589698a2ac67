"""Runs on the server, fed to ``python3 - INSTANCE``: says what is there, judges nothing.

Looks with its own eyes: it uses no code of the tool that is being tried. Standard library,
Python 3.9. Prints one JSON object.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

HOME = Path.home()
BASE = HOME / ".local/share/tidegate"
QUADLETS = HOME / ".config/containers/systemd"
os.environ.setdefault("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}")


def out(*argv: str) -> str:
    """What a command prints; nothing if it fails."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return done.stdout.decode(errors="replace")


def text(path: Path) -> str | None:
    """A file's text, or None."""
    try:
        return path.read_text()
    except OSError:
        return None


def value(path: Path) -> Any:
    """A file's JSON value, or None."""
    found = text(path)
    return None if found is None else json.loads(found)


def containers(instance: str) -> list[dict[str, Any]]:
    """Every container of the instance, running or not."""
    listed = out("podman", "ps", "--all", "--format=json")
    return [
        {
            "name": entry["Names"][0],
            "state": entry["State"],
            "status": entry["Status"],
            "image": entry["Image"],
            "image_id": entry["ImageID"],
            "labels": {k: v for k, v in (entry["Labels"] or {}).items() if "tidegate." in k},
        }
        for entry in json.loads(listed or "[]")
        if (entry["Labels"] or {}).get("tidegate.instance") == instance
        or entry["Names"][0].startswith(f"{instance}-")
    ]


def units(instance: str) -> dict[str, str]:
    """Every unit of systemd that bears the instance's name: its state."""
    listed = out(
        *["systemctl", "--user", "list-units", "--all", "--plain", "--no-legend", "--full"],
        f"{instance}-*",
        f"tidegate@{instance}*",
    )
    rows = [line.split() for line in listed.splitlines() if line.split()]
    return {row[0]: f"{row[1]} {row[2]} {row[3]}" for row in rows}


def generations(root: Path) -> dict[str, Any]:
    """Every generation kept, with the recorded outcome of its deployment."""
    folder = root / "generations"
    names = sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []
    return {
        name: {
            "release": value(folder / name / "release.json"),
            "layout": value(folder / name / "layout.json"),
            "decision": (text(root / "decisions" / name) or "").strip(),
        }
        for name in names
    }


def temporary(folder: Path) -> list[str]:
    """Files that somebody began and never finished."""
    files = (Path(parent) / name for parent, _, names in os.walk(str(folder)) for name in names)
    return [
        str(file)
        for file in files
        if file.name.endswith((".tmp", ".new")) or file.name.startswith(".upload")
    ]


def maps(root: Path) -> dict[str, Any]:
    """What the fronts' maps say, comments left out."""
    folder = root / "fronts"
    names = [entry.name for entry in folder.iterdir()] if folder.is_dir() else []
    return {
        name: {
            kind: [
                line.split()
                for line in (text(folder / name / f"{kind}.map") or "").splitlines()
                if line.strip() and not line.startswith("#")
            ]
            for kind in ("live", "callers")
        }
        for name in names
    }


def unit_files(instance: str) -> list[str]:
    """The files in Quadlet's folder that this instance made."""
    if not QUADLETS.is_dir():
        return []
    return sorted(
        entry.name
        for entry in QUADLETS.iterdir()
        if entry.is_file()
        and (entry.name.startswith(f"{instance}-") or f" for {instance}." in (text(entry) or ""))
    )


def survey(instance: str) -> dict[str, Any]:
    """Everything there is of an instance."""
    root = BASE / instance
    return {
        "current": int((text(root / "current") or "0").strip() or 0),
        "open": value(root / "open.json"),
        "generations": generations(root),
        "containers": containers(instance),
        "units": units(instance),
        "unit_files": unit_files(instance),
        "secrets": out("podman", "secret", "ls", "--format={{.Name}}").split(),
        "maps": maps(root),
        "edge": {entry.name: text(entry) for entry in sorted((BASE / "_edge").glob("*.map"))},
        "temporary": temporary(BASE) + temporary(QUADLETS),
    }


if __name__ == "__main__":
    json.dump(survey(sys.argv[1]), sys.stdout)
