"""Where what runs is not what the serving release says: shown, and mended by a deployment."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Set

from tidegate.host import limits, machine, podman, strangers, systemd, timers, units
from tidegate.host.context import Context
from tidegate.host.diff import copy_digest
from tidegate.host.files import read_text, write_if_changed
from tidegate.host.fronts import front_units
from tidegate.host.generations import Generation
from tidegate.host.paths import Paths

Facts = Dict[str, Any]
DOWN = ("failed", "stopped", "missing")


def drift(
    paths: Paths,
    now: Optional[Generation],
    services: Facts,
    containers: Dict[str, Any],
    secrets: Mapping[str, str],
) -> List[Facts]:
    """Every difference, as `{subject, kind, detail}`; `services` is observe's own answer.

    `secrets` are those here by name, with their ids.
    """
    expected = expected_units(now)
    found: List[Facts] = []
    for name, text in sorted(expected.items()):
        here = read_text(paths.units / name)
        if here is None:
            found.append(_differs(name, "missing", "the unit file is gone"))
        elif here != text:
            found.append(_differs(name, "edited", "the unit file was edited"))
    for name, entry in sorted(services.items()):
        if entry.get("schedule"):
            continue  # how its last run ended is no drift
        if entry["state"] in DOWN:
            found.append(_differs(name, "stopped", f"{name} is {entry['state']}"))
        elif now is not None and _freed(now, name):
            found.append(_differs(name, "limits", "limits that it lacks can be enforced now"))
    if now is not None and now.layout is not None:
        found += _other_copies(now, services)
    for name, detail in sorted(other_secrets(now, secrets).items()):
        found.append(_differs(name, "secret", detail))
    for name, detail in timers.drift(paths, now).items():
        found.append(_differs(name, "timer", detail))
    mine = {name.rsplit(".", 1)[0] for name in expected}
    for name in sorted(set(owned(paths)) - set(expected)):
        found.append(_differs(name, "foreign", "a unit in our name that no release has"))
    for name in sorted(set(containers) - mine):
        found.append(_differs(name, "foreign", "a container in our name that no release has"))
    release = now.release if now else {}
    for name, detail in strangers.look(paths, release, {*expected, *owned(paths)}).items():
        found.append(_differs(name, "stranger", detail))
    return found


def other_secrets(now: Optional[Generation], here: Mapping[str, str]) -> Dict[str, str]:
    """The secrets of a generation that are not what was stored for it: name → what is wrong."""
    layout = (now.layout if now else None) or {}
    ids = layout.get("secret_ids", {})
    found = {}
    for name, stored in layout.get("secrets", {}).items():
        if name == stored:
            continue  # somebody else's, who may change it
        if stored not in here:
            found[name] = f"the secret {stored} is gone"
        elif ids.get(stored, here[stored]) != here[stored]:
            found[name] = f"the secret {stored} was replaced"
    return found


def expected_units(now: Optional[Generation]) -> Dict[str, str]:
    """All unit files that a generation has here, the fronts' with them."""
    if now is None or now.layout is None:
        return {}
    result = dict(now.layout["shared"])
    for texts in now.layout["units"].values():
        result.update(texts)
    result.update(front_units(now.release, now.layout))
    return result


def owned(paths: Paths) -> List[str]:
    """The unit files here that carry this instance's mark."""
    mark = units.head(paths.instance)
    if not paths.units.is_dir():
        return []
    return [
        entry.name
        for entry in paths.units.iterdir()
        if not entry.name.startswith(".") and (read_text(entry) or "").startswith(mark)
    ]


def renew(paths: Paths, now: Optional[Generation]) -> Set[str]:
    """The services whose copies are to be made new although their release did not change."""
    if now is None or now.layout is None:
        return set()
    expected = expected_units(now)
    shown = systemd.show([u for p in now.layout["services"].values() for u in p["units"]])
    hidden = set(now.layout.get("secrets", {}))
    here = podman.own_secrets(paths.instance) if hidden else {}
    bad = set(other_secrets(now, here))
    result = set()
    for name, placed in now.layout["services"].items():
        entry = now.release["services"][name]
        if entry["strategy"] == "job":
            continue
        if _freed(now, name) or bad & {use["secret"] for use in entry["secrets"]}:
            result.add(name)
        for unit in placed["units"]:
            file = f"{unit}.container"
            down = shown[unit].get("ActiveState") not in ("active", "activating")
            if down or read_text(paths.units / file) != expected[file]:
                result.add(name)
    return result


def mend(ctx: Context, old: Optional[Generation]) -> None:
    """What serves has its own unit files again, with our mark; each that was edited is told.

    After the layout, which says whose copies are made new because of that.
    """
    if old is None or old.layout is None:
        return
    mended = False
    for name, text in sorted(_texts(old).items()):
        here = read_text(ctx.paths.units / name)
        if here != text:
            ctx.info("drift", f"{name} {'was edited' if here else 'was gone'}: written again")
            mended = write_if_changed(ctx.paths.units / name, text, 0o644)
    if mended:
        systemd.daemon_reload()


def _texts(generation: Generation) -> Dict[str, str]:
    """The units of its services' copies: file name → text."""
    found = (generation.layout or {}).get("units", {}).values()
    return {name: text for texts in found for name, text in texts.items()}


def _freed(now: Generation, service: str) -> bool:
    """Whether the host can enforce more of a service's limits than when it was started."""
    entry, texts = now.release["services"][service], (now.layout or {})["units"][service]
    if entry["strategy"] == "job" or not any(limits.MARK in text for text in texts.values()):
        return False
    facts = machine.facts()
    return any(limits.holds_now(text, entry["unit"], facts) for text in texts.values())


def _other_copies(now: Generation, services: Facts) -> List[Facts]:
    """Containers that were made from something else than the release says."""
    layout = now.layout or {}
    found = []
    for name, entry in sorted(services.items()):
        wanted = copy_digest(now.release["services"][name], layout.get("secrets", {}))
        timed = entry.get("schedule")  # a run may outlast a deployment
        if entry["state"] == "running" and entry["digests"] != [wanted] and not timed:
            found.append(_differs(name, "image", "the running container is not the release's"))
    return found


def _differs(subject: str, kind: str, detail: str) -> Facts:
    return {"subject": subject, "kind": kind, "detail": detail}
