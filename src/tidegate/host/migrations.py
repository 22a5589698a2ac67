"""The operations about migrations and seed data: what may run now, and what is written down of it.

*expand* runs while a deployment is being prepared, before any new copy that needs it; *contract*
after the commit; seed data when a person asks, with the lock held and nothing being deployed.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

from tidegate.host import clock, due, generations, ledger, tasks
from tidegate.host.context import Context
from tidegate.host.due import Task
from tidegate.host.errors import HostError
from tidegate.host.generations import Generation
from tidegate.host.paths import Paths

Args = Dict[str, Any]
Answer = Dict[str, Any]
# In which states of the deployment each kind may run. With nothing but the lock held, a contract
# is that of the release that serves.
WHEN = {"expand": ("preparing",), "contract": ("committed", "acquired")}


def migrate(ctx: Context, args: Args) -> Answer:
    """Run one migration of the release at hand, once: `ran`, or `nothing` with the reason.

    A contract that is due answers `due` until `noted` says that the witness knows of it. A
    rollback migrates nothing.
    """
    kind, service = str(args["kind"]), str(args["service"])
    if ctx.record["state"] not in WHEN.get(kind, ()):
        raise HostError("input", "wrong-state", f"{kind} has no place in {ctx.record['state']}")
    found, task = _task(ctx, service, kind)
    key = f"{service}.{kind}"
    if key not in ctx.record.get("tasks", {}):
        why = _nothing(ctx, found, task)
        if why:
            return {"nothing": why, "task": task.name, "number": found.n}
        if kind == "contract" and not (args.get("noted") or ctx.record.get("witness") is None):
            return {"due": True, "task": task.name, "number": found.n}
        if kind == "contract":
            note(ctx, {"event": due.CONTRACT, **_words(task, found.n)})
    try:
        tasks.once(ctx, found, service, kind, task.body["unit"])
    except HostError as problem:
        if not _recovered(ctx, found, task, problem):
            note(ctx, {"event": due.FAILED, **_words(task, ctx.number)})
            raise
    note(ctx, {"event": due.RAN, **_words(task, found.n)})
    return {"ran": task.words, "task": task.name, "number": found.n}


def note(ctx: Context, args: Args) -> Answer:
    """Write into this host's audit log what became of a migration, once for each `number`.

    That is the generation whose migration it is. The witness is told of those of other hosts.
    """
    number = int(args["number"])
    event, task = str(args["event"]), str(args["task"])
    if event not in (*due.NOTED, due.FAILED, due.SEEDED):
        raise HostError("input", "bad-note", f"{event!r} is no event of a migration")
    for entry in ledger.entries(ctx.paths.ledger):
        known = (entry.get("event"), entry.get("task"), entry.get("number"))
        if known == (event, task, number):
            return {"noted": entry["n"]}
    kind, service = str(args["kind"]), str(args["service"])
    words = {
        "at": clock.wall(),
        "event": event,
        "during": ctx.record["deployment"],
        "number": number,
        "service": service,
        "kind": kind,
        "task": task,
        "owner": ctx.record["owner"],
        "reason": f"{kind} of {service}",
    }
    return {"noted": ledger.append(ctx.paths.ledger, words)["n"]}


def seed(ctx: Context, args: Args) -> Answer:
    """Run the seed data of a service of the release that serves."""
    service = str(args["service"])
    now = generations.current(ctx.paths)
    body = ((now.release["services"].get(service) or {}).get("seed") if now else None) or None
    if now is None or body is None:
        raise HostError("input", "no-seed", f"{service} has no seed data here", subject=service)
    if ctx.record["state"] != "acquired":
        raise HostError("input", "wrong-state", "a deployment is under way")
    _mine(ctx.paths, now, service)
    tasks.once(ctx, now, service, "seed", body["unit"])
    task = Task(service, "seed", due.name_of(service, body), body)
    note(ctx, {"event": due.SEEDED, **_words(task, ctx.number)})
    return {"ran": task.words}


def settle(ctx: Context) -> None:
    """Wait for tasks that were begun before this process was killed; what ran is written down."""
    found = _generation(ctx)
    for key in tasks.settle(ctx):
        service, _, kind = key.rpartition(".")
        task = due.of(found.release, service, kind) if found else None
        if found and task:
            note(ctx, {"event": due.RAN, **_words(task, found.n)})


def admit(paths: Paths, number: int, release: str) -> None:
    """HostError (refused) for a release that served, where a contract migration began since.

    `number` is the generation that is gone back to, 0 for a release by its digest.
    """
    entries = ledger.entries(paths.ledger)
    last = number or due.served(entries, release)
    behind = due.crossed(due.contracts(entries), last) if last else []
    if behind:
        services = " and ".join(contract.service for contract in behind)
        since = min(contract.since for contract in behind)
        raise HostError(
            "refused",
            "contract-crossed",
            f"the database of {services} was contracted in deployment {since}, "
            f"and the release of {last} is older than that",
            subject=behind[0].service,
            hint="commit a change that works with the database as it is, and deploy that",
        )


def _generation(ctx: Context) -> Optional[Generation]:
    """Whose migrations are at hand: this deployment's, else those of what serves."""
    found = generations.load(ctx.paths, ctx.number)
    return found if found and found.layout else generations.current(ctx.paths)


def _task(ctx: Context, service: str, kind: str) -> Tuple[Generation, Task]:
    found = _generation(ctx)
    task = due.of(found.release, service, kind) if found else None
    if found is None or task is None:
        raise HostError(
            "input", "no-migration", f"{service} has no {kind} migration here", subject=service
        )
    _mine(ctx.paths, found, service)
    return found, task


def _mine(paths: Paths, found: Generation, service: str) -> None:
    """HostError where another host is the one that runs the service's tasks."""
    places = found.whole.get("tasks") or {}
    if "hosts" in found.whole and places.get(service) != generations.host_of(paths, found.n):
        raise HostError(
            "input",
            "wrong-host",
            f"tasks of {service} run on {places.get(service)}",
            subject=service,
        )


def _nothing(ctx: Context, found: Generation, task: Task) -> str:
    """Why a migration has nothing to do, or nothing."""
    if ctx.record["kind"] == "rollback":
        return "a rollback migrates nothing"
    number = due.done(ledger.entries(ctx.paths.ledger)).get(task.name)
    if number is not None:
        return f"done by deployment {number}"
    check = task.body.get("check_unit")
    if check and tasks.passes(ctx, found, task.service, check):
        note(ctx, {"event": due.CHECKED, **_words(task, found.n)})
        return "its check found nothing to do"
    return ""


def _recovered(ctx: Context, found: Generation, task: Task, problem: HostError) -> bool:
    """Whether a migration that was cut off had come to its end all the same: its check says so."""
    check = task.body.get("check_unit")
    cut_off = problem.code == "task-cut-off"
    return bool(cut_off and check and tasks.passes(ctx, found, task.service, check))


def _words(task: Task, number: int) -> Dict[str, Any]:
    return {"service": task.service, "kind": task.kind, "task": task.name, "number": number}
