"""The shop: from a commit through staging and approval to two hosts of production, and back.

Customers order all the time on every host. After each step the hosts are looked at: each runs one
whole release, the right one, and every order that was taken is there.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from tidegate.lab import Server
from tidegate.testing.demo import site
from tidegate.testing.demo.chapter import Chapter, expect, settle
from tidegate.testing.demo.figures import Measured
from tidegate.testing.demo.repository import PASSWORDS, PORT, Repository, provision
from tidegate.testing.demo.step import Step, phases
from tidegate.testing.demo.whole import Seen, violations
from tidegate.testing.prove.controller import Outcome

KINDS = "page,order"
STAGING, PRODUCTION = "staging", "production"


@dataclass(frozen=True, slots=True)
class Look:
    """What an environment is: in Tidegate's word, by host, and the orders in its database."""

    status: Outcome
    hosts: dict[str, Seen]
    orders: set[str]


@dataclass(slots=True)
class Shop(Chapter):
    """``right`` is the commit that each environment must run; ``ordered`` are its orders.

    ``commit`` is what is taken on its way next.
    """

    SERVERS = ("-staging", "-prod-1", "-prod-2")

    commit: str = ""
    measured: Measured = field(default_factory=Measured)
    right: dict[str, str] = field(default_factory=dict)
    ordered: dict[str, list[str]] = field(default_factory=dict)
    repository: Repository = field(init=False)

    def tell(self) -> None:
        """All of it, in order, until something is not as it must be: then the rest says nothing."""
        for act in self._acts():
            act()
            if not self.steps[-1].good:
                return

    def _acts(self) -> Iterator[Callable[[], None]]:
        yield self.make_repository
        self.commit = self.project.commit("1.0.0: our servers")
        yield lambda: self.to_staging("1.0.0", watched=False)
        yield lambda: self.to_production("1.0.0", watched=False)
        self.commit = self.repository.better()
        yield lambda: self.to_staging("1.1.0")
        yield lambda: self.to_production("1.1.0")
        self.repository.unhealthy()
        yield self.unhealthy
        self.commit = self.repository.picky(self.right[PRODUCTION])
        yield lambda: self.to_staging("1.3.0")
        yield self.one_host
        yield self.roll_back

    @property
    def hosts(self) -> dict[str, list[Server]]:
        """The servers of each environment."""
        return {STAGING: self.servers[:1], PRODUCTION: self.servers[1:]}

    def to_try(self) -> Sequence[str]:
        """What waits, who did what, and the shop itself."""
        shop = f"http://{self.hosts[PRODUCTION][0].address}:{PORT}/"
        return (
            f"curl -s {shop}shop | tail -n 3    # or in a browser: {shop}",
            "tidegate status production",
            "tidegate history production",
            "tidegate changes HEAD~1..HEAD",
            "tidegate unhold production && tidegate run",
            f"tidegate approve production --key {self.folder.with_name('lead')} && tidegate run",
        )

    # -- the steps ----------------------------------------------------------------------------

    def make_repository(self) -> None:
        """A copy of the example with our servers, a person who approves, passwords."""
        with self.step("the shop's repository") as step:
            provision(self.servers)
            self.repository = Repository.make(self.folder, self.servers, secrets.token_hex(3))
            self.project = self.repository.project
            with ThreadPoolExecutor(len(self.hosts)) as pool:
                for outcomes in pool.map(self._passwords, self.hosts):
                    for outcome in outcomes:
                        settle(step, outcome, 0, "servers, passwords, and who approves")

    def unhealthy(self) -> None:
        """A commit that never becomes healthy in staging: production does not hear of it."""
        with self.step("1.2.0: unhealthy in staging") as step:
            self.build(step)
            with self.customers(step):
                outcome = self.timed(step, "run")
            self._put_back(step, STAGING, outcome, "nginx did not become healthy")

    def one_host(self) -> None:
        """A commit that is fine in staging fails on one host: none of them keeps it."""
        with self.step("1.3.0: fails on one host of production") as step:
            with self.customers(step):
                outcome = self.approved(step)
            culprit = self.hosts[PRODUCTION][1].name
            self._put_back(step, PRODUCTION, outcome, f"{culprit}: web ended by itself")

    def roll_back(self) -> None:
        """The version before, on all hosts of production."""
        with self.step("tidegate rollback production") as step:
            with self.customers(step):
                outcome = self.timed(step, "rollback", PRODUCTION)
            self.measured.rollback_s = outcome.seconds
            self.right[PRODUCTION] = self.project.git("rev-parse", ":/^1.0.0")
            settle(step, outcome, 0, f"{site.pages(self.hosts[PRODUCTION])} serves")
            self.examine(step)

    # -- what they are made of ----------------------------------------------------------------

    def _passwords(self, environment: str) -> list[Outcome]:
        """``tidegate secrets set`` for each that an environment needs."""
        return [self.run("secrets", "set", environment, name, "--generate") for name in PASSWORDS]

    def to_staging(self, version: str, *, watched: bool = True) -> None:
        """``tidegate run``: deploys to staging, tests there, and ends at the approval."""
        with self.step(f"{version} to staging") as step:
            self.build(step)
            with self.customers(step, watched):
                outcome = self.timed(step, "run")
            self._serves(step, STAGING, outcome, 5)

    def to_production(self, version: str, *, watched: bool = True) -> None:
        """``tidegate approve``, and ``tidegate run`` goes on."""
        with self.step(f"{version} to production") as step:
            with self.customers(step, watched):
                outcome = self.approved(step)
            self._serves(step, PRODUCTION, outcome, 0)

    def _serves(self, step: Step, environment: str, outcome: Outcome, code: int) -> None:
        self.right[environment] = self.commit
        self.measured.deployments[step.title] = outcome.seconds
        waits = ", production waits for a person" if code == 5 else ""
        settle(step, outcome, code, f"{site.pages(self.hosts[environment])} serves{waits}")
        self.examine(step)

    def _put_back(self, step: Step, environment: str, outcome: Outcome, reason: str) -> None:
        serves = site.pages(self.hosts[environment])
        settle(step, outcome, 1, f"{reason}; put back: {serves} serves")
        expect(step, reason in outcome.stderr, f"not for the reason {reason!r}:\n{outcome.stderr}")
        self.examine(step)

    def build(self, step: Step) -> None:
        """``tidegate build``, for its figures; the run that follows finds its images."""
        self.doing = f"{step.title}: tidegate build"
        outcome = self.run("build", "--json")
        settle(step, outcome, 0, "built")
        if outcome.code == 0:
            self.measured.builds.append(json.loads(outcome.stdout)["data"])
        step.phases["build"] = step.seconds = outcome.seconds

    def approved(self, step: Step) -> Outcome:
        """The lead approves, and the run goes on."""
        key = str(self.repository.key)
        settle(step, self.run("approve", PRODUCTION, "--key", key), 0, "approved")
        return self.timed(step, "run")

    def timed(self, step: Step, *words: str) -> Outcome:
        """A command that is the step, with its seconds and phases."""
        self.doing = f"{step.title}: tidegate {' '.join(words)}"
        outcome = self.run(*words, events=True)
        for column, seconds in phases(outcome).items():
            step.phases[column] = step.phases.get(column, 0.0) + seconds
        step.seconds += outcome.seconds
        return outcome

    @contextmanager
    def customers(self, step: Step, watched: bool = True) -> Iterator[None]:
        """Customers on every host; what they ordered is noted, a request that failed condemns."""
        if not watched:
            yield
            return
        with self.clients(step, dict.fromkeys(self.servers, PORT), KINDS) as reports:
            yield
        for environment, servers in self.hosts.items():
            taken = [name for one in servers for name in reports[one.name]["acknowledged"]]
            self.ordered.setdefault(environment, []).extend(taken)
        failures = [one["what"] for report in reports.values() for one in report["failures"]]
        expect(step, not failures, f"{len(failures)} requests failed: {failures[:3]}")

    def examine(self, step: Step) -> None:
        """Whether each host runs the right release and no other, and every order is there."""
        self.doing = f"{step.title}: is it whole, is every order there?"
        with ThreadPoolExecutor(len(self.right)) as pool:
            looks = list(pool.map(self._look, self.right))
        found, lost = [], []
        for environment, look in zip(self.right, looks, strict=True):
            settle(step, look.status, 0, step.ended)
            found += violations(look.hosts, site.INSTANCE, self.right[environment])
            step.hosts += len(look.hosts)
            taken = self.ordered.get(environment, [])
            lost += list(set(taken) - look.orders)
            step.orders += len(taken)
        expect(step, not found, f"{len(found)} things are not whole:\n" + "\n".join(found))
        expect(step, not lost, f"{len(lost)} orders are lost: {lost[:5]}")

    def _look(self, environment: str) -> Look:
        """What an environment is, asked in three ways at once."""
        servers = self.hosts[environment]
        with ThreadPoolExecutor(1) as pool:
            asking = pool.submit(site.ask, servers)
            status = self.run("status", environment, "--json")
            answers = asking.result()
        seen = {}
        if status.code == 0:
            hosts = json.loads(status.stdout)["data"]["hosts"]
            seen = {
                name: Seen(hosts[name], answer.survey, answer.containers, answer.page)
                for name, answer in answers.items()
            }
        return Look(status, seen, answers[servers[0].name].orders)
