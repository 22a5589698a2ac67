"""Moves at random, by two people on two machines; after each, all is as the model says.

Every host serves one whole release, each version was approved and tested where it had to be, each
migration ran once, every acknowledged row is there, and no client ever noticed anything.
"""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from tidegate.testing.prove.fleet.party import get
from tidegate.testing.prove.progress import Progress
from tidegate.testing.prove.stages.model import (
    BAD_INPUT,
    BY_PERSON,
    OK,
    PRODUCTION,
    REFUSED,
    STAGING,
    Commit,
    Model,
)  # fmt: skip
from tidegate.testing.prove.stages.town import PEOPLE, STRANGER, Town, whole, wrongs

PAUSE_S = 0.15


@dataclass(slots=True)
class Move:
    """One thing that somebody did, and how it ended."""

    number: int
    machine: int
    kind: str = ""
    what: str = ""
    codes: list[int] = field(default_factory=list)
    seconds: float = 0.0
    serves: dict[str, int] = field(default_factory=dict)
    violations: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


class Client(threading.Thread):
    """Leaves rows at one host's web service all the time, once it has served."""

    def __init__(self, environment: str, name: str, address: str) -> None:
        super().__init__(daemon=True)
        self.environment, self.host, self.address = environment, name, address
        self.over, self.served = threading.Event(), threading.Event()
        self.asked = 0
        self.failures: list[str] = []
        self.rows: list[str] = []

    def run(self) -> None:
        """Until it is over."""
        self.served.wait()
        while not self.over.wait(PAUSE_S):
            self.asked += 1
            row = f"{self.host}-{self.asked}"
            try:
                get(self.address, 8080, "/rows", row.encode())
                self.rows.append(row)
            except (OSError, http.client.HTTPException) as problem:
                self.failures.append(f"{type(problem).__name__}: {problem}")


class Prover:
    """Chooses moves, makes them, and looks."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.chance = town, random.Random(seed)  # noqa: S311
        self.model = Model(second=town.servers[PRODUCTION][1].name)
        self.clients = [Client(name, s.name, s.address) for name, s in town.all]
        self.asked: set[int] = set()  # versions that somebody approved for production
        self.tested: set[int] = {0}  # versions that served in staging
        self.took_s = 8.0

    # -- the moves ----------------------------------------------------------------------------

    def choose(self) -> Callable[[Move], None]:
        """The next move: what brings the commit on, most of the time."""
        model = self.model
        done = model.head in (*model.production.kept, *model.production.condemned)
        stuck = self.blocked()
        if not model.head or ((done or stuck) and self.chance.random() < 0.8):
            return self.commit
        moves: dict[Callable[[Move], None], float] = {
            self.go: 5, self.killed: 2, self.both: 1, self.e2e: 0.5, self.hold: 0.5,
        }  # fmt: skip
        if model.waiting and model.plan(model.waiting) not in model.approved:
            moves |= {self.approve: 8, self.strange: 0.5}
        if model.production.hold:
            moves |= {self.unhold: 4}
        if model.staging.serving != model.production.serving:
            moves |= {self.promote: 2}
        if len(model.production.kept) > 1:
            moves |= {self.rollback: 0.7}
        return self.chance.choices(list(moves), list(moves.values()))[0]

    def blocked(self) -> bool:
        """Whether the newest commit cannot come further, and was seen not to."""
        model = self.model
        if not model.head:
            return True
        what, _, where = model.commits[model.head].wrong.partition(" ")
        staging = where == STAGING and (what != "e2e" or model.head in model.staging.condemned)
        return staging or where in (PRODUCTION, model.second)

    def commit(self, move: Move) -> None:
        """The next version."""
        number, model = self.model.head + 1, self.model
        wrongs = [
            f"sick {STAGING}", f"e2e {STAGING}", f"expand {STAGING}",
            f"sick {model.second}", f"e2e {PRODUCTION}", f"expand {PRODUCTION}",
        ]  # fmt: skip
        bad = number > 2 and self.chance.random() < 0.45
        wrong = self.chance.choice(wrongs) if bad else ""
        contract = not wrong and self.chance.random() < 0.2
        found = Commit(number, wrong, contract)
        move.what = f"commit {number} ({wrong or 'good'}{', contract' if contract else ''})"
        self.town.commit(found)
        model.commits[number] = found

    def go(self, move: Move) -> None:
        """``tidegate run``."""
        move.what = "run"
        self.ended(move, self.model.run(), "run")

    def promote(self, move: Move) -> None:
        """``tidegate promote staging production``."""
        move.what = "promote"
        self.ended(move, self.model.promote(), "promote", STAGING, PRODUCTION)

    def both(self, move: Move) -> None:
        """Both machines run the same at once: one does it, the other one sees it or is refused."""
        move.what = "two runs at once"
        right = self.model.run()
        runs = [self.town.start(machine, "run") for machine in (0, 1)]
        outcomes = [run.wait() for run in runs]
        move.codes = [outcome.code for outcome in outcomes]
        move.said = [outcome.last_words for outcome in outcomes]
        if right not in move.codes or set(move.codes) - {right, REFUSED}:
            move.violations.append(f"exit codes {move.codes}, not {right} of at least one")

    def killed(self, move: Move) -> None:
        """A run whose machine dies at some instant: the hosts end it by themselves."""
        delay_s = self.chance.uniform(0.3, 1.1 * self.took_s)
        move.what = f"run, killed after {delay_s:.1f} s"
        run = self.town.start(move.machine, "run", events=True)
        time.sleep(delay_s)
        run.kill()
        outcome = run.wait()
        move.codes, move.said = [outcome.code], [outcome.last_words]
        self.adopt(move)

    def approve(self, move: Move) -> None:
        """Somebody of the people approves what waits."""
        who = self.chance.choice(PEOPLE)
        move.what = f"{who} approves {self.model.waiting}"
        key = str(self.town.keys / who)
        self.model.approve()
        self.asked.add(self.model.waiting)
        self.ended(move, OK, "approve", PRODUCTION, "--key", key)

    def strange(self, move: Move) -> None:
        """Somebody else tries to approve."""
        move.what = "a stranger approves"
        key = str(self.town.keys / STRANGER)
        self.ended(move, BAD_INPUT, "approve", PRODUCTION, "--key", key)

    def hold(self, move: Move) -> None:
        """Nothing goes to production until somebody lifts it."""
        move.what = "hold"
        self.model.production.hold = BY_PERSON
        self.ended(move, OK, "hold", PRODUCTION, "--reason", "stocktaking")

    def unhold(self, move: Move) -> None:
        """It is lifted."""
        move.what = "unhold"
        self.model.production.hold = ""
        self.ended(move, OK, "unhold", PRODUCTION)

    def rollback(self, move: Move) -> None:
        """``tidegate rollback production``."""
        move.what = "rollback"
        self.ended(move, self.model.rollback(), "rollback", PRODUCTION)

    def e2e(self, move: Move) -> None:
        """What serves is tested once more."""
        place = (
            STAGING if not self.model.production.kept else self.chance.choice((STAGING, PRODUCTION))
        )
        move.what = f"e2e {place}"
        self.ended(move, OK if self.model.ends()[place] else BAD_INPUT, "e2e", place)

    def ended(self, move: Move, right: int, *words: str) -> None:
        """A command that must end with this exit code."""
        outcome = self.town.run(move.machine, *words)
        move.codes, move.said = [outcome.code], [outcome.last_words]
        if words == ("run",) and outcome.code == OK:
            self.took_s = max(4.0, outcome.seconds)
        if outcome.code != right:
            move.violations.append(f"exit code {outcome.code}, not {right}: {outcome.last_words}")

    # -- what is looked at --------------------------------------------------------------------

    def adopt(self, move: Move) -> None:
        """After a death: what was decided is what the hosts say, and it is one of two."""
        self.town.settle()
        model, number = self.model, self.model.head
        for stage in (model.staging, model.production):
            server = self.town.servers[stage.name][0]
            serving = whole(self.town.parts(server))
            allowed = model.plan(number) in model.approved  # the plan before its expand had run
            if serving:
                done = self.town.lines(stage.name, "/done")
                if f"expand-{number}" in done:
                    stage.expanded.add(number)
            if serving == stage.serving:
                continue
            if serving != number or model.verdict(stage, number) != OK:
                move.violations.append(f"{stage.name} serves {serving} after a death")
            if stage is model.production and not allowed:
                move.violations.append(f"{number} came to production without an approval")
            model.serves(stage, number)

    def look(self, move: Move) -> None:
        """Everything that must hold when nothing is open."""
        self.town.settle()
        found = self.town.each(
            lambda _, server: (self.town.parts(server), self.town.survey(server))
        )
        right = self.model.ends()
        for (place, server), (parts, facts) in zip(self.town.all, found, strict=True):
            serving = whole(parts)
            move.serves[server.name] = serving
            bad = [] if serving == right[place] else [f"{parts or 'nothing'} serves"]
            bad += wrongs(facts)
            move.violations += [f"{server.name}: {text}" for text in bad]
        self.tested.add(self.model.staging.serving)
        production = self.model.production.serving
        if production and not {production} <= self.asked & self.tested:
            move.violations.append(f"{production} is in production, unapproved or untested")
        for place in (STAGING, PRODUCTION):
            if right[place]:
                self.kept(move, place)

    def kept(self, move: Move, place: str) -> None:
        """Rows and migrations of an environment, and what its clients saw."""
        mine = [client for client in self.clients if client.environment == place]
        taken = {row for client in mine for row in list(client.rows)}  # before more are left
        lost = taken - set(self.town.lines(place, "/rows"))
        done = Counter(self.town.lines(place, "/done"))
        if lost:
            few = ", ".join(sorted(lost)[:5])
            move.violations.append(f"{place}: {len(lost)} acknowledged rows are gone: {few}")
        twice = [line for line, count in done.items() if count > 1]
        if twice or f"expand-{self.model.ends()[place]}" not in done:
            move.violations.append(f"{place}: migrations ran: {dict(done)}")
        for client in mine:
            client.served.set()
            if client.failures:
                told = dict(Counter(client.failures).most_common(3))
                move.violations.append(f"clients of {client.host} noticed: {told}")
                client.failures.clear()


def prove(seed: int, names: list[str], moves: int, minutes: float) -> tuple[list[Any], Any]:
    """Make so many moves; the violations and the figures. It ends at the first wrong one."""
    progress, done = Progress("stages"), []
    town = Town.up(names)
    prover = Prover(town, seed)
    for client in prover.clients:
        client.start()
    try:
        for number in range(1, moves + 1):
            if progress.minutes() > minutes:
                break
            move = Move(number, prover.chance.randrange(2))
            began = time.monotonic()
            chosen = prover.choose()
            move.kind = chosen.__name__
            chosen(move)
            prover.look(move)
            move.seconds = round(time.monotonic() - began, 1)
            done.append(move)
            told = f"{move.what}: {move.codes} {prover.model.ends()} {move.seconds} s"
            told += f"  VIOLATED {move.violations}" if move.violations else ""
            progress.step(number, moves, told)
            if move.violations:
                break
    finally:
        for client in prover.clients:
            client.over.set()
    town.close()
    bad = [{"seed": seed, **asdict(move)} for move in done if move.violations]
    left: list[Any] = (
        [] if len(done) == moves or bad else [f"no time for {moves - len(done)} moves"]
    )
    return [*bad, *left], figures(done, prover)


def figures(moves: list[Move], prover: Prover) -> dict[str, Any]:
    """Counts by kind of move, kind of commit and exit code."""
    wrongs = [commit.wrong or "good" for commit in prover.model.commits.values()]
    return {
        "moves": len(moves),
        "by_kind": dict(Counter(move.kind for move in moves)),
        "commits": dict(Counter(wrongs)),
        "exit_codes": dict(Counter(str(code) for move in moves for code in move.codes)),
        "rows": sum(len(client.rows) for client in prover.clients),
        "requests_that_failed": sum(len(client.failures) for client in prover.clients),
        "production_served": len(prover.model.production.kept),
        "every": [asdict(move) for move in moves],
    }
