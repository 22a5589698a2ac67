"""``tidegate build``: the images of a folder, from its files to its registry.

Variables are those of the first environment: an image is built once for all of them, and what
differs between them is given when it runs. No secret is read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tidegate.compose import Project
from tidegate.config import environment_variables
from tidegate.edges import worktree
from tidegate.edges.registry import Registry
from tidegate.edges.store import Store
from tidegate.errors import InputError
from tidegate.model.config import Config
from tidegate.pipeline.applications import Application, applications, chosen
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


@dataclass(frozen=True, slots=True)
class Work:
    """A folder that is about to be built."""

    config: Config
    project: Project
    found: Mapping[str, Application]
    revision: Revision
    commit: Commit
    orders: Orders
    bench: Bench
    registry: Registry


def prepare(config: Config, orders: Orders, branch: str, reporter: Reporter) -> Work:
    """Find out what there is to build, and refuse what cannot be published."""
    environment = next(iter(config.environments.values()))
    project = compose(config, environment_variables(config, environment, {}))
    found = applications(config, project)
    revision = worktree.revision(config.root)
    commit = worktree.head(config.root, branch or revision.branch)
    if orders.push:
        require_registry(config)
        require_commit(revision, commit)
        orders = replace(orders, tags=tags.tags(commit))
    given = replace(orders, jobs=orders.jobs or _processors())
    registry = Registry()
    bench = Bench(config, found, Store(), registry, reporter, given)
    return Work(config, project, found, revision, commit, given, bench, registry)


def build(
    config: Config, wanted: Iterable[str], orders: Orders, branch: str, reporter: Reporter
) -> Report:
    """Make the images of these applications, or of all; a failure is in its result."""
    return built(prepare(config, orders, branch, reporter), wanted)


def built(work: Work, wanted: Iterable[str] = ()) -> Report:
    """Do the work."""
    begin = time.monotonic()
    results = tuple(work.bench.all(chosen(work.found, wanted)))
    took = time.monotonic() - begin
    return Report(work.revision, work.commit, results, work.orders.tags, work.orders.jobs, took)


def _processors() -> int:
    """How many builds at once; a build waits for the network as often as it computes."""
    return max(2, os.cpu_count() or 2)


def require_registry(config: Config) -> None:
    """Publishing needs a place."""
    if not config.registry:
        raise InputError(
            "there is no registry to push to",
            code="registry-missing",
            where=config.where(),
            hint="registry: REGISTRY/PATH in tidegate.yaml; without one images travel over SSH",
        )


def require_commit(revision: Revision, commit: Commit) -> None:
    """The name of a commit must not stand for anything else."""
    if not commit.oid:
        raise InputError(
            "there is no commit to name images by", code="no-commit", hint="git commit"
        )
    if revision.changed:
        raise InputError(
            f"{revision.changed[0]} differs from the commit",
            code="uncommitted",
            hint="commit it, or have git ignore it (.gitignore)",
        )
