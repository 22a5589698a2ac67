"""*prepare*: everything of a new generation is here and healthy; nothing live is touched.

Every part looks at what is there already, so it may be repeated after any kill.
"""

from __future__ import annotations

import os
import threading
from typing import Any, Dict, List, Optional, Set

from tidegate.host import (
    adopt,
    blobs,
    copies,
    drift,
    fronts,
    generations,
    layout,
    machine,
    observe,
    parcel,
    podman,
    secret_versions,
    strangers,
    strategies,
    systemd,
    units,
)
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import write_if_changed
from tidegate.host.front import set_callers, set_live
from tidegate.host.generations import Generation
from tidegate.host.layout import SLOTTED, Release
from tidegate.host.placement import here
from tidegate.host.signature import verify

# What must stay free besides the images: journals, units, the application's own writing.
SPARE_BYTES = 200_000_000
# How old a new service's copy may get before it opens a port, where nothing names one.
PORT_S = 4.0
# Copies become ready in threads, and the layout is one file.
_LAYOUT = threading.Lock()


def prepare(ctx: Context, args: Dict[str, Any]) -> Dict[str, Any]:
    """Bring the release of `args` as far as it goes beside the one that serves."""
    old = generations.current(ctx.paths)
    release = _release(ctx, args)
    stored = generations.load(ctx.paths, ctx.number)
    if stored is None or stored.layout is None:  # else its own containers may be here already
        _guard(ctx, release, old, args)
        ctx.record["pulled"] = blobs.bring(ctx, release, args.get("blobs"))
    again = generations.load(ctx.paths, int(args.get("generation") or 0))
    new = _lay(ctx, release, old, again)
    drift.mend(ctx, old)
    _write_units(ctx, new, old)
    held = set(args.get("hold") or ()) & set(started(new, old))
    adopt.take(ctx, args)
    _start(ctx, new, old, held)
    os.sync()
    assert new.layout is not None
    return {
        "slots": dict(fronts.slots_of(release, new.layout)),
        "started": started(new, old),
        "restarts": at_switch(new, old),
        "bytes_pulled": ctx.record.get("pulled", 0),
        **({"held": sorted(held)} if held else {}),
    }


def _release(ctx: Context, args: Dict[str, Any]) -> Release:
    """The release of `args`, or a stored generation's, verified and stored as this one's.

    What is returned is the part of it that this host runs. With both in `args`, the release is
    the generation that this host does not keep: it may have come later than that.
    """
    release: Release = args.get("release") or {}
    if args.get("digest"):
        release = parcel.take(ctx.paths, ctx.number, str(args["digest"]))
    signature = str(args.get("signature") or "")
    host = str(ctx.record.get("host") or "")
    again = int(args.get("generation") or 0)
    if again and release and generations.load(ctx.paths, again) is None:
        _of_a_fleet(release, again)
    elif again:
        stored = generations.require(ctx.paths, again)
        release, signature = stored.whole, stored.signature
        host = generations.host_of(ctx.paths, stored.n)
    with ctx.step("verify"):
        generations.check(release, ctx.paths.instance, host, later=bool(again))
        verify(release, signature, ctx.paths.allowed_signers)
        generations.store(ctx.paths, ctx.number, release, signature, host)
    parcel.clear(ctx.paths)
    return here(release, host)


def _of_a_fleet(release: Release, n: int) -> None:
    """A release for one host does not say what a host runs that came later."""
    if "hosts" not in release:
        raise HostError(
            "input",
            "one-host",
            f"generation {n} is from when the environment had one host, and this is another",
            subject=str(n),
            hint=f"check commit {str(release.get('commit') or '')[:12]} out and deploy it",
        )


def _guard(ctx: Context, release: Release, old: Optional[Generation], args: Dict[str, Any]) -> None:
    podman.require_version(podman.version())
    free = podman.free_bytes(ctx.paths.base)
    if free < SPARE_BYTES:
        raise HostError(
            "error",
            "disk-full",
            f"only {free // 1_000_000} MB are free on this host",
            subject=str(ctx.paths.base),
            hint="free some space, then deploy again",
        )
    _stateful(release, old, bool(args.get("allow_stateful")))
    _ports_free(release, old, fronts.edge_ports(ctx.paths) | adopt.freed(args))
    _externals(release)
    _paths(release)
    _strangers(ctx, release, old, adopt.named(args))


def _strangers(
    ctx: Context, release: Release, old: Optional[Generation], adopted: Set[str]
) -> None:
    """Names of ours that somebody else has here stop us: nothing of others is overwritten."""
    ours = {*drift.expected_units(old), *drift.owned(ctx.paths)}
    others = podman.other_containers(ctx.paths.instance, strangers.names(release))
    strangers.refuse(ctx.paths, release, ours, others - adopted)


def _stateful(release: Release, old: Optional[Generation], allowed: bool) -> None:
    for name, entry in release["services"].items():
        before = (old.release["services"] if old else {}).get(name)
        if allowed or before is None or not entry.get("stateful"):
            continue
        if before["image"] != entry["image"]:
            raise HostError(
                "refused",
                "stateful",
                f"{name} keeps data, and its image changes",
                subject=name,
                hint="take a backup, then deploy with --allow-stateful",
            )


def _published(release: Optional[Release]) -> Set[int]:
    services = release["services"].values() if release else []
    return {
        int(port["port"])
        for entry in services
        for port in entry["published"]
        if port["protocol"] == "tcp"
    }


def _ports_free(release: Release, old: Optional[Generation], known: Set[int]) -> None:
    taken = (_published(release) - _published(old.release if old else None)) & (
        observe.listening_here()
    )
    taken -= known  # the edge itself refuses those of other projects, by name
    if taken:
        port = min(taken)
        raise HostError(
            "input",
            "port-taken",
            f"port {port} is in use on this host by something else",
            subject=str(port),
            hint=f"free it (`ss -ltnp 'sport = :{port}'`) or publish another",
        )


def _externals(release: Release) -> None:
    """Networks, volumes and secrets that are declared `external` must be here."""
    wanted = [entry["name"] for entry in release["networks"].values() if entry["external"]]
    if wanted:
        here = {entry["name"] for entry in podman.networks()}
        for name in wanted:
            if name not in here:
                raise HostError(
                    "input",
                    "network-missing",
                    f"the external network {name!r} is not here",
                    subject=name,
                    hint=f"on the host: podman network create {name}",
                )
    for entry in release["volumes"].values():
        if entry["external"] and not podman.volume_exists(entry["name"]):
            raise HostError(
                "input",
                "volume-missing",
                f"the external volume {entry['name']!r} is not here",
                subject=entry["name"],
                hint=f"on the host: podman volume create {entry['name']}",
            )
    _external_secrets(release)


def _external_secrets(release: Release) -> None:
    uses = [use for entry in release["services"].values() for use in entry["secrets"]]
    wanted = sorted({use["secret"] for use in uses if use.get("external")})
    here = podman.secrets() if wanted else set()
    for name in wanted:
        if name not in here:
            raise HostError(
                "input",
                "secret-missing",
                f"the external secret {name!r} is not here",
                subject=name,
                hint=f"on the host: podman secret create {name} FILE",
            )


def _paths(release: Release) -> None:
    """What is mounted with `create_host_path: false` must be here."""
    for name, entry in release["services"].items():
        for path in entry.get("paths", ()):
            if not os.path.lexists(path):
                raise HostError(
                    "input",
                    "path-missing",
                    f"{name} mounts {path}, which is not on this host",
                    subject=path,
                    hint="make it, or leave `create_host_path: false` out",
                )


def _lay(
    ctx: Context, release: Release, old: Optional[Generation], again: Optional[Generation]
) -> Generation:
    """The layout: the stored one when this is repeated, else computed and stored.

    `again` is the generation that a rollback goes back to: its secrets are its own, too.
    """
    stored = generations.load(ctx.paths, ctx.number)
    if stored is not None and stored.layout is not None:
        return stored
    subnets = {network["name"]: observe.subnets(network) for network in podman.networks()}
    own = {entry["name"] for entry in release["networks"].values()}
    taken = [subnet for name, found in subnets.items() if name not in own for subnet in found]
    taken += observe.routed()
    versions, ids = secret_versions.versions(ctx, release, old, again)
    laid = layout.compute(
        release,
        ctx.number,
        old.release if old else None,
        old.layout if old else None,
        taken,
        versions,
        drift.renew(ctx.paths, old),
        subnets,
    )
    laid["secret_ids"] = ids
    for name, entry in release["services"].items():
        if entry["strategy"] in SLOTTED:
            fronts.learn_ports(release, laid, name, set())
    before = (old.layout if old else None) or {}
    units.place(release, laid, old.release if old else None, before, machine.facts())
    generations.store_layout(ctx.paths, laid)
    return Generation(ctx.number, release, "", laid)


def started(new: Generation, old: Optional[Generation]) -> List[str]:
    """Services that *prepare* starts: new copies in a free slot, jobs, and what was not here."""
    assert new.layout is not None
    before = old.release["services"] if old else {}
    changed = set(layout.changed(new.layout))
    result = []
    for name, entry in new.release["services"].items():
        if entry.get("schedule") or (name not in changed and entry["strategy"] != "job"):
            continue
        if entry["strategy"] == "job":
            waited_for = {other for other in changed if name in copies.needs(new.release, other)}
            if name in changed or waited_for:
                result.append(name)
        elif entry["strategy"] in SLOTTED or name not in before:
            result.append(name)
    return sorted(result)


def at_switch(new: Generation, old: Optional[Generation]) -> List[str]:
    """Services that are restarted in place when traffic switches, dependencies first."""
    assert new.layout is not None
    timed = {name for name, entry in new.release["services"].items() if entry.get("schedule")}
    mine = set(layout.changed(new.layout)) - set(started(new, old)) - timed
    mine |= copies.partners(new.release, mine)
    return [name for name in copies.ordered(new.release) if name in mine]


def _write_units(ctx: Context, new: Generation, old: Optional[Generation]) -> None:
    assert new.layout is not None
    texts = dict(new.layout["shared"])
    for name in started(new, old):
        texts.update(new.layout["units"][name])
    with ctx.step("units"):
        written = [
            write_if_changed(ctx.paths.units / name, text, 0o644)
            for name, text in sorted(texts.items())
        ]
        if any(written):
            systemd.daemon_reload()
        _check_generated(texts)


def _check_generated(texts: Dict[str, str]) -> None:
    """Quadlet drops what it does not understand without a word: ask systemd for each unit."""
    names = [name[: -len(".container")] for name in texts if name.endswith(".container")]
    for name, state in systemd.show(names).items():
        if state.get("LoadState") != "loaded":
            raise HostError(
                "error",
                "unit-refused",
                f"Quadlet made no unit of {name}.container",
                subject=name,
                hint="`podman-user-generator --dryrun` on the host says why",
            )


def _start(ctx: Context, new: Generation, old: Optional[Generation], held: Set[str]) -> None:
    """Start what is new but for `held`, and what an earlier call has brought up."""
    release, laid = new.release, new.layout
    assert laid is not None
    names = started(new, old)
    for service in fronts.fronted(release, laid):
        target = fronts.folder(ctx.paths, service)
        if target.exists():
            set_callers(target, fronts.callers(new, service, names))
    fronts.stake(ctx, new, old)
    todo = [name for name in names if name not in held and name not in ctx.record.get("up", ())]
    copies.bring_up(ctx, release, laid, todo, lambda name: _ready(ctx, new, old, name))
    if held:
        ctx.record["up"] = sorted(set(names) - held)
    for service in fronts.fronted(release, laid):
        waits = service in names or service in strategies.gaining(new, old)
        if not waits and fronts.differs(new, old, service):
            fronts.ensure(ctx, release, laid, service)
            _keep(ctx, laid)


def _keep(ctx: Context, laid: layout.Layout) -> None:
    with _LAYOUT:
        generations.store_layout(ctx.paths, laid)


def _ports(ctx: Context, new: Generation, old: Optional[Generation], name: str) -> Set[int]:
    """The ports that a new copy listens on.

    Without one there is no front, and nobody reaches the service by its name. So where nothing
    names a port, the copy gets time to open one; one that replaces another is as that one.
    """
    assert new.layout is not None
    unit = new.layout["services"][name]["units"][0]
    found = copies.listening(unit)
    if found or new.layout["ports"].get(name):
        return found
    before = (old.layout or {}).get("services", {}).get(name) if old else None
    if before:
        return copies.listening(before["units"][0])
    return copies.first_ports(ctx, unit, PORT_S)


def _ready(ctx: Context, new: Generation, old: Optional[Generation], name: str) -> None:
    """A copy is healthy: learn its ports, make its front, check its critical path."""
    release, laid = new.release, new.layout
    assert laid is not None
    entry = release["services"][name]
    if entry["strategy"] not in SLOTTED:
        return
    found = _ports(ctx, new, old, name) if laid["services"][name]["units"] else set()
    with _LAYOUT:
        fronts.learn_ports(release, laid, name, found)
        generations.store_layout(ctx.paths, laid)
    if name in fronts.fronted(release, laid) and name not in strategies.gaining(new, old):
        fronts.ensure(ctx, release, laid, name)
        _keep(ctx, laid)
        target = fronts.folder(ctx.paths, name)
        set_callers(target, fronts.callers(new, name, started(new, old)))
        if not fronts.serves(old, name):
            set_live(target, laid["services"][name]["slot"])
    fronts.probe(ctx, new, name)
