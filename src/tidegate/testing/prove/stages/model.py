"""What must become of a commit, by the rules that the documents tell. Pure.

A version is a number; 0 is none. Exit codes are those of the command line: 1 put back, 2 bad
input (as a key that is nobody's), 3 refused, 5 waiting for people.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STAGING, PRODUCTION = "staging", "production"
OK, PUT_BACK, BAD_INPUT, REFUSED, WAITING = 0, 1, 2, 3, 5
BY_ROLLBACK, BY_PERSON = "rollback", "person"


@dataclass(frozen=True, slots=True)
class Commit:
    """``wrong`` is what VERSION says besides the number, empty for a good one."""

    number: int
    wrong: str = ""
    contract: bool = False


@dataclass(slots=True)
class Stage:
    """One environment; ``kept`` are the versions of its generations, the last one serves."""

    name: str
    kept: list[int] = field(default_factory=list)
    rolled_back: bool = False
    hold: str = ""
    condemned: set[int] = field(default_factory=set)
    expanded: set[int] = field(default_factory=set)
    contracted: set[int] = field(default_factory=set)
    contracted_at: int = -1  # the index in ``kept`` of the newest contract migration

    @property
    def serving(self) -> int:
        """The version that serves."""
        return self.kept[-1] if self.kept else 0


@dataclass(slots=True)
class Model:
    """Both environments, and what people said; ``second`` is production's second host."""

    second: str
    commits: dict[int, Commit] = field(default_factory=dict)
    staging: Stage = field(default_factory=lambda: Stage(STAGING))
    production: Stage = field(default_factory=lambda: Stage(PRODUCTION))
    approved: set[tuple[int, int, bool]] = field(default_factory=set)
    waiting: int = 0

    @property
    def head(self) -> int:
        """The newest commit."""
        return max(self.commits, default=0)

    def verdict(self, stage: Stage, number: int) -> int:
        """How a deployment that nothing stops ends."""
        wrong = self.commits[number].wrong
        what, _, where = wrong.partition(" ")
        here = where == stage.name or (where == self.second and stage.name == PRODUCTION)
        if here and what == "expand":
            return PUT_BACK
        stage.expanded.add(number)
        if not here:
            return OK
        if what == "e2e":
            stage.condemned.add(number)
        return PUT_BACK

    def deployed(self, stage: Stage, number: int) -> int:
        """A deployment that gates let through; its exit code."""
        code = self.verdict(stage, number)
        if code == OK:
            self.serves(stage, number)
        return code

    def serves(self, stage: Stage, number: int) -> None:
        """A version was decided upon, and its contract migration was run if it has one."""
        stage.kept.append(number)
        stage.rolled_back = False
        if self.commits[number].contract and number not in stage.contracted:
            stage.contracted.add(number)
            stage.contracted_at = len(stage.kept) - 1

    def run(self) -> int:
        """``tidegate run`` of the newest commit."""
        number = self.head
        for stage in (self.staging, self.production):
            if stage.serving == number:
                continue
            if number in stage.kept and not stage.rolled_back:
                continue  # it passed: something newer serves
            if number in stage.condemned or stage.hold:
                return REFUSED
            if stage is self.production and not self.allowed(number):
                return WAITING
            code = self.deployed(stage, number)
            if code != OK:
                return code
        return OK

    def promote(self) -> int:
        """``tidegate promote staging production``: only a person's hold stops it."""
        number = self.staging.serving
        if number == self.production.serving:
            return OK
        if self.production.hold == BY_PERSON:
            return REFUSED
        if not self.allowed(number):
            return WAITING
        return self.deployed(self.production, number)

    def allowed(self, number: int) -> bool:
        """Whether people approved just this."""
        found = self.plan(number) in self.approved
        if not found:
            self.waiting = number
        return found

    def plan(self, number: int) -> tuple[int, int, bool]:
        """What tells plans apart: the version, what serves now, whether its expand was run."""
        return number, self.production.serving, number in self.production.expanded

    def approve(self) -> None:
        """A person approves what waits."""
        self.approved.add(self.plan(self.waiting))

    def rollback(self) -> int:
        """``tidegate rollback production``: to the generation before, but not past a contract."""
        stage = self.production
        if stage.contracted_at == len(stage.kept) - 1:
            return REFUSED
        stage.kept.append(stage.kept[-2])
        stage.rolled_back = True
        stage.hold = stage.hold or BY_ROLLBACK
        return OK

    def ends(self) -> dict[str, int]:
        """What serves where."""
        return {stage.name: stage.serving for stage in (self.staging, self.production)}
