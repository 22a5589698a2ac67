"""``tidegate-host`` with nothing beneath it: no Podman, no systemd, no signature's key.

Attachment, agent, operations, records, journal, generations and the witness are the real ones,
under the HOME that the environment says. A service costs nothing to start, and is well at once.
The agent is a thread here, so a SIGKILL ends both; the next session starts it again.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

from tidegate.host import (
    agent,
    aside,
    clock,
    commands,
    deployment,
    due,
    facts,
    gate,
    generations,
    holds,
    ledger,
    observe,
    office,
    ops,
    podman,
    prepare,
    suites,
    systemd,
    tasks,
    witness,
)
from tidegate.host.canon import digest
from tidegate.host.context import Context
from tidegate.host.diff import change
from tidegate.host.generations import Generation
from tidegate.host.paths import Paths, paths
from tidegate.testing.simulated import units

Answer = dict[str, Any]
_agents: list[threading.Thread] = []


def main() -> int:
    """The words of ``tidegate-host``; it calls itself whatever version it is asked to be."""
    words = sys.argv[1:]
    asked = words[words.index("--agent") + 1] if "--agent" in words else "source"
    _stand_in(asked)
    return commands.main(words)


def _stand_in(version: str) -> None:
    """Take the machine away from under the tool."""
    for module, name, simple in (
        (facts, "agent_digest", lambda: version),
        (observe, "observe", _observe),
        (ops, "baseline", lambda _: {}),
        (ops, "become", lambda *_: {"drained_ms": 0.0, "stopped": [], "reverted": []}),
        (ops, "prepare", _prepare),
        (ops, "restarts", lambda _: {}),
        (ops, "switch", _switch),
        (ops, "watch", lambda *_: {"verdict": "passed", "requests": 0, "errors": 0}),
        (podman, "images", set),
        (podman, "own_secrets", lambda _: set()),
        (podman, "pull", lambda *_: None),
        (podman, "create_secret", lambda *_: None),
        (podman, "version", lambda: "5.4.2"),
        (prepare, "verify", lambda *_: None),
        (suites, "reach", lambda *_: []),
        (suites, "tests", _tested),
        (systemd, "systemctl", _systemctl),
        (tasks, "systemd", units),
        (aside, "systemd", units),
        (witness, "host_keys", list),
        (witness, "peer_key", lambda _: "ssh-ed25519 AAAA"),
    ):
        assert hasattr(module, name), name
        setattr(module, name, simple)


def _systemctl(*words: str, **_: Any) -> str:
    """Of systemd only the unit of the open deployment is there."""
    running = [thread for thread in _agents if thread.is_alive()]
    if words[0] == "start" and not running:
        instance = words[1].partition("@")[2].removesuffix(".service")
        _agents[:] = [threading.Thread(target=agent.serve, args=(paths(instance),), daemon=True)]
        _agents[0].start()
    return ""


def _observe(where: Paths, full: bool = False) -> Answer:
    now, record = generations.current(where), deployment.load(where)
    entries = ledger.entries(where.ledger)
    kept = [generations.load(where, n) for n in generations.committed(where)]
    number = deployment.current_number(where)
    return {
        "release_digest": digest(now.whole) if now else None,
        "release": now.whole if now and full else None,
        "deployment": f"{now.release['environment']}/{now.n}" if now else None,
        "generation": number,
        "witness": office.holder(where),
        "host": generations.host_of(where, number),
        "services": {},
        "drift": [],
        "open": None if record is None else {"deployment": record["deployment"]},
        **due.told(entries),
        "generations": [generations.summary(entry, number) for entry in kept if entry],
        "hold": holds.in_force(entries),
        "since": observe._since(entries, number),
        "verified": observe.verified(entries, digest(now.whole)) if now else None,
        "waiting": gate.waiting(entries),
    }


def _prepare(ctx: Context, args: Answer) -> Answer:
    """The release arrives and is stored; each service that changes is told of as a real one."""
    release = prepare._release(ctx, args)
    now = generations.current(ctx.paths)
    before = now.release["services"] if now else {}
    fresh = [
        name
        for name, entry in release["services"].items()
        if entry["image"] and change(before.get(name), entry) == "restart"
    ]
    held = set(args.get("hold") or ()) & set(fresh)
    up = ctx.record.get("up", ())
    for name in (name for name in fresh if name not in held and name not in up):
        with ctx.step(f"start:{name}", f"{name} starts"):
            ctx.check()
    if held:
        ctx.record["up"] = sorted(set(fresh) - held)
    layout = {"n": ctx.number, "services": {}, "secrets": {}, "addresses": {}}
    generations.store_layout(ctx.paths, layout)
    return {"slots": {}, "started": fresh, "restarts": [], "bytes_pulled": 0}


def _tested(ctx: Context, found: Generation, args: Answer) -> list[Answer]:
    """Tests fail of a version for which HOME has a file NAME-fails."""
    failed = (ctx.paths.home / f"{found.release['version']}-fails").exists()
    results = []
    for service in args.get("services") or ():
        with ctx.step(f"{args['suite']}:{service}"):
            ctx.check()
        verdict, reason = ("failed", f"{service} fails") if failed else ("passed", "")
        facts = {"service": service, "verdict": verdict, "reason": reason}
        results.append({**facts, "seconds": 0.0, "log": ["a line"]})
    return results


def _switch(ctx: Context, due: float = 0.0) -> Answer:
    found: Generation | None = generations.load(ctx.paths, ctx.number)
    assert found is not None
    with ctx.step("switch"):
        time.sleep(max(0.0, due - clock.boottime()))
    return {"switched": [], "recreated": [], "outage_ms": 0.0, "turned_at": clock.boottime()}


if __name__ == "__main__":
    sys.exit(main())
