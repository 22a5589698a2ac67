"""A task runs in a container of its own, as a unit of systemd's, once: whatever dies meanwhile.

The unit makes a mark on the disk before the container starts, and fails where the mark is: so
one deployment runs a task once. The agent writes down that it begins, and later how it ended; an
agent that was killed finds the unit as it is by then. Nobody ends a task before its own timeout:
half a migration is worse than one too many.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List

from tidegate.host import aside, deployment, systemd
from tidegate.host.aside import Unit
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import make_dir, remove, write_atomic
from tidegate.host.generations import Generation
from tidegate.host.paths import Paths

BEGUN, RAN, BROKEN = "begun", "ran", "failed"


def once(ctx: Context, found: Generation, service: str, kind: str, unit: Unit) -> None:
    """Run the task `kind` of `service` to its end, if this deployment has not done so.

    HostError (failed) where it failed or took too long, (error) where it was cut off, each time
    it is asked.
    """
    key = f"{service}.{kind}"
    known = ctx.record.setdefault("tasks", {}).get(key)
    if known is None:
        _note(ctx, key, {"state": BEGUN})
    elif known["state"] == RAN:
        clear(ctx, key)
        return
    elif known["state"] == BROKEN:
        raise HostError(**known["error"])
    with ctx.step(f"{kind}:{service}", f"{kind} of {service}"):
        if not _over(ctx, key):
            place(ctx, found, service, kind, unit, marked=True)
            systemd.complete(unit_name(ctx, key))
        try:
            _judge(ctx, key, service)
        except HostError as problem:
            _note(ctx, key, {"state": BROKEN, "error": _kept(problem)})
            raise
        _note(ctx, key, {"state": RAN})
    clear(ctx, key)


def settle(ctx: Context) -> List[str]:
    """Wait for every task that was begun and not seen to its end; returns all that ran."""
    noted = sorted((ctx.record.get("tasks") or {}).items())
    ran = [key for key, known in noted if known["state"] == RAN]
    for key in (key for key, known in noted if known["state"] == BEGUN):
        service = key.rpartition(".")[0]
        with ctx.step(f"settle:{key}", f"waiting for {key} to end"):
            try:
                if _over(ctx, key):
                    _judge(ctx, key, service)
                    ran.append(key)
                    _note(ctx, key, {"state": RAN})
            except HostError as problem:
                _note(ctx, key, {"state": BROKEN, "error": _kept(problem)})
        clear(ctx, key)
    return ran


def passes(ctx: Context, found: Generation, service: str, unit: Unit) -> bool:
    """Whether a check ends with 0; HostError (failed) where it takes too long."""
    key = f"{service}.check"
    with ctx.step(f"check:{service}"):
        place(ctx, found, service, "check", unit, marked=False)
        systemd.complete(unit_name(ctx, key))
        shown = aside.ended(unit_name(ctx, key))
        log = [] if shown.get("ActiveState") == "active" else systemd.logs(unit_name(ctx, key))
        clear(ctx, key)
        if shown.get("Result") == "timeout":
            raise HostError(
                "failed",
                "check-timeout",
                f"the check of {service}'s migration took too long",
                subject=service,
                hint="`timeout:` below `migrate:` says how long it may take",
                log=log,
            )
    return shown.get("ActiveState") == "active"


def unit_name(ctx: Context, key: str) -> str:
    """The unit, and container, of a task; no service's unit bears such a name."""
    return f"{ctx.paths.instance}-{key}"


def place(
    ctx: Context, found: Generation, service: str, kind: str, unit: Unit, *, marked: bool
) -> None:
    """Write the unit of a task, for systemd to start."""
    make_dir(_marks(ctx.paths))
    name = unit_name(ctx, f"{service}.{kind}")
    before = _mark_lines(ctx, f"{service}.{kind}") if marked else []
    whole = {**unit, "Service": [*unit.get("Service", ()), *before]}
    text = aside.unit_text(found, service, name, whole)
    systemd.stop([name])  # one that was left behind would count as started
    write_atomic(ctx.paths.units / f"{name}.container", text, 0o644)
    systemd.daemon_reload()
    systemd.reset_failed([name])


def clear(ctx: Context, key: str) -> None:
    """Take the unit of a task away; its output stays in the journal.

    Systemd forgets it when it next reads unit files anew: a reload costs it as much as a start.
    """
    name = unit_name(ctx, key)
    file = ctx.paths.units / f"{name}.container"
    if file.exists():
        systemd.stop([name])
        remove(file)
        systemd.reset_failed([name])


def prune(paths: Paths, kept: "set[int]") -> None:
    """Forget the marks of deployments that are forgotten."""
    folder = _marks(paths)
    for entry in folder.iterdir() if folder.is_dir() else ():
        if int(entry.name.partition("-")[0]) not in kept:
            entry.rmdir()


def _marks(paths: Paths) -> Path:
    return paths.root / "tasks"


def _mark(ctx: Context, key: str) -> Path:
    return _marks(ctx.paths) / f"{ctx.number}-{key}"


def _mark_lines(ctx: Context, key: str) -> List[List[str]]:
    """The mark is on the disk before the container begins: mkdir(2) fails where it is."""
    mark = f"%h/{_mark(ctx, key).relative_to(ctx.paths.home)}"
    folder = mark.rpartition("/")[0]
    return [
        ["ExecStartPre", f"/usr/bin/mkdir {mark}"],
        ["ExecStartPre", f"/usr/bin/sync {folder}"],
    ]


def _over(ctx: Context, key: str) -> bool:
    """Whether this deployment has started the task: it runs, or has ended."""
    name = unit_name(ctx, key)
    return _mark(ctx, key).exists() or aside.going(systemd.show([name])[name])


def _judge(ctx: Context, key: str, service: str) -> None:
    """HostError unless the task ended well."""
    shown = aside.ended(unit_name(ctx, key))
    started = _mark(ctx, key).exists()
    if shown.get("ActiveState") == "active" and started:
        return
    kind, result = key.rpartition(".")[2], shown.get("Result", "")
    words = f"the {kind} {'data' if kind == 'seed' else 'migration'} of {service}"
    log = systemd.logs(unit_name(ctx, key))
    if not started:
        raise HostError(
            "error",
            "task-not-started",
            f"{words} could not be started",
            subject=service,
            hint=f"on the host: systemctl --user status {unit_name(ctx, key)}",
            log=log,
        )
    if shown.get("ActiveState") != "failed":
        raise HostError(
            "error",
            "task-cut-off",
            f"{words} was cut off: nobody knows how far it came",
            subject=service,
            hint="look at the database; deploying again runs it again",
            log=log,
        )
    if result == "timeout":
        raise HostError(
            "failed",
            "task-timeout",
            f"{words} took too long and was ended",
            subject=service,
            hint="`timeout:` below it says how long it may take",
            log=log,
        )
    raise HostError(
        "failed",
        "task-failed",
        f"{words} failed (exit status {shown.get('ExecMainStatus', '?')})",
        subject=service,
        hint="its last output follows",
        log=log,
    )


def _note(ctx: Context, key: str, state: Dict[str, Any]) -> None:
    ctx.record.setdefault("tasks", {})[key] = state
    deployment.save(ctx.paths, ctx.record)


def _kept(problem: HostError) -> Dict[str, Any]:
    """What the same error is made of again."""
    words = problem.as_dict()
    return {("class_" if key == "class" else key): value for key, value in words.items()}
