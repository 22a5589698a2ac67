"""Carries one deployment out on every host, phase by phase, with a barrier after each.

A phase begins on all hosts before any answer is awaited; it is over when all have answered.
The first host of the list is the environment's witness: it owns lock, token and decision.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tidegate.errors import InfrastructureError, TidegateError
from tidegate.host import due
from tidegate.host.due import Task
from tidegate.host.placement import Views, order
from tidegate.pipeline import verifying
from tidegate.pipeline.cargo import Cargo
from tidegate.pipeline.explain import explained, interrupted, judge
from tidegate.pipeline.lease import Lease
from tidegate.pipeline.migrating import Migrations, owed
from tidegate.pipeline.states import CLOSING, DECIDED, ENDS, TABLE, Outcome, Phase
from tidegate.pipeline.verifying import Suite
from tidegate.ports import Answer, Host, Reporter

Results = list[Mapping[str, Any]]
# A host that is reachable and says nothing for so long is broken.
LONG_S = 3600.0
SHORT_S = 60.0
QUICK = (
    *(Phase.ACQUIRE, Phase.JOIN, Phase.SECRETS, Phase.WATCH),
    *(Phase.COMMIT, Phase.ASK, Phase.ABORT, Phase.RELEASE),
)
LIMITS_S = {**dict.fromkeys(QUICK, SHORT_S), Phase.VERIFY: verifying.PATIENCE_S}
# What hosts of one batch have to read and write before they turn takes each another time, so
# they turn at one instant: so long after they were asked.
TOGETHER_MS = 250
CLOSED = "stale-token"  # host protocol 1: no deployment is open, or it is another's
PROPOSALS = {Phase.COMMIT: "commit", Phase.ASK: "commit", Phase.ABORT: "abort"}


@dataclass(frozen=True, slots=True)
class Attempt:
    """Everything that a deployment needs, made before any host is touched.

    ``generation`` names a stored release of the hosts (a rollback); ``release`` is then for
    the hosts in ``lacking``, which do not keep it.
    ``blobs_port`` is our blob server on 127.0.0.1, 0 for none. ``witness`` is how the other
    hosts ask the first one (``address``, ``port``, ``user``, ``host_keys``), and ``peers`` are
    their public keys by host, where the witness does not know them yet.
    """

    environment: str
    owner: str
    reason: str = ""
    release: Mapping[str, Any] | None = None
    signature: str = ""
    generation: int = 0
    lacking: Collection[str] = ()
    kind: str = "deploy"
    gate: Mapping[str, Any] = field(default_factory=dict)  # what the witness asks of people
    migrations: Sequence[tuple[str, Task]] = ()  # due, by host
    adopt: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by host
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)  # name → base64
    versions: Mapping[str, str] = field(default_factory=dict)  # of secrets that have their own
    revoked: Sequence[str] = ()  # versions of secrets that no host may use any more
    blobs_port: int = 0
    witness: Mapping[str, Any] = field(default_factory=dict)
    peers: Mapping[str, str] = field(default_factory=dict)
    batch: int = 0  # hosts that switch at once, 0 for all
    allow_stateful: bool = False
    suite: Suite | None = None  # tests that must pass before it is decided
    lease_s: float = 15.0
    watch_s: float = 1.0
    max_error_rate: float = 0.05
    min_requests: int = 20


@dataclass(slots=True)
class Report:
    """How it ended: ``end`` is one of the table's ends; ``error`` says why it did not commit."""

    end: Phase = Phase.REVERTED
    deployment: str = ""
    number: int = 0
    error: TidegateError | None = None
    version: str = ""  # what it was about, for people
    bytes_sent: int = 0
    idle: list[str] = field(default_factory=list)  # hosts of which the release knows nothing
    spread_ms: float = 0.0  # between the first host's switch and the last one's
    results: dict[str, Results] = field(default_factory=dict)

    def collected(self, phase: Phase, key: str) -> list[Any]:
        """The lists under ``key`` of all hosts in one phase, joined."""
        return [item for result in self.results.get(phase, []) for item in result.get(key) or []]

    def total(self, phase: Phase, key: str) -> float:
        """The sum of a figure over all hosts in one phase."""
        return sum(float(result.get(key) or 0) for result in self.results.get(phase, []))


class Runner:
    """One attempt; use once."""

    def __init__(self, hosts: Sequence[Host], attempt: Attempt, reporter: Reporter) -> None:
        self._hosts = hosts
        self._attempt = attempt
        self._reporter = reporter
        self._report = Report()
        self._token = 0
        self._lease = Lease(hosts, attempt.lease_s)
        self._cargo = Cargo.of(attempt.release) if attempt.release else Cargo()
        self._migrations = Migrations(hosts, attempt.migrations, self._begin, self._wait)
        self._steps: Mapping[Phase, Callable[[], Results]] = {
            Phase.ACQUIRE: self._acquire,
            Phase.JOIN: self._join,
            Phase.SECRETS: self._secrets,
            Phase.PREPARE: self._prepare,
            Phase.SWITCH: self._switch,
            Phase.WATCH: self._watch,
            Phase.VERIFY: self._verify,
            Phase.COMMIT: lambda: self._decide(Phase.COMMIT),
            Phase.ASK: self._ask,
            Phase.FINISH: lambda: self._all("finish", {"outcome": "commit"}),
            Phase.CONTRACT: self._migrations.contract,
            Phase.ABORT: lambda: self._decide(Phase.ABORT),
            Phase.UNDO: lambda: self._all("finish", {"outcome": "abort"}),
            Phase.RELEASE: self._release,
            Phase.GIVE_BACK: self._release,
        }

    def run(self) -> Report:
        """Go through the table to an end. Raises nothing but what it cannot foresee."""
        phase = Phase.ACQUIRE
        try:
            while phase not in ENDS:
                phase = TABLE[phase, self._step(phase)]
        finally:
            self._lease.end()
        report = self._report
        report.end, report.error = phase, explained(phase, report.deployment, report.error)
        return report

    def _step(self, phase: Phase) -> Outcome:
        if self._is_nothing(phase):
            return Outcome.OK
        if phase is Phase.CONTRACT and not self._migrations.pending("contract"):
            return Outcome.OK
        self._reporter.phase(phase, "begin")
        try:
            results = self._report.results[phase] = self._steps[phase]()
        except KeyboardInterrupt:
            return self._failed(phase, interrupted())
        except TidegateError as error:
            if phase in CLOSING and error.code == CLOSED:
                self._reporter.phase(phase, "ok", "the hosts had done it by themselves")
                return Outcome.GONE
            return self._failed(phase, error)
        proposed = PROPOSALS.get(phase)
        if proposed and results[0].get("outcome") != proposed:
            self._reporter.phase(phase, "failed", "another decision was recorded first")
            return Outcome.OVERRULED
        self._reporter.phase(phase, "ok")
        return Outcome.OK

    def _is_nothing(self, phase: Phase) -> bool:
        """Phases that some deployments do not have."""
        alone = phase is Phase.JOIN and len(self._hosts) == 1
        return alone or (phase is Phase.VERIFY and self._attempt.suite is None)

    def _failed(self, phase: Phase, error: TidegateError) -> Outcome:
        if self._report.error is None:
            name, environment = self._report.deployment, self._attempt.environment
            late = phase is Phase.CONTRACT
            self._report.error = owed(name, environment, error) if late else error
        self._reporter.phase(phase, "failed", error.message)
        return Outcome.FAILED

    def _acquire(self) -> Results:
        attempt = self._attempt
        args = {
            "environment": attempt.environment,
            "owner": attempt.owner,
            "reason": attempt.reason,
            "lease_s": attempt.lease_s,
            "host": self._hosts[0].name if len(self._hosts) > 1 else "",
            **({"gate": dict(attempt.gate)} if attempt.gate else {}),
        }
        answer = self._hosts[0].begin("acquire", args)
        granted = self._wait(answer, Phase.ACQUIRE)
        self._report.deployment = str(granted["deployment"])
        self._report.number = int(granted.get("number") or 0)
        self._token = int(granted["token"])
        self._lease.begin(self._report.deployment, self._token)
        return [granted]

    def _join(self) -> Results:
        """The other hosts open the witness's deployment, and learn how it is asked."""
        attempt, others = self._attempt, self._hosts[1:]
        if attempt.peers:
            keys = {"keys": attempt.peers}
            self._wait(self._hosts[0].begin("trust", keys), Phase.JOIN)
        args = {
            "environment": attempt.environment,
            "owner": attempt.owner,
            "reason": attempt.reason,
            "lease_s": attempt.lease_s,
            "number": self._report.number,
            "token": self._token,
            "witness": attempt.witness,
        }
        asked = [self._begin(host, "join", {**args, "host": host.name}) for host in others]
        return self._gather(Phase.JOIN, asked)

    def _switch(self) -> Results:
        """Batch after batch, the witness in the first; within one all at once."""
        size = self._attempt.batch or len(self._hosts)
        results: Results = []
        turned: list[float] = []
        for first in range(0, len(self._hosts), size):
            batch = self._hosts[first : first + size]
            args: dict[str, Any] = {"batch": first // size + 1, "percent": 100}
            if len(batch) > 1:
                args["in_ms"] = TOGETHER_MS
            asked = [self._begin(host, "switch", args) for host in batch]
            done = self._gather(Phase.SWITCH, asked)
            times = zip(asked, done, strict=True)
            turned += [a.answered_at - float(r.get("turned_ms_ago") or 0) / 1000 for a, r in times]
            results += done
        self._report.spread_ms = round((max(turned) - min(turned)) * 1000, 1)
        return results

    def _secrets(self) -> Results:
        """Each host gets the secrets of the services that it runs."""
        if not self._attempt.secrets:
            return []
        views = Views(self._attempt.release or {"services": {}})
        uses = {host.name: _secrets_of(views.of(host.name)) for host in self._hosts}
        sent = [
            self._begin(
                host,
                "secrets",
                {
                    "name": name,
                    "value_b64": value,
                    "version": self._attempt.versions.get(name, ""),
                },
            )
            for host in self._hosts
            for name, value in self._attempt.secrets.items()
            if name in uses[host.name]
        ]
        return [self._wait(answer, Phase.SECRETS) for answer in sent]

    def _prepare(self) -> Results:
        attempt = self._attempt
        args: dict[str, Any] = {
            "kind": attempt.kind,
            "lease_s": attempt.lease_s,
            "allow_stateful": attempt.allow_stateful,
            "revoked": list(attempt.revoked),
        }
        if attempt.generation:
            args["generation"] = attempt.generation
        whole = {**(self._cargo.named or {}), "signature": attempt.signature}
        takers = {
            h.name for h in self._hosts if not attempt.generation or h.name in attempt.lacking
        }
        for part in self._cargo.parts:
            sent = [self._begin(h, "part", part) for h in self._hosts if h.name in takers]
            self._gather(Phase.PREPARE, sent)
        pending = self._migrations.pending("expand")
        release = attempt.release or {"services": {}}
        while pending:  # nothing that needs a migration starts before it
            self._waved({**args, "hold": due.held(release, pending)}, whole, takers)
            now = due.first(release, pending)
            self._migrations.expand(now)
            pending = [service for service in pending if service not in now]
        return self._waved(args, whole, takers)

    def _waved(
        self, args: Mapping[str, Any], whole: Mapping[str, Any], takers: Collection[str]
    ) -> Results:
        """Hosts after those that they wait for; ``takers`` get the release, too."""
        results: Results = []
        for wave in self._waves():
            blobs = self._blobs(wave)
            asked = []
            for host in wave:
                told = {**args, **(whole if host.name in takers else {})}
                if host.name in self._attempt.adopt:
                    told["adopt"] = dict(self._attempt.adopt[host.name])
                asked.append(self._begin(host, "prepare", {**told, "blobs": blobs[host.name]}))
            results += self._gather(Phase.PREPARE, asked)
        return results

    def _waves(self) -> list[list[Host]]:
        """The hosts in the order in which they may start what is new: see the release."""
        waves = order(self._attempt.release or {})
        found = [[host for host in self._hosts if host.name in names] for names in waves]
        known = {name for names in waves for name in names}
        rest = [host for host in self._hosts if host.name not in known]
        return [*found, rest] if rest else found

    def _blobs(self, hosts: Sequence[Host]) -> Mapping[str, Mapping[str, int] | None]:
        """Where each host finds our blob server; each way there is a command of its own."""
        port = self._attempt.blobs_port
        if not port:
            return {host.name: None for host in hosts}
        with ThreadPoolExecutor(len(hosts)) as pool:
            found = pool.map(lambda host: {"port": host.forward(port)}, hosts)
            return dict(zip([host.name for host in hosts], found, strict=True))

    def _watch(self) -> Results:
        attempt = self._attempt
        limits = {"max_error_rate": attempt.max_error_rate, "min_requests": attempt.min_requests}
        results = self._all("watch", {"window_s": attempt.watch_s, "limits": limits})
        for host, result in zip(self._hosts, results, strict=True):
            judge(host.name, result)
        return results

    def _verify(self) -> Results:
        """Tests against what callers reach by now; the witness keeps the verdict, good or bad."""
        suite = self._attempt.suite
        assert suite is not None
        begun = [self._begin(host, "verify", suite.args(host.name)) for host in self._hosts]
        answers = self._gather(Phase.VERIFY, begun)
        found = verifying.judged(dict(zip([h.name for h in self._hosts], answers, strict=True)))
        told = verifying.verdict_args(suite.name, found)
        self._wait(self._begin(self._hosts[0], "verdict", told), Phase.ACQUIRE)
        if found.error is not None:
            raise found.error
        return [dict(result) for result in found.results]

    def _decide(self, phase: Phase) -> Results:
        answer = self._begin(self._hosts[0], "decide", {"outcome": PROPOSALS[phase]})
        return [self._wait(answer, phase)]

    def _ask(self) -> Results:
        """Our answer to commit was lost: what did the witness record?"""
        args = {"number": self._report.number}
        told = self._wait(self._hosts[0].begin("decision", args), Phase.ASK)
        if not told.get("outcome"):
            raise InfrastructureError("nothing is decided yet", code="undecided")
        return [told]

    def _release(self) -> Results:
        """The lock goes last, when no other host has the deployment open."""
        self._lease.end()
        for answer in [self._begin(host, "release", {}) for host in self._hosts[1:]]:
            with contextlib.suppress(TidegateError):  # it closes by itself when its lease ends
                self._wait(answer, Phase.RELEASE)
        return [self._wait(self._begin(self._hosts[0], "release", {}), Phase.RELEASE)]

    def _all(self, op: str, args: Mapping[str, Any]) -> Results:
        phase = Phase.FINISH if op == "finish" else Phase(op)
        return self._gather(phase, [self._begin(host, op, args) for host in self._hosts])

    def _gather(self, phase: Phase, answers: Sequence[Answer]) -> Results:
        """The barrier: every answer is awaited, also after one has failed.

        A host that did by itself what is asked at the end is no failure, unless all did.
        """
        results: Results = []
        errors: list[TidegateError] = []
        for answer in answers:
            try:
                results.append(self._wait(answer, phase))
            except TidegateError as error:
                errors.append(error)
        failed = [e for e in errors if phase not in CLOSING or e.code != CLOSED]
        if failed or (errors and not results):
            raise (failed or errors)[0]
        return results

    def _begin(self, host: Host, op: str, args: Mapping[str, Any]) -> Answer:
        return host.begin(op, args, deployment=self._report.deployment, token=self._token)

    def _wait(self, answer: Answer, phase: Phase, limit_s: float = 0.0) -> Mapping[str, Any]:
        """An interrupt that comes once a decision is on its way is answered by going on."""
        limit_s = limit_s or LIMITS_S.get(phase, LONG_S) + self._attempt.watch_s
        while True:
            try:
                return answer.result(limit_s)
            except KeyboardInterrupt:
                if phase not in DECIDED:
                    raise
                self._reporter.phase(phase, "info", "this step ends by itself; please wait")


def _secrets_of(view: Mapping[str, Any]) -> set[str]:
    return {str(use["secret"]) for entry in view["services"].values() for use in entry["secrets"]}
