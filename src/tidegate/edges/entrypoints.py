"""Which applications bring end-to-end tests: a script in the folder of their Dockerfile."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tidegate.targets.quadlet.e2e import SCRIPT

FOLDERS = ("", "entrypoints")


def services(
    composed: Mapping[str, Mapping[str, Any]],
    rendered: Mapping[str, Mapping[str, Any]] | None = None,
) -> list[str]:
    """One service for each application with an ``entrypoint_e2e.sh``: what it serves, no job.

    Without ``rendered`` jobs are not told apart.
    """
    found: dict[tuple[str, str, str], str] = {}
    for name in sorted(composed if rendered is None else rendered):
        build = composed[name].get("build")
        if not build or (rendered is not None and rendered[name]["strategy"] == "job"):
            continue
        context = str(build.get("context") or "")
        if any(Path(context, folder, SCRIPT).is_file() for folder in FOLDERS):
            words = (str(build.get("dockerfile") or ""), str(build.get("target") or ""))
            found.setdefault((context, *words), name)
    return sorted(found.values())
