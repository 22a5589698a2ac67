"""``tidegate build``: the images of a folder, from its files to its registry.

Variables are those of the first environment: an image is built once for all of them, and what
differs between them is given when it runs. No secret is read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from tidegate.config import environment_variables
from tidegate.edges import worktree
from tidegate.edges.registry import Registry
from tidegate.edges.store import Store
from tidegate.errors import InputError
from tidegate.model.config import Config
from tidegate.pipeline.applications import applications, chosen
from tidegate.pipeline.bench import Bench, Orders, Result
from tidegate.pipeline.making import compose
from tidegate.ports import Reporter
from tidegate.repo import tags
from tidegate.repo.git import Revision
from tidegate.repo.tags import Commit


@dataclass(frozen=True, slots=True)
class Report:
    """What was built, from which commit, and how long it took beside the sum of its parts."""

    revision: Revision
    commit: Commit
    results: tuple[Result, ...]
    tags: tuple[str, ...]
    jobs: int
    total_s: float

    @property
    def work_s(self) -> float:
        """Seconds that all applications took, one after the other."""
        return sum(sum(result.seconds.values()) for result in self.results)


def build(
    config: Config, wanted: Iterable[str], orders: Orders, branch: str, reporter: Reporter
) -> Report:
    """Make the images of these applications, or of all; a failure is in its result."""
    begin = time.monotonic()
    environment = next(iter(config.environments.values()))
    variables = environment_variables(config, environment, {})
    found = applications(config, compose(config, variables))
    names = chosen(found, wanted)
    revision = worktree.revision(config.root)
    commit = worktree.commit(config.root, branch or revision.branch)
    named: tuple[str, ...] = ()
    if orders.push:
        _require_publishable(config, revision, commit)
        named = tags.tags(commit)
    given = replace(orders, tags=named, jobs=orders.jobs or _processors())
    bench = Bench(config, found, Store(), Registry(), reporter, given)
    results = tuple(bench.all(names))
    return Report(revision, commit, results, named, given.jobs, time.monotonic() - begin)


def _processors() -> int:
    """How many builds at once; a build waits for the network as often as it computes."""
    return max(2, os.cpu_count() or 2)


def _require_publishable(config: Config, revision: Revision, commit: Commit) -> None:
    """A tag of a commit must not name an image of anything else."""
    if not config.registry:
        raise InputError(
            "there is no registry to push to",
            code="registry-missing",
            where=config.where(),
            hint="registry: REGISTRY/PATH in tidegate.yaml; without one images travel over SSH",
        )
    if not commit.oid:
        raise InputError(
            "there is no commit to name images by", code="no-commit", hint="git commit"
        )
    if revision.changed:
        raise InputError(
            f"{revision.changed[0]} differs from the commit",
            code="uncommitted",
            hint="commit it, ignore it (.gitignore), or build without --push",
        )
