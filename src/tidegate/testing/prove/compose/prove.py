"""The proof of ``scripts/prove compose``: the whole ladder, over the corpus and our own cases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidegate.errors import InputError
from tidegate.lab import Lab
from tidegate.testing import corpus
from tidegate.testing.casefiles import case_paths
from tidegate.testing.corpus import Corpus
from tidegate.testing.prove import compose_fuzz
from tidegate.testing.prove.compose import climb, create, subjects
from tidegate.testing.prove.compose.climb import Ladder
from tidegate.testing.prove.compose.create import Created
from tidegate.testing.prove.compose.rungs import Rung
from tidegate.testing.prove.compose.subjects import Subject
from tidegate.testing.prove.progress import Progress
from tidegate.testing.quadlet.generator import root

# The published counts of two other converters, of another corpus: no comparison file by file.
PUBLISHED = {
    "corpus": "1,196 compose files of public repositories, which are not the files tried here",
    "podlet": {"accepted": 706, "of": 1196, "percent": 59.0},
    "kompose": {"accepted": 1138, "of": 1196, "percent": 95.2},
}
NO_CORPUS = "no corpus: name one in TIDEGATE_CORPUS or --corpus. Only the project's own cases climb"


@dataclass(frozen=True, slots=True)
class Climbed:
    """What came of some subjects."""

    ladder: Ladder
    created: Created

    @property
    def rungs(self) -> list[Rung]:
        """All of them, the lab's too."""
        return [*self.ladder.rungs, self.created.rung]

    @property
    def figures(self) -> dict[str, Any]:
        """For the evidence."""
        services = sum(len(one.meant["services"]) for one in self.ladder.climbers)
        return {
            "files": len(self.ladder.climbers),
            "services": services,
            "rungs": [rung.figures for rung in self.rungs],
            "leaves": climb.classes(self.ladder),
            "unsupported": climb.unsupported(self.ladder),
            "podman_create": self.created.figures,
        }

    @property
    def violations(self) -> list[str]:
        """Everything that is wrong."""
        return [line for rung in self.rungs for line in rung.violations]


def prove(
    seed: int, server: str, folder: Path | None, files: int, damaged: int
) -> tuple[list[str], dict[str, Any]]:
    """Climb; ``files`` of the corpus, 0 for all; then damage ``damaged`` files."""
    progress = Progress("compose")
    found = corpus.find(folder)
    progress.say(f"the corpus is {found.folder}" if found else NO_CORPUS)
    root()
    lab = Lab.up((server,), images=False)
    try:
        outside = climb_all(sample(found, files, seed), lab, progress) if found else None
        own = climb_all(subjects.own(), lab, progress)
    finally:
        lab.down()
    violations = [*(outside.violations if outside else []), *own.violations]
    figures: dict[str, Any] = {"corpus": outside.figures if outside else NO_CORPUS}
    if found:
        refused = rejected(found)
        violations += refused.violations
        figures["rejected"] = refused.figures
    progress.say(f"damaging {damaged} files")
    faults, fuzzed = compose_fuzz.fuzz(seed, damaged, originals(found))
    accepted = (outside or own).ladder.generator.figures
    ours = {"accepted": accepted["passed"], "of": accepted["of"], "corpus": "the files tried here"}
    figures |= {"own_cases": own.figures, "damaged": fuzzed}
    figures["generator_accepts"] = {"tidegate": ours, "published": PUBLISHED}
    return [*violations, *faults], figures


def sample(found: Corpus, files: int, seed: int) -> list[Subject]:
    """Files that docker compose accepts: all, or some that the seed chooses."""
    everything = subjects.outside(found)
    if not files or files >= len(everything):
        return everything
    return random.Random(seed).sample(everything, files)  # noqa: S311 - to be repeated


def climb_all(wanted: Sequence[Subject], lab: Lab, progress: Progress) -> Climbed:
    """Every rung, the last on the lab's only server."""
    ladder = climb.climb(wanted)
    for rung in ladder.rungs:
        progress.say("{passed} of {of}: {rung}".format(**rung.figures))
    created = create.create(lab.servers[0], ladder.climbers, ladder.generated, progress)
    progress.say("{passed} of {of}: {rung}".format(**created.rung.figures))
    return Climbed(ladder, created)


def rejected(found: Corpus) -> Rung:
    """Files that docker compose rejects are errors with file and line."""
    rung = Rung("what docker compose rejects is an error with file and line")
    for name in filter(found.rejected, found.files):
        try:
            found.load(name)
        except InputError as error:
            placed = error.where is not None and error.where.file and error.where.line
            rung.judge(name, [] if placed else [f"no place in {error}"])
        else:
            rung.judge(name, ["it is accepted"])
    return rung


def originals(found: Corpus | None) -> list[Path]:
    """What is damaged: our own cases, and the corpus."""
    outside = [found.folder / "corpus" / name for name in found.files] if found else []
    return [*case_paths(), *outside]
