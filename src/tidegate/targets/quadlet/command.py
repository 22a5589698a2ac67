"""``command`` and ``entrypoint`` as argv that podman receives unchanged.

Quadlet 5.4 cannot carry an empty argument or a lone ``;`` in Exec=, and podman cannot be told to
forget an image's command: both are said with ``--entrypoint`` as a JSON array, which podman reads
as the whole beginning of the argv (podman-run(1); an entry point given there resets the command).
"""

from __future__ import annotations

import json

from tidegate.targets.quadlet.escape import FRAGILE
from tidegate.targets.quadlet.rows import Service


def entrypoint(service: Service, at: str, value: list[str] | None) -> None:
    """The row ``entrypoint``; an empty one resets the image's."""
    if value is None:
        service.sheet.default((at,), "the image's own")
    elif value and value != [""]:
        service.sheet.key((at,), "Entrypoint", json.dumps(value + _moved(service)))
    else:
        service.sheet.option((at,), "--entrypoint", "")


def command(service: Service, at: str, value: list[str] | None) -> None:
    """The row ``command``; an empty one resets the image's."""
    own = service.compose.get("entrypoint")
    if value is None or (not value and own):
        service.sheet.default((at,), "the image's own" if own is None else "reset by entrypoint")
    elif not value or FRAGILE & set(value):
        if own:
            service.sheet.also((at,), "native", "Entrypoint", "part of the entry point's array")
        else:
            service.sheet.key((at,), "Entrypoint", json.dumps([*_inherited(service, at), *value]))
    else:
        service.sheet.key_words((at,), "Exec", value)


def _moved(service: Service) -> list[str]:
    """The command, where only the entry point's array can carry it."""
    own: list[str] = service.compose.get("command") or []
    return own if FRAGILE & set(own) else []


def _inherited(service: Service, at: str) -> list[str]:
    """The image's entry point, which must be repeated when it is given as an array."""
    if service.compose.get("entrypoint") is not None:
        return []
    facts = service.scope.facts(service.name)
    if facts is None:
        service.sheet.refuse(
            (at,),
            "podman needs the image's entry point to reset or to pass this command",
            "give `entrypoint:` in the compose file, too",
        )
    return list(facts.entrypoint)
