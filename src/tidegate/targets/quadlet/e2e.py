"""End-to-end tests of an application: its service's container, with the tests in its place. Pure.

The image, the environment, the secrets, the networks are the deployed service's; the host takes
its unit and puts these lines in (``tidegate.host.suites``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.errors import Where
from tidegate.targets.quadlet.sheet import Path, Sheet

SCRIPT = "entrypoint_e2e.sh"
# Where it lies in an image, the working directory first.
PLACES = (f"./{SCRIPT}", f"./entrypoints/{SCRIPT}", f"/{SCRIPT}", f"/entrypoints/{SCRIPT}")
ABSENT = 127  # as a shell says that there is no such command
SEARCH = (
    f'for f in {" ".join(PLACES)}; do [ -f "$f" ] || continue; '
    f'[ -x "$f" ] && exec "$f"; exec /bin/sh "$f"; done; '
    f'echo "{SCRIPT} is not in this image: COPY it in the Dockerfile" >&2; exit {ABSENT}'
)


def e2e(services: Sequence[str], variables: Mapping[str, str], environment: str) -> dict[str, Any]:
    """The release's ``e2e``: the lines of each service's tests; empty without any.

    ``variables`` are those of the environment: where the tests find what they test.
    """
    if not services:
        return {}
    sheet = Sheet(("e2e",), "Container", _nowhere)
    pairs = {**variables, "TIDEGATE_ENVIRONMENT": environment}
    for name, value in sorted(pairs.items()):
        sheet.key(("environment",), "Environment", f"{name}={value}")
    sheet.key(("entrypoint",), "Entrypoint", json.dumps(["/bin/sh", "-c", SEARCH]))
    lines = sheet.lines["Container"]
    return {"e2e": {"services": {name: {"lines": lines} for name in sorted(services)}}}


def _nowhere(_: Path) -> Where:
    return Where("tidegate.yaml")
