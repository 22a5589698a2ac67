"""The operations of host protocol 1 on one open deployment.

Each may be repeated: it looks at the record's state and at what is there.
"""

from __future__ import annotations

import base64
import uuid
from typing import Any, Dict, List, Optional

from tidegate.host import (
    adopt,
    ahead,
    clock,
    deployment,
    drift,
    gate,
    generations,
    ledger,
    migrations,
    office,
    parcel,
    podman,
    protocol,
    prune,
    suites,
    witness,
)
from tidegate.host.canon import digest
from tidegate.host.context import Context
from tidegate.host.errors import HostError
from tidegate.host.files import read_text, write_atomic, write_once
from tidegate.host.finish import become, leave
from tidegate.host.generations import Generation
from tidegate.host.layout import is_version
from tidegate.host.prepare import prepare
from tidegate.host.switch import prepared, switch
from tidegate.host.watch import baseline, restarts, watch

Args = Dict[str, Any]
Answer = Dict[str, Any]
TESTED = "testsuiterun.finished"


class Ops:
    """Requests in, results out; every change of state goes through the table."""

    def __init__(self, context: Context) -> None:
        self.context = context

    def secrets(self, args: Args) -> Answer:
        """Keep a secret's value; never journalled.

        Its version is the one that comes with it, else a new one where the value differs.
        """
        ctx = self.context
        name = str(args["name"])
        now = generations.current(ctx.paths)
        known = ((now.layout or {}).get("secrets", {}) if now else {}).get(name, "")
        known = ctx.record.setdefault("secrets", {}).get(name, known)
        value, version = base64.b64decode(args["value_b64"]), str(args.get("version") or "")
        ctx.record["secrets"][name] = self._stored(name, known, version, value)
        deployment.save(ctx.paths, ctx.record)
        return {"version": ctx.record["secrets"][name]}

    def _stored(self, name: str, known: str, version: str, value: bytes) -> str:
        """The Podman secret that holds `value`: `known` where it does, else one that is made.

        What somebody else put under a name of ours is not overwritten: ours gets another.
        """
        instance = self.context.paths.instance
        stem = f"{name}-{version}" if version else name
        if version and not is_version(known, stem):
            known = stem
            if stem not in podman.secrets():
                podman.create_secret(stem, value, instance)
                return stem
        if known and podman.secret_is(known, value, instance):
            return known
        fresh = f"{stem}-{uuid.uuid4().hex[:8]}"
        podman.create_secret(fresh, value, instance)
        return fresh

    def part(self, args: Args) -> Answer:
        """See tidegate.host.parcel."""
        self._undecided()
        parcel.keep(self.context.paths, args)
        return {}

    def prepare(self, args: Args) -> Answer:
        """See tidegate.host.prepare."""
        record = self.context.record
        if record["state"] in ("prepared", "switching", "switched"):
            return dict(record["results"]["prepare"])
        self._undecided()
        self._admitted(args)
        known = digest(args["release"]) if args.get("release") else str(args.get("digest") or "")
        migrations.admit(self.context.paths, int(args.get("generation") or 0), known)
        record["kind"] = args.get("kind", "deploy")
        record["files_from"] = args.get("files_from")
        record["revoked"] = args.get("revoked") or []
        record["generation"] = int(args.get("generation") or 0)
        self._step("prepare")
        result = prepare(self.context, args)
        self._undecided()
        if args.get("hold"):  # what it holds back starts when its migrations have run
            deployment.save(self.context.paths, record)
            return result
        record["results"]["prepare"] = result
        self._step("prepared")
        return result

    def migrate(self, args: Args) -> Answer:
        """See tidegate.host.migrations."""
        if self.context.record["state"] not in protocol.ENDED:
            self._undecided()
        return migrations.migrate(self.context, args)

    def note(self, args: Args) -> Answer:
        """See tidegate.host.migrations."""
        return migrations.note(self.context, args)

    def seed(self, args: Args) -> Answer:
        """See tidegate.host.migrations."""
        return migrations.seed(self.context, args)

    def _admitted(self, args: Args) -> None:
        """On the witness: what the lock was given for is what comes; stored releases may come."""
        if self.elsewhere or args.get("generation") or "release" not in args:
            return
        record, release = self.context.record, args["release"]
        told = {"plan": "", **record.get("gate", {}), "release": digest(release)}
        gate.require(self.context.paths, record["environment"], told, release)

    def switch(self, args: Args) -> Answer:
        """See tidegate.host.switch; the answer is this host's vote.

        `in_ms` after this request is when callers are turned.
        """
        due, record = clock.boottime() + float(args.get("in_ms") or 0) / 1000, self.context.record
        if record["state"] == "switched":
            return self._vote()
        self._undecided()
        record.setdefault("counted", baseline(self.context))
        self._step("switch")
        result = switch(self.context, due)
        record["restarts"] = restarts(self.context)
        self._undecided()
        record["results"]["switch"] = result
        self._step("switched")
        return self._vote()

    def _vote(self) -> Answer:
        """How the switch went, and how long ago it was: clocks of hosts are not compared."""
        told = dict(self.context.record["results"]["switch"])
        ago_s = clock.boottime() - float(told.pop("turned_at", clock.boottime()))
        return {**told, "turned_ms_ago": round(max(ago_s, 0.0) * 1000, 1)}

    def watch(self, args: Args) -> Answer:
        """See tidegate.host.watch."""
        self._undecided()
        if self.context.record["state"] != "switched":
            raise HostError("input", "wrong-state", "nothing is switched yet")
        return watch(self.context, float(args.get("window_s", 1.0)), args.get("limits") or {})

    def verify(self, args: Args) -> Answer:
        """Whether all here is reached, and the tests of `services` in `suite` pass.

        Of what this deployment has switched to; of what serves, where it does nothing else.
        """
        found = self._to_verify()
        results = suites.reach(self.context, found)
        return {"results": results or suites.tests(self.context, found, args)}

    def _to_verify(self) -> Generation:
        if self.context.record["state"] == "acquired":
            now = generations.current(self.context.paths)
            if now is None:
                raise HostError("input", "nothing-here", "nothing serves here")
            return now
        self._undecided()
        if self.context.record["state"] != "switched":
            raise HostError("input", "wrong-state", "nothing is switched yet")
        return prepared(self.context)

    def verdict(self, args: Args) -> Answer:
        """On the witness: keep what the tests of all hosts said of a release."""
        found = self._to_verify()
        entry = {
            "at": clock.wall(),
            "event": TESTED,
            "deployment": self.context.record["deployment"],
            "suite": str(args["suite"]),
            "verdict": str(args["verdict"]),
            "reason": str(args.get("reason") or ""),
            "owner": self.context.record["owner"],
            "release": digest(found.whole),
            "version": found.release["version"],
        }
        return {"recorded": ledger.append(self.context.paths.ledger, entry)["n"]}

    def outcome(self) -> str:
        """What is decided, or nothing."""
        return (read_text(self.context.paths.decision(self.context.number)) or "").strip()

    def decide(self, wanted: str) -> str:
        """On the witness: write the outcome once; returns what is recorded, whoever wrote it."""
        if wanted not in protocol.OUTCOMES:
            raise HostError("input", "bad-outcome", f"{wanted!r} is neither commit nor abort")
        if self.elsewhere:
            raise HostError("input", "not-the-witness", "another host decides for all")
        state = self.context.record["state"]
        if not self.outcome() and not protocol.may_record(wanted, state):
            raise HostError("input", "wrong-state", "commit needs a switched deployment")
        return self._record(wanted)

    @property
    def elsewhere(self) -> Optional[Dict[str, Any]]:
        """How the witness is reached, None where it is this host."""
        found: Optional[Dict[str, Any]] = self.context.record.get("witness")
        return found

    def ask(self) -> str:
        """In doubt: propose abort to the witness; what it has recorded is recorded here, too.

        HostError (error) while it cannot be reached.
        """
        if self.elsewhere is None:
            return self.decide("abort")
        outcome = witness.ask(self.context.paths, self.elsewhere, self.context.record["deployment"])
        return self._record(outcome)

    def retire(self, args: Args) -> Answer:
        """On the witness, while nothing but the lock is held: another host is it from now on."""
        if self.elsewhere or self.context.record["state"] != "acquired":
            raise HostError("input", "wrong-state", "only a witness that does nothing can retire")
        office.follow(self.context.paths, str(args["to"]))
        return {}

    def give_up(self) -> None:
        """Undo alone, before any vote: nobody can have recorded a commit."""
        self._record("abort")

    def settle(self, outcome: str) -> None:
        """A person decided in place of a witness that is lost for good; nothing: nobody did."""
        voted = not protocol.undoes_alone(self.context.record["state"])
        if outcome in protocol.OUTCOMES and voted:
            self._record(outcome)

    def lapse(self) -> None:
        """The controller is gone, or a newer one is here."""
        if protocol.undoes_alone(self.context.record["state"]):
            self.give_up()
        self._forget_secrets()
        self._step("lapse")

    def _forget_secrets(self) -> None:
        """Values that came for a deployment that prepared nothing: nothing else removes them."""
        record = self.context.record
        if record["state"] == "acquired" and record.get("secrets"):
            try:
                prune.secrets(self.context.paths)
            except HostError as problem:
                self.context.info("secrets", f"left to the next deployment: {problem.message}")

    def _record(self, outcome: str) -> str:
        path = self.context.paths.decision(self.context.number)
        return write_once(path, outcome + "\n").strip()

    def finish(self, args: Args) -> Answer:
        """Become what was decided."""
        record = self.context.record
        if record["state"] in protocol.ENDED:
            return dict(record["results"].get("finish", {}))
        outcome, known = str(args.get("outcome")), self.outcome()
        may = bool(known or self.elsewhere) and protocol.may_obey(outcome, known)
        if not may or outcome not in protocol.OUTCOMES:
            raise HostError("refused", "not-decided", f"the decision is {known or 'open'!r}")
        if not protocol.may_end(outcome, record["state"]):
            raise HostError("input", "wrong-state", f"{record['state']}: {outcome} is too early")
        self._record(outcome)
        self._step_to_end(outcome)
        if record["state"] in protocol.ENDED:
            return {}
        migrations.settle(self.context)
        if outcome == "commit":
            write_atomic(self.context.paths.current, f"{self.context.number}\n")
        self._record_end(outcome)
        with self.context.step(outcome):
            result = become(self.context, generations.current(self.context.paths))
            result["reverted"] += adopt.end(self.context, outcome)
        record["results"]["finish"] = result
        self._step("finished")
        return result

    def release(self) -> None:
        """Nothing of the deployment stays open; HostError unless it ended, or never began."""
        state = self.context.record["state"]
        if state not in (*protocol.ENDED, "acquired"):
            raise HostError("input", "wrong-state", f"{state}: finish comes first")
        self._forget_secrets()
        migrations.settle(self.context)

    def destroy(self, args: Args) -> Answer:
        """Take the instance off this host; its volumes only when asked."""
        ctx = self.context
        volumes = self._volumes() if args.get("volumes") else []
        now = generations.load(ctx.paths, deployment.current_number(ctx.paths))
        write_atomic(ctx.paths.current, "0\n")
        write_once(ctx.paths.decision(ctx.number), "abort\n")
        emptied = {"volumes": True} if args.get("volumes") else {}
        entry = {**self._entry("service.removed", "destroyed"), **emptied}
        ledger.append(ctx.paths.ledger, entry)
        result = leave(ctx, drift.expected_units(now))
        ahead.forget(ctx.paths)
        for name in volumes:
            podman.remove_volume(name)
        for secret in podman.own_secrets(ctx.paths.instance):
            podman.remove_secret(secret)
        if ctx.record["state"] == "acquired":
            self._step("abort")
        return {"removed": result["stopped"], "volumes": volumes}

    def _volumes(self) -> List[str]:
        now = generations.current(self.context.paths)
        entries = now.release["volumes"].values() if now else []
        return sorted(entry["name"] for entry in entries if not entry["external"])

    def _step(self, happened: str) -> None:
        deployment.step(self.context.paths, self.context.record, happened)

    def _step_to_end(self, outcome: str) -> None:
        state = self.context.record["state"]
        if state not in protocol.ENDING:
            self._step(outcome)

    def _undecided(self) -> None:
        if self.outcome():
            raise HostError(
                "refused",
                "decided",
                f"{self.context.record['deployment']} is already decided",
                hint="deploy again",
            )

    def _record_end(self, outcome: str) -> None:
        """One ledger entry for each deployment, however often its end is walked."""
        ctx = self.context
        for entry in reversed(ledger.entries(ctx.paths.ledger)):
            if "outcome" in entry and entry.get("deployment") == ctx.record["deployment"]:
                return
        rolled = ctx.record["kind"] == "rollback"
        event = "service.rolledback" if rolled or outcome == "abort" else "service.deployed"
        ledger.append(ctx.paths.ledger, self._entry(event, outcome))

    def _entry(self, event: str, outcome: str) -> Dict[str, Any]:
        ctx = self.context
        found = generations.load(ctx.paths, ctx.number)
        again = ctx.record.get("generation")
        return {
            "at": clock.wall(),
            "event": event,
            "deployment": ctx.record["deployment"],
            "kind": ctx.record["kind"],
            "outcome": outcome,
            "owner": ctx.record["owner"],
            "reason": ctx.record["reason"],
            "release": digest(found.whole) if found else "",
            "version": found.release.get("version", "") if found else "",
            **({"generation": again} if again else {}),
        }
