"""Climb: every subject on every rung, with figures and violations for the evidence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tidegate.compose import Project, as_json
from tidegate.errors import InputError
from tidegate.targets.quadlet.export import Exported, export
from tidegate.testing.prove.compose import argvs, leaves, meaning_units
from tidegate.testing.prove.compose.rungs import Rung
from tidegate.testing.prove.compose.subjects import Subject
from tidegate.testing.quadlet.argv import podman_argv
from tidegate.testing.quadlet.generator import Generated, generate_all


@dataclass(frozen=True, slots=True)
class Climber:
    """A subject that loaded; ``place`` is the name of its folder of units."""

    subject: Subject
    place: str
    project: Project
    meant: Mapping[str, Any]
    printed: Mapping[str, Any]
    exported: Exported

    @property
    def report(self) -> dict[str, Any]:
        """The report of every key."""
        return self.exported.report(self.subject.name)

    @property
    def units(self) -> list[str]:
        """The names of its unit files."""
        return [name for name in self.exported.files if "/" not in name]

    def argvs(self, made: Generated, kind: str) -> list[list[str]]:
        """What the units of one kind run."""
        units = [unit for unit in self.units if unit.endswith(f".{kind}")]
        return [podman_argv(made.services[argvs.made_of(unit)]) for unit in units]


@dataclass(slots=True)
class Ladder:
    """All rungs but the lab's, and who is still on it."""

    loads: Rung = field(default_factory=lambda: Rung("loads as docker compose says"))
    generator: Rung = field(default_factory=lambda: Rung("the generator accepts all units"))
    verify: Rung = field(default_factory=lambda: Rung("systemd-analyze verify is clean"))
    argv: Rung = field(default_factory=lambda: Rung("ExecStart is what the file means"))
    order: Rung = field(default_factory=lambda: Rung("order, restarts and health are in the units"))
    report: Rung = field(default_factory=lambda: Rung("the report names every leaf once"))
    climbers: list[Climber] = field(default_factory=list)
    generated: dict[str, Generated] = field(default_factory=dict)

    @property
    def rungs(self) -> list[Rung]:
        """In order."""
        return [self.loads, self.generator, self.verify, self.argv, self.order, self.report]


def climb(subjects: Sequence[Subject]) -> Ladder:
    """Load, export, generate, verify, compare, and read the report of each."""
    ladder = Ladder()
    for number, subject in enumerate(subjects):
        _load(ladder, f"s{number}", subject)
    ladder.generated = generate_all({one.place: one.exported.files for one in ladder.climbers})
    for one in ladder.climbers:
        name, made = one.subject.name, ladder.generated[one.place]
        ladder.generator.judge(name, _accepted(one, made))
        ladder.verify.judge(name, made.faults.splitlines())
        if ladder.argv.judge(name, _compared(one, made)):
            ladder.order.judge(name, _ordered(one, made))
        faults = leaves.check(one.printed, one.report, one.exported.files)
        ladder.report.judge(name, faults)
    return ladder


def _load(ladder: Ladder, place: str, subject: Subject) -> None:
    try:
        project = subject.load()
    except InputError as error:
        ladder.loads.judge(subject.name, [f"refused: {error.where} {error}"])
        return
    printed = as_json(project)
    if subject.answer is not None:
        ladder.loads.judge(subject.name, _unlike(printed, subject.answer))
    try:
        made = export(project, variables=project.variables)
    except Exception as error:
        ladder.generator.judge(subject.name, [f"not exported: {error!r}"])
        return
    ladder.climbers.append(Climber(subject, place, project, subject.meant(project), printed, made))


def _unlike(printed: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterable[str]:
    for section in sorted({*printed, *answer}):
        ours, theirs = printed.get(section), answer.get(section)
        if ours != theirs:
            yield f"{section}: {ours!r} is not {theirs!r}"


def _accepted(one: Climber, made: Generated) -> Iterable[str]:
    """Complaints, and units of which no service came, or one service of two."""
    yield from made.complaints.splitlines()
    if len(made.services) != len(one.units):
        yield f"{len(made.services)} services came of {len(one.units)} units"


def _compared(one: Climber, made: Generated) -> Iterable[str]:
    given = {"folder": one.project.working_dir, "variables": one.project.variables}
    try:
        lines = list(argvs.compare(one.meant, one.report, made.services, given))
        others = {kind: one.argvs(made, kind) for kind in ("network", "volume")}
        lines += argvs.compare_others(one.meant, others)
        if one.subject.hostile and one.exported.unsupported:
            lines = []  # the report has said so
        yield from lines
    except (AssertionError, ValueError, KeyError) as problem:
        yield f"cannot be compared: {problem!r}"


def _ordered(one: Climber, made: Generated) -> Iterable[str]:
    names = [name for name, service in one.meant["services"].items() if not service.get("provider")]
    units = {
        name: [argvs.made_of(unit) for unit in argvs.units_of(one.meant, one.report, name)]
        for name in names
    }
    return meaning_units.check(one.meant, units, made.services)


def classes(ladder: Ladder) -> dict[str, int]:
    """How many leaves each class has."""
    count = Counter(entry["class"] for one in ladder.climbers for entry in one.report["entries"])
    return {name: count[name] for name in leaves.CLASSES}


def unsupported(ladder: Ladder) -> dict[str, int]:
    """The keys that are not carried out, and how many files have them."""
    found = Counter(key for one in ladder.climbers for key in leaves.unsupported(one.report))
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))
