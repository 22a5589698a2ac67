"""The way from environment to environment: what one runs becomes another one's release.

Images are built once. A promotion takes the commit that serves in one environment, with that
commit's own files and configuration, and the images that serve there; values differ, no more.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from tidegate import app
from tidegate.app import Survey, Target, Wish
from tidegate.config import load_config
from tidegate.edges import worktree
from tidegate.errors import InputError, RefusedError
from tidegate.gates.way import Step, condemned, step
from tidegate.model.config import Config, Environment
from tidegate.pipeline.fleet import OBSERVE_S
from tidegate.pipeline.gating import proposal
from tidegate.pipeline.known import Known, keepers
from tidegate.pipeline.runner import Report
from tidegate.pipeline.states import Phase
from tidegate.pipeline.verifying import PASSED
from tidegate.pipeline.witness import in_office
from tidegate.ports import Reporter
from tidegate.release.manifest import release_digest

DIGEST = re.compile(r"(sha256:)?[0-9a-f]{8,64}")
HISTORY = 500  # entries that are looked through for what served once


@contextmanager
def at(
    commit: str, environment: str, variables: Mapping[str, str], file: str | Path
) -> Iterator[Target]:
    """An environment as a commit has it; this folder where it is just that commit.

    Its secrets are those of this folder all the same: what was rotated since does not come back.
    """
    root = Path(file).resolve().parent
    now = worktree.revision(str(root))
    if now.commit == commit and not now.changed:
        yield app.choose(environment, variables, file)
        return
    with worktree.checkout(str(root), commit) as folder:
        target = app.choose(environment, variables, Path(folder, Path(file).name))
        yield replace(target, environment=_with_secrets(target.environment, file))


def _with_secrets(environment: Environment, file: str | Path) -> Environment:
    """With the secrets file that this folder has for an environment of that name, if any."""
    now = load_config(file)
    here = now.environments.get(environment.name)
    if not environment.secrets or here is None or not here.secrets:
        return environment
    return replace(environment, secrets=str(Path(now.root, here.secrets)))


@contextmanager
def released(
    release: str,
    environment: str,
    variables: Mapping[str, str],
    file: str | Path,
    reporter: Reporter,
) -> Iterator[Target]:
    """An environment as this folder has it, or as the commit of a release has it.

    A release is a commit by any of its names, or one that waits there by the begin of its digest.
    """
    if not release:
        yield app.choose(environment, variables, file)
        return
    with at(_commit(release, environment, file, reporter), environment, variables, file) as target:
        yield target


def _commit(release: str, environment: str, file: str | Path, reporter: Reporter) -> str:
    root = str(Path(file).resolve().parent)
    try:
        return worktree.commit(root, release)
    except InputError as unknown:
        if not DIGEST.fullmatch(release):
            raise
        found = app.attach(app.choose(environment, file=file), reporter)
        try:
            waiting = proposal(found, environment, release)["release"]
        except InputError:
            raise unknown from None
        finally:
            found.close()
        return worktree.commit(root, str(waiting["commit"]))


@dataclass(frozen=True, slots=True)
class Promotion:
    """Where a release goes, and the images that it has where it comes from."""

    target: Target
    known: Known


@contextmanager
def promotion(
    source: str, environment: str, file: str | Path, reporter: Reporter
) -> Iterator[Promotion]:
    """What ``source`` runs, on its way to ``environment``."""
    before = app.choose(source, file=file)
    app.choose(environment, file=file)
    _in_order(before.config, source, environment)
    found = app.attach(before, reporter, full=True)
    found.close()
    release = found.seen.get("release")
    if not release:
        raise InputError(
            f"nothing serves in {source}", code="nothing-here", hint=f"tidegate deploy {source}"
        )
    if not release["commit"] or release["version"].endswith("+"):
        raise RefusedError(
            f"{source} runs files that are in no commit, so nobody else can have them",
            code="not-a-commit",
            hint=f"commit them, then: tidegate deploy {source}",
        )
    _verified(before, found.seen)
    root = str(Path(file).resolve().parent)
    with at(worktree.commit(root, release["commit"]), environment, {}, file) as target:
        yield Promotion(target, Known([release], keepers(*before.of_hosts), promoted=True))


def _verified(target: Target, seen: Mapping[str, Any]) -> None:
    """What an environment says that it verifies goes on only when it was, with good result."""
    name, told = target.environment.name, seen.get("verified")
    if not target.environment.verify or (told and told["verdict"] == PASSED):
        return
    words = f"its {told['suite']} tests {told['verdict']} at {told['at']}" if told else "no verdict"
    raise RefusedError(
        f"what {name} runs does not go on: {words}",
        code="not-verified",
        where=target.config.where("environments", name, "verify"),
        hint=f"tidegate e2e {name}",
    )


def _in_order(config: Config, source: str, environment: str) -> None:
    """Promotions go down the file."""
    order = list(config.environments)
    if order.index(source) >= order.index(environment):
        raise InputError(
            f"{environment} does not come after {source}",
            code="promotion-order",
            where=config.where("environments", environment),
            hint=f"the order of promotion is that of the file: {', '.join(order)}",
        )


@dataclass(frozen=True, slots=True)
class Stage:
    """What a run did in one environment; ``deployment`` is what serves there now."""

    environment: str
    step: Step
    version: str
    deployment: str


class Listener(Protocol):
    """Hears how a run goes."""

    def stage(self, stage: Stage) -> None:
        """An environment is done with."""
        ...

    def put_back(self, report: Report, serving: str) -> None:
        """A deployment failed; ``serving`` is the one that served before it."""
        ...


def run(file: str | Path, until: str, reporter: Reporter, listener: Listener) -> None:
    """Take this commit through the environments as far as nobody has to be asked.

    Raises what ended the run: a gate, or what failed.
    """
    config = load_config(file)
    order = list(config.environments)
    if until not in ("", *order):
        app.choose(until, file=file)  # says which there are
    _committed(config)
    last = order.index(until) if until else len(order) - 1
    known: Known | None = None
    for name in order[: last + 1]:
        target = app.choose(name, file=file)
        found = app.survey(target, reporter, known=known)
        try:
            done = _stage(target, found, reporter, listener)
        finally:
            found.fleet.close()
        listener.stage(done)
        if done.step is Step.BY_HAND:
            return
        known = Known([found.made.release], keepers(*target.of_hosts), promoted=True)


def _stage(target: Target, found: Survey, reporter: Reporter, listener: Listener) -> Stage:
    name, serving = target.environment.name, str(found.fleet.seen.get("deployment") or "")
    asked = {"limit": HISTORY}
    told = in_office(found.fleet).call("history", asked, timeout_s=OBSERVE_S)
    digest = release_digest(dict(found.made.release))
    todo = step(target.environment, digest, told["entries"], serves=found.nothing_to_do)
    if todo is Step.SERVES:
        _verified(target, found.fleet.seen)
    if todo is Step.DEPLOY:
        _uncondemned(name, found.plan.version, condemned(told["entries"], digest))
        wish = Wish(reason="tidegate run", automatic=True)
        report = app.deploy(target, found, wish, reporter)
        if report.error is not None and report.end is not Phase.COMMITTED:
            listener.put_back(report, serving)
            raise report.error
        serving = report.deployment
    return Stage(name, todo, found.plan.version, serving)


def _uncondemned(environment: str, version: str, why: str) -> None:
    if why:
        raise RefusedError(
            f"{version} was put back in {environment}: {why}",
            code="condemned",
            hint=f"commit a change; tidegate deploy {environment} {version} tries it again",
        )


def _committed(config: Config) -> None:
    """What goes from machine to machine must be a commit."""
    now = worktree.revision(config.root)
    if not now.commit or now.changed:
        what = f"{now.changed[0]} differs from it" if now.commit else "there is none here"
        raise InputError(
            f"a run takes a commit along, and {what}",
            code="not-a-commit",
            hint="commit what is here, or deploy it as it is: tidegate deploy",
        )


def as_dict(stage: Stage) -> dict[str, Any]:
    """One entry of ``stages`` in a ``tidegate/run/1`` object."""
    return {
        "environment": stage.environment,
        "step": str(stage.step),
        "version": stage.version,
        "deployment": stage.deployment,
    }
