"""``command`` and ``entrypoint`` as argv that podman receives unchanged.

Podman cannot be told to forget an image's command: that is said with ``--entrypoint`` as a JSON
array, which podman reads as the whole beginning of the argv (podman-run(1); an entry point given
there resets the command).
"""

from __future__ import annotations

import json

from tidegate.targets.quadlet.escape import FRAGILE
from tidegate.targets.quadlet.rows import Service, whole


def entrypoint(service: Service, at: str, value: list[str] | None) -> None:
    """The row ``entrypoint``; an empty one resets the image's."""
    for argument in value or ():
        whole(service.sheet, (at,), argument)
    if value is None:
        service.sheet.default((at,), "the image's own")
    elif value and value != [""]:
        service.sheet.key((at,), "Entrypoint", json.dumps(value + _moved(service)))
    else:
        service.sheet.option((at,), "--entrypoint", "")


def command(service: Service, at: str, value: list[str] | None) -> None:
    """The row ``command``; an empty one resets the image's."""
    for argument in value or ():
        whole(service.sheet, (at,), argument)
    own = service.compose.get("entrypoint")
    if value is None or (not value and own is not None):
        service.sheet.default((at,), "the image's own" if own is None else "reset by entrypoint")
    elif own and own != [""] and FRAGILE & set(value):
        service.sheet.also((at,), "native", "Entrypoint", "part of the entry point's array")
    elif not value:
        _reset(service, at)
    else:
        service.sheet.key_words((at,), "Exec", value)


def _moved(service: Service) -> list[str]:
    """The command, where only the entry point's array can carry it."""
    own: list[str] = service.compose.get("command") or []
    return own if FRAGILE & set(own) else []


def _reset(service: Service, at: str) -> None:
    """No command at all: the image's entry point, which as an array comes without one."""
    facts = service.scope.facts(service.name)
    if facts is not None:
        service.sheet.key((at,), "Entrypoint", json.dumps(list(facts.entrypoint)))
    else:
        service.sheet.default((at,), "Docker's engine starts the image's own, too")
