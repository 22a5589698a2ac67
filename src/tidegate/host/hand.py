"""What a person does on a server, with no controller: the same code, one command each."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import platform
import sys
import threading
from pathlib import Path
from typing import Any, Dict, List, Set

from tidegate.host import (
    copies,
    deployment,
    drift,
    due,
    facts,
    fronts,
    generations,
    layout,
    ledger,
    machine,
    observe,
    office,
    parcel,
    podman,
    systemd,
    timers,
    units,
    witness,
)
from tidegate.host.blobs import needed
from tidegate.host.client import Client
from tidegate.host.context import Context
from tidegate.host.diff import change
from tidegate.host.errors import HostError
from tidegate.host.generations import Generation
from tidegate.host.journal import Journal
from tidegate.host.paths import Paths
from tidegate.host.placement import here
from tidegate.host.prune import prune
from tidegate.host.touch import placed, serving

Arguments = argparse.Namespace


def deploy(paths: Paths, arguments: Arguments) -> int:
    """Deploy a release file; its signature lies beside it as release.sig."""
    release = json.loads(arguments.release.read_text(encoding="utf-8"))
    signature = arguments.release.with_suffix(".sig").read_text(encoding="utf-8")
    request = {
        "signature": signature,
        "kind": "deploy",
        "allow_stateful": arguments.allow_stateful,
        "files_from": str(arguments.release.resolve().parent / "files"),
    }
    values = (
        dict(line.rstrip("\n").split("=", 1) for line in sys.stdin) if arguments.secrets else {}
    )
    return _drive(paths, release, request, values)


def rollback(paths: Paths, arguments: Arguments) -> int:
    """Deploy the release that served before this one, or generation `--to`.

    On a host that is not its environment's witness: what the witness was rolled back to.
    """
    if office.elsewhere(paths):
        return _follow(paths)
    number = arguments.to or _before(paths)
    found, now = generations.require(paths, number), generations.current(paths)
    request = {"generation": number, "kind": "rollback", "allow_stateful": True}
    code = _drive(paths, found.release, request, {})
    mine = generations.host_of(paths, number)
    then = set(found.whole.get("hosts") or ())
    later = set((now.whole.get("hosts") if now else None) or ()) - then
    if then - {mine}:
        print(f"next, on {', '.join(sorted(then - {mine}))}: {command(paths)}")
    if later:
        print(f"{', '.join(sorted(later))} came later and needs a controller: tidegate rollback")
    return code


def command(paths: Paths) -> str:
    """How a person goes back on a server."""
    return f"tidegate-host rollback --project {paths.instance}"


def _follow(paths: Paths) -> int:
    """Become what the witness serves: it is decided, so nothing is asked of anybody here."""
    told = witness.ask_rollback(paths)
    request = {"generation": told["generation"], "kind": "rollback", "allow_stateful": True}
    found = generations.load(paths, int(told["generation"]))
    if found is None:
        raise _never_had(paths, told)
    limits = found.release["switch"]
    with Client(paths, _show) as client:
        client.join(told, f"{getpass.getuser()}@{platform.node()}", found.whole["environment"])
        client.call("prepare", request)
        client.call("switch", {"batch": 1, "percent": 100})
        client.call("watch", {"window_s": limits["watch_s"], "limits": limits})
        client.call("finish", {"outcome": "commit"})
        client.call("release", {})
    print(f"{told['deployment']} serves here, too")
    return 0


def _never_had(paths: Paths, told: Dict[str, Any]) -> HostError:
    """This host came later than the release, or was made anew: alone it cannot get it."""
    number = told["generation"]
    return HostError(
        "refused",
        "no-generation",
        f"the witness went back to generation {number}, which this host never had: nothing is "
        f"changed here, and {deployment.current_number(paths)} goes on",
        subject=str(number),
        hint=f"with a controller: tidegate rollback --to {number}, which brings it here",
    )


def _before(paths: Paths) -> int:
    now = deployment.current_number(paths)
    earlier = [n for n in generations.committed(paths) if n < now]
    if not earlier:
        raise HostError("input", "no-generation", "there is no earlier release on this host")
    return earlier[-1]


def _drive(
    paths: Paths, release: Dict[str, Any], request: Dict[str, Any], values: Dict[str, str]
) -> int:
    """All phases in order; what fails is put back."""
    owner = f"{getpass.getuser()}@{platform.node()}"
    with Client(paths, _show) as client:
        client.acquire(release["environment"], owner, "by hand")
        try:
            _phases(client, paths, release, request, values)
        except HostError:
            client.put_back()
            raise
    print(f"{client.deployment} serves")
    return 0


def _phases(
    client: Client,
    paths: Paths,
    release: Dict[str, Any],
    request: Dict[str, Any],
    values: Dict[str, str],
) -> None:
    """Everything between lock and lock; HostError unless the release serves then."""
    limits = release["switch"]
    for name, value in values.items():
        client.call("secrets", {"name": name, "value_b64": value})
    parts, named = parcel.split(release) if "generation" not in request else ([], {})
    for part in parts:
        client.call("part", part)
    tasks = _due(paths, release, request)
    pending = [task.service for task in tasks if task.kind == "expand"]
    while pending:
        client.call("prepare", {**request, **named, "hold": due.held(release, pending)})
        now = due.first(release, pending)
        for service in now:
            client.call("migrate", {"service": service, "kind": "expand"})
        pending = [service for service in pending if service not in now]
    client.call("prepare", {**request, **named})
    client.call("switch", {"batch": 1, "percent": 100})
    seen = client.call("watch", {"window_s": limits["watch_s"], "limits": limits})
    outcome = "commit" if seen["verdict"] == "passed" else "abort"
    outcome = client.call("decide", {"outcome": outcome})["outcome"]
    client.call("finish", {"outcome": outcome})
    for task in tasks if outcome == "commit" else ():
        if task.kind == "contract":
            client.call("migrate", {"service": task.service, "kind": "contract"})
    client.call("release", {})
    if outcome != "commit":
        raise HostError("failed", "watch-failed", seen["reason"], log=seen.get("log", []))


def _due(paths: Paths, release: Dict[str, Any], request: Dict[str, Any]) -> List[due.Task]:
    """The migrations that this deployment runs; going back runs none."""
    if "generation" in request:
        return []
    known = due.done(ledger.entries(paths.ledger))
    return [task for task in due.migrations(release) if task.name not in known]


def _show(event: Dict[str, Any]) -> None:
    if event["state"] != "begin":
        print(f"{event['ms']:>9.1f} ms  {event['step']:<24} {event['message']}", file=sys.stderr)


def status(paths: Paths, _arguments: Arguments) -> int:
    """What runs here against what should."""
    return _print(facts.observe(paths, {}))


def history(paths: Paths, arguments: Arguments) -> int:
    """The ledger, newest first."""
    return _print(facts.history(paths, {"limit": arguments.limit}))


def verify_ledger(paths: Paths, _arguments: Arguments) -> int:
    """Check the chain."""
    print(f"{ledger.verify(paths.ledger)} entries, the chain is whole")
    return 0


def determine_changes(paths: Paths, arguments: Arguments) -> int:
    """Service by service: none, settings or restart."""
    release = _release(paths, arguments.release)
    now = generations.current(paths)
    before = now.release["services"] if now else {}
    changes = {name: change(before.get(name), entry) for name, entry in release["services"].items()}
    removed = sorted(set(before) - set(release["services"]))
    return _print({"changes": changes, "removed": removed})


def generate_units(paths: Paths, arguments: Arguments) -> int:
    """The Quadlet files that a release would have here."""
    release = _release(paths, arguments.release)
    now = generations.current(paths)
    taken = [s for network in podman.networks() for s in observe.subnets(network)]
    secrets = {
        use["secret"]: use["secret"]
        for entry in release["services"].values()
        for use in entry["secrets"]
    }
    laid = layout.compute(
        release,
        deployment.last_number(paths) + 1,
        now.release if now else None,
        now.layout if now else None,
        taken,
        secrets,
    )
    for name in release["services"]:
        fronts.learn_ports(release, laid, name, set())
    before = (now.layout if now else None) or {}
    units.place(release, laid, now.release if now else None, before, machine.facts())
    made = Generation(laid["n"], release, "", laid)
    texts = {**drift.expected_units(made), **timers.expected(made)}
    arguments.out.mkdir(parents=True, exist_ok=True)
    for name, text in sorted(texts.items()):
        (arguments.out / name).write_text(text, encoding="utf-8")
        print(arguments.out / name)
    return 0


def pull_images(paths: Paths, arguments: Arguments) -> int:
    """Pull what is missing."""
    for ref in sorted(needed(_release(paths, arguments.release)) - podman.images()):
        podman.pull(ref, None, threading.Event())
        print(ref)
    return 0


def save_image(_paths: Paths, arguments: Arguments) -> int:
    """Become podman save; own images keep the digests with which they came."""
    if "@sha256:" not in arguments.image or arguments.image.startswith("-"):
        raise HostError("input", "image-name", f"{arguments.image!r} is no NAME@sha256:DIGEST")
    words = ["--quiet", "--uncompressed", "--format", "oci-archive", arguments.image]
    os.execvp("podman", ["podman", "save", *words])  # noqa: S606


def manage_services(paths: Paths, arguments: Arguments) -> int:
    """systemctl for the serving copies."""
    now = serving(paths)
    assert now.layout is not None
    timed = set() if arguments.action == "status" else _timed(now.release)
    names = arguments.services or sorted(set(now.layout["services"]) - timed)
    chosen = [unit for name in names for unit in placed(now, name)["units"]]
    if arguments.action == "status":
        return _print(systemd.show(chosen))
    systemd.systemctl(arguments.action, *[f"{unit}.service" for unit in chosen])
    return 0


def _timed(release: Dict[str, Any]) -> Set[str]:
    """Services that run when their time has come, not when all are started."""
    return {name for name, entry in release["services"].items() if entry.get("schedule")}


def health_check(paths: Paths, arguments: Arguments) -> int:
    """Exit 1 when a service is not healthy."""
    now = serving(paths)
    assert now.layout is not None
    healthy = True
    for name in arguments.services or copies.ordered(now.release):
        entry = now.release["services"][name]
        if entry["strategy"] == "job":
            continue
        for unit in placed(now, name)["units"]:
            checked = entry["health"]["kind"] == "container"
            active = systemd.show([unit])[unit].get("ActiveState") == "active"
            good = active and (not checked or podman.healthcheck(unit))
            healthy = healthy and good
            print(f"{unit:<32} {'healthy' if good else 'UNHEALTHY'}")
    return 0 if healthy else 1


def cleanup(paths: Paths, _arguments: Arguments) -> int:
    """Remove what no kept release needs; refused while a deployment is open."""
    record = deployment.load(paths)
    if record is not None:
        raise deployment.locked(record)
    number = deployment.current_number(paths)
    journal = Journal(paths.journal(number))
    prune(Context(paths, {"number": number}, journal, threading.Event()))
    return 0


def _release(paths: Paths, file: Path) -> Dict[str, Any]:
    release = json.loads(file.read_text(encoding="utf-8"))
    host = generations.host_of(paths, deployment.current_number(paths))
    generations.check(release, paths.instance, host)
    return here(release, host)


def _print(value: Any) -> int:
    print(json.dumps(value, indent=2, sort_keys=True))
    return 0
