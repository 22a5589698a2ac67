"""The project's named volumes as units.

Source: podman v5.4.2 ConvertVolume: Type= and Options= are refused without Device=, so then, and
for options that have no key, the pair goes to `podman volume create --opt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate.targets.quadlet.rows import resource
from tidegate.targets.quadlet.scope import Scope
from tidegate.targets.quadlet.sheet import Sheet

KEYS = {"device": "Device", "type": "Type", "o": "Options"}


def volume(scope: Scope, key: str, strict: bool = True) -> tuple[dict[str, Any], Sheet]:
    """The release's entry of one volume, with the sheet that wrote its unit."""
    body = scope.project.volumes[key]
    sheet, name = resource(scope, "Volume", key, body, strict)
    external = bool(body.get("external"))
    if not external:
        _write(sheet, body)
    return {"name": name, "external": external, "unit": sheet.lines}, sheet


def _write(sheet: Sheet, body: Mapping[str, Any]) -> None:
    driver, labels = body.get("driver"), body.get("labels")
    if driver in ("local", "default", ""):
        sheet.default(("driver",))
    elif driver:
        sheet.key(("driver",), "Driver", driver)
    if labels:
        sheet.key(
            ("labels",), "Label", *(f"{name}={value}" for name, value in sorted(labels.items()))
        )
    elif labels is not None:
        sheet.default(("labels",), "empty")
    options = body.get("driver_opts")
    if options:
        _options(sheet, options)
    elif options is not None:
        sheet.default(("driver_opts",), "empty")
    if "external" in body:
        sheet.default(("external",))


def _options(sheet: Sheet, options: Mapping[str, Any]) -> None:
    used = []
    for name, value in sorted(options.items()):
        if name in KEYS and options.get("device"):
            sheet.key(("driver_opts",), KEYS[name], str(value))
            used.append(KEYS[name])
        else:
            sheet.option(("driver_opts",), "--opt", f"{name}={value}")
            used.append("--opt")
    sheet.entries[:] = [entry for entry in sheet.entries if entry.path[-1] != "driver_opts"]
    class_ = "podman-args" if set(used) == {"--opt"} else "native"
    sheet.also(("driver_opts",), class_, ",".join(dict.fromkeys(used)))
