"""The plan: one release against another and what a host says. Pure; a rollback is the same.

The host decides by the same rules (``tidegate.host.diff.change``), so what is planned is what
happens.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from operator import itemgetter
from typing import Any, NamedTuple

from tidegate.host import limits
from tidegate.host.canon import digest
from tidegate.host.diff import change, differing, weigh
from tidegate.host.order import dependencies_first
from tidegate.host.placement import OWN, REMOTE
from tidegate.plan import model
from tidegate.plan.lines import differences
from tidegate.plan.model import Action, Change, Drift, ImageChange, Plan, PortChange, Unenforced
from tidegate.plan.once import Once

Release = Mapping[str, Any]
Entry = Mapping[str, Any]
Difference = tuple[str, str, str]  # what, in the old one, in the new one
Units = tuple[tuple[str, Mapping[str, Any]], ...]
Compared = tuple[str, tuple[Difference, ...]]  # what tidegate.host.diff says, and why
NOTHING: Release = {
    "services": {},
    "networks": {},
    "volumes": {},
    "files": {},
    "images": {},
    "proxy": {},
    "version": "",
}
# Parts of a service's entry that are told one by one; the unit's lines and the image have words
# of their own, and `volumes`, `files` and `secrets` are seen in them.
PARTS = (
    ("strategy", "strategy"),
    ("replicas", "replicas"),
    ("networks", "networks"),
    ("network_mode", "network mode"),
    ("depends_on", "depends on"),
    ("restarts_with", "restarts with"),
    ("health", "health check"),
    ("probe", "critical path"),
    ("ports", "ports"),
    ("published", "published"),
    ("routes", "routes"),
    ("secrets", "secrets"),
    ("stateful", "stateful"),
    ("stop_s", "seconds to stop"),
    ("migrate", "migrations"),
    ("seed", "seed data"),
    ("schedule", "schedule"),
)
TASKS = frozenset({"migrate", "seed"})
RUNS_AGAIN = frozenset({"edited", "missing", "stopped", "limits", "secret"})


class Shared:
    """What several hosts' plans have alike, worked out once."""

    def __init__(self) -> None:
        self.bare = Once(self._bare)
        self._alike = Once(lambda old, new: self._weighed(differing(old, new) - OWN, old, new))
        self._lines = Once(lambda old, new: tuple(differences(old, new)))

    def _bare(self, old: Release, new: Release) -> Bare:
        services = {
            name: self._compare(old["services"].get(name), entry)
            for name, entry in new["services"].items()
        }
        kinds = {name: kind for name, (kind, _) in services.items()}
        changes = tuple(_changes(old, new, services))
        plan = Plan(
            instance=new["instance"],
            environment=new["environment"],
            release="",
            running="",
            version=new["version"],
            running_version=old["version"],
            images=tuple(_images(old, new)),
            added=tuple(_units(new, old)),
            removed=tuple(_units(old, new)),
            changes=changes,
            actions=_actions(old, new, kinds, changes, {}),
            files=tuple(sorted(set(new["files"]) - set(old["files"]))),
            ports=tuple(_ports(old, new)),
        )
        return Bare(plan, kinds, _limited(new))

    def _compare(self, old: Entry | None, new: Entry) -> Compared:
        """Where only what is alike on all hosts may differ, one of them tells for all."""
        if old is None:
            return change(old, new), ()
        if old["published"] != new["published"] or old["depends_on"] != new["depends_on"]:
            return self._weighed(differing(old, new), old, new)
        return self._alike(getattr(old, "alike", old), getattr(new, "alike", new))

    def _weighed(self, keys: set[str], old: Entry, new: Entry) -> Compared:
        lines = self._lines(old["unit"], new["unit"]) if "unit" in keys else ()
        return weigh(keys, new), tuple(_service_changes(keys, old, new, lines))


class Bare(NamedTuple):
    """A plan by the releases alone; ``kinds`` says what each service asks for."""

    plan: Plan
    kinds: Mapping[str, str]
    limited: Units


def plan(
    old: Release | None,
    new: Release,
    observed: Mapping[str, Any],
    digests: tuple[str, str] | None = None,
    shared: Shared | None = None,
) -> Plan:
    """What deploying ``new`` does where ``old`` runs.

    ``observed`` is the host's answer to ``observe``: its ``drift``, ``services`` and ``facts``
    are read. ``digests`` are those of the new release and of the old one ("" for none), where
    ``new`` and ``old`` are only what one host runs of them; ``shared`` is for its neighbours.
    """
    wanted, running = digests or (digest(new), digest(old) if old else "")
    before = old or NOTHING
    mended = _mended(observed, before)
    bare, kinds, limited = (shared or Shared()).bare(before, new)
    return replace(
        bare,
        release=wanted,
        running=running,
        actions=_actions(before, new, kinds, bare.changes, mended) if mended else bare.actions,
        drift=tuple(
            Drift(d["subject"], d["kind"], d["detail"]) for d in observed.get("drift") or ()
        ),
        unenforced=tuple(_unenforced(limited, observed.get("facts"))),
    )


def short(reference: str) -> str:
    """Twelve digits of an image's digest."""
    _, _, hexadecimal = reference.rpartition("@sha256:")
    return hexadecimal[:12]


def _images(old: Release, new: Release) -> Iterator[ImageChange]:
    for name, image in sorted(new["images"].items()):
        before = (old["images"].get(name) or {}).get("ref", "")
        if before != image["ref"]:
            yield ImageChange(
                name, image["tag"], short(before), short(image["ref"]), image["via"], image["size"]
            )


def _units(here: Release, there: Release) -> Iterator[tuple[str, str]]:
    """The things of ``here`` that ``there`` does not have. Volumes are never removed."""
    for kind in ("network", "volume", "service"):
        for name in sorted(set(here[f"{kind}s"]) - set(there[f"{kind}s"])):
            yield kind, name


def _changes(old: Release, new: Release, services: Mapping[str, Compared]) -> Iterator[Change]:
    for name in sorted(name for name, (_, changes) in services.items() if changes):
        for key, one, two in services[name][1]:
            yield Change("service", name, key, one, two)
    for kind in ("network", "volume"):
        for name in sorted(set(old[f"{kind}s"]) & set(new[f"{kind}s"])):
            before, after = old[f"{kind}s"][name], new[f"{kind}s"][name]
            for key, one, two in differences(before["unit"], after["unit"]):
                yield Change(kind, name, key, one, two)
    if old is not NOTHING:
        yield from _gates(old.get("gates") or {}, new.get("gates") or {})
    before_proxy, after_proxy = old["proxy"].get("image", ""), new["proxy"].get("image", "")
    if before_proxy and before_proxy != after_proxy:
        yield Change("fronts", "", "Image", short(before_proxy), short(after_proxy))


def _gates(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Change]:
    """Who must approve the release after this one."""
    for key, words in (("approval", _rules), ("people", _people)):
        one, two = words(old), words(new)
        if one != two:
            yield Change("gates", "", key, one, two)


def _rules(gates: Mapping[str, Any]) -> str:
    rules = gates.get("approval") or ()
    return ", ".join(f"{rule['count']} of {'/'.join(rule['by'])}" for rule in rules)


def _people(gates: Mapping[str, Any]) -> str:
    """Names with the end of each key, which is enough to tell two apart."""
    people = gates.get("people") or {}
    return ", ".join(f"{name} …{line.split()[1][-12:]}" for name, line in sorted(people.items()))


def _service_changes(
    keys: Collection[str], old: Entry, new: Entry, lines: Iterable[Difference]
) -> Iterator[Difference]:
    if "image" in keys:
        yield "Image", short(old["image"]), short(new["image"])
    for key, one, two in lines:
        if key != "Image":
            yield key, one, two
    for part, words in PARTS:
        if part in keys:
            one, two = shown(part, old.get(part)), shown(part, new.get(part))
            if part not in TASKS or one != two:  # the rest of a task is its service's
                yield words, one, two


def shown(part: str, value: Any) -> str:
    """A part of an entry in a few words."""
    if part == "published":
        return ", ".join(_published(port) for port in value)
    if part == "ports":
        return ", ".join(f"{port['port']}/{port['mode']}" for port in value)
    if part == "routes":
        return ", ".join(f"{r['host']}{r['path']} to {r['port']}" for r in value)
    if part == "networks":
        return ", ".join(f"{n['network']} as {'/'.join(n['aliases'])}" for n in value)
    if part == "depends_on":
        return ", ".join(f"{name} {wait['condition']}" for name, wait in sorted(value.items()))
    if part == "restarts_with":
        return ", ".join(f"{name} {known[:12]}" for name, known in (value or {}).items())
    if part == "secrets":
        return ", ".join(f"{use['name']} at {use['target']}" for use in value)
    if part == "migrate":
        return ", ".join(f"{m['kind']}: {' '.join(m['command'])}" for m in value or ())
    if part == "seed":
        return " ".join(value["command"]) if value else ""
    if part == "schedule":
        return str(value["text"]) if value else ""
    if part == "probe":
        return f"{value['path']} on {value['port']}" if value else ""
    if part == "health":
        if value["kind"] == "none":
            return "none"
        return f"every {value['interval_s']:g} s, {value['retries']} times"
    return "" if value is None else str(value)


def _published(port: Mapping[str, Any]) -> str:
    address = f"{port['address']}:" if port["address"] else ""
    return f"{address}{port['port']} to {port['target']}/{port['protocol']}"


def _ports(old: Release, new: Release) -> Iterator[PortChange]:
    before, after = _open_ports(old), _open_ports(new)
    for what, gone in (("close", before - after), ("open", after - before)):
        for address, port, protocol, service in sorted(gone):
            yield PortChange(what, address, port, protocol, service)


def _open_ports(release: Release) -> set[tuple[str, int, str, str]]:
    return {
        (port["address"], port["port"], port["protocol"], name)
        for name, entry in release["services"].items()
        for port in entry["published"]
    }


def _limited(release: Release) -> Units:
    """The units of services that have a limit."""
    units = ((name, entry["unit"]) for name, entry in release["services"].items() if entry["unit"])
    return tuple(sorted((pair for pair in units if limits.limited(pair[1])), key=itemgetter(0)))


def _unenforced(units: Units, facts: Mapping[str, Any] | None) -> Iterator[Unenforced]:
    for name, unit in units:
        for miss in limits.missed(unit, facts):
            yield Unenforced(name, miss.limit, miss.why)


def _mended(observed: Mapping[str, Any], old: Release) -> dict[str, str]:
    """Service → why its copies are made new although the release may not ask for it."""
    owners: dict[str, list[str]] = {}
    for name, seen in (observed.get("services") or {}).items():
        for unit in (*seen.get("units", ()), name):
            owners.setdefault(unit, []).append(name)
    for name, entry in old["services"].items():
        for use in entry["secrets"]:
            owners.setdefault(use["secret"], []).append(name)
    found: dict[str, str] = {}
    for item in observed.get("drift") or ():
        if item["kind"] in RUNS_AGAIN:
            for owner in owners.get(item["subject"].removesuffix(".container"), ()):
                found.setdefault(owner, item["detail"])
    return found


def _actions(
    old: Release,
    new: Release,
    kinds: Mapping[str, str],
    changes: tuple[Change, ...],
    mended: Mapping[str, str],
) -> tuple[Action, ...]:
    kinds = {name: "restart" if name in mended else kind for name, kind in kinds.items()}
    renewed = {name for name, kind in kinds.items() if kind == "restart"}
    keys, waiting = _keys(changes), _waiting(new, renewed)
    found = []
    for name in ordered(new):
        if kinds[name] == "none" and new["services"][name]["strategy"] == REMOTE:
            continue
        reasons = _reasons(old, name, keys, mended)
        entry = new["services"][name]
        callers = waiting.get(name, ())
        if entry.get("schedule"):
            if name in renewed:
                found.append(Action(name, model.TIMED, "finish", reasons))
            continue
        if entry["strategy"] == "job":
            if name in renewed or callers:
                why = reasons or tuple(f"{caller} is new" for caller in callers)
                found.append(Action(name, model.JOB, "prepare", why))
        elif entry["strategy"] == REMOTE:
            found.append(Action(name, model.LEAD, "switch", reasons or ("other hosts",)))
        elif kinds[name] == "restart":
            found.append(_renewal(old, entry, name, reasons))
        elif partner := next((p for p in _partners(new, name) if p in renewed), ""):
            shared = f"{partner} is restarted, and {name} shares its namespaces"
            found.append(Action(name, model.REPLACE, "switch", (*reasons, shared)))
        elif kinds[name] == "settings":
            found.append(Action(name, model.SETTINGS, "switch", reasons))
    asleep = new.get("asleep") or {}
    found += [
        Action(name, model.REMOVE, "finish", (model.ASLEEP if name in asleep else model.GONE,))
        for name in sorted(set(old["services"]) - set(new["services"]))
    ]
    phases = ("prepare", "switch", "finish")
    return tuple(sorted(found, key=lambda action: phases.index(action.phase)))


def _keys(changes: Iterable[Change]) -> dict[str, list[str]]:
    """What changed in each service."""
    found: dict[str, list[str]] = {}
    for item in changes:
        if item.kind == "service":
            found.setdefault(item.name, []).append(item.key)
    return found


def _waiting(release: Release, renewed: Iterable[str]) -> dict[str, list[str]]:
    """Service → those of ``renewed`` that wait for it."""
    found: dict[str, list[str]] = {}
    for name in sorted(renewed):
        for other in release["services"][name]["depends_on"]:
            found.setdefault(other, []).append(name)
    return found


def _partners(release: Release, name: str) -> list[str]:
    """The services whose container this one's joins: systemd restarts it with them."""
    entry = release["services"][name]
    found = [entry["network_mode"].removeprefix("service:")]
    prefix = f"{release['instance']}-"
    for key, value in entry["unit"].get("Unit", ()):
        if key == "Requires":
            found.append(value.removeprefix(prefix).removesuffix(".service"))
    return [other for other in found if other in release["services"]]


def _renewal(old: Release, entry: Entry, name: str, reasons: tuple[str, ...]) -> Action:
    if name not in old["services"]:
        return Action(name, model.START, "prepare", reasons)
    if entry["strategy"] == "blue-green":
        return Action(name, model.BESIDE, "prepare", reasons)
    return Action(name, model.REPLACE, "switch", reasons)


def _reasons(
    old: Release, name: str, keys: Mapping[str, list[str]], mended: Mapping[str, str]
) -> tuple[str, ...]:
    if name not in old["services"]:
        return (model.WOKEN if name in (old.get("asleep") or {}) else model.NEW,)
    why = (mended[name],) if name in mended else ()
    return (*keys.get(name, ()), *why)


def ordered(release: Release) -> list[str]:
    """All services, dependencies first."""
    return dependencies_first({n: entry["depends_on"] for n, entry in release["services"].items()})
