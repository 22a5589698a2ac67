"""Where images of applications are made, side by side: steps, build, tests, registry.

Each application once, those that it is built on first. An image is only a candidate until its
tests have passed in it; only then is it used, tagged or sent anywhere. By its key it is also found
in a registry, and on hosts that run it or wait for it, so that another machine neither builds nor
tests it again.
"""

from __future__ import annotations

import hashlib
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.edges import image_tests, steps
from tidegate.edges.builders import KEPT_S, Base, Built, Images, Key
from tidegate.edges.private_dir import cache_dir
from tidegate.edges.registry import Registry
from tidegate.edges.store import Store
from tidegate.errors import InfrastructureError, TidegateError
from tidegate.images import names
from tidegate.images.facts import ImageFacts, facts
from tidegate.images.junit import Counts
from tidegate.images.names import Reference
from tidegate.images.recipe import Cache
from tidegate.pipeline.applications import Application
from tidegate.pipeline.known import NOTHING, Known
from tidegate.ports import Reporter

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidegate.model.config import Config, Step

BUILT, KNOWN, FETCHED, FAILED = "built", "known", "fetched", "failed"


@dataclass(frozen=True, slots=True)
class Orders:
    """How to build: ``anew`` what is known too, ``tags`` to publish under, ``jobs`` at once."""

    anew: bool = False
    tests: bool = True
    push: bool = False
    tags: tuple[str, ...] = ()
    jobs: int = 0


@dataclass(slots=True)
class Result:
    """What became of an application. ``action`` is built, known, fetched or failed; seconds by
    phase; ``folder`` holds logs and reports."""

    application: Application
    action: str = FAILED
    key: str = ""
    reference: Reference | None = None
    local: Built | None = None
    declared: ImageFacts | None = None
    tests: str = "none"
    counts: Counts | None = None
    pushed: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    folder: Path | None = None
    error: TidegateError | None = None

    @property
    def size(self) -> int:
        """Bytes of its blobs; 0 where only the registry has them."""
        return self.local.image.size if self.local else 0

    @property
    def base(self) -> Base:
        """As what others are built on."""
        assert self.reference is not None
        source = self.local.tag if self.local else self.reference.pinned
        return Base(self.reference.digest, source)


class Bench:
    """All applications of a folder; safe to use from several threads."""

    def __init__(
        self,
        config: Config,
        applications: Mapping[str, Application],
        store: Store,
        registry: Registry,
        reporter: Reporter,
        orders: Orders = Orders(),
        known: Callable[[], Known] = lambda: NOTHING,
    ) -> None:
        self._config = config
        self._applications = applications
        self._store = store
        self._registry = registry
        self._reporter = reporter
        self._orders = orders
        self._known = known
        self._images = Images(store, lambda name: registry.resolve(name).digest)
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._done: dict[str, Result] = {}
        self._keys: dict[str, Key] = {}

    def all(self, wanted: Iterable[str]) -> list[Result]:
        """Make these, several at once; one that fails keeps none of the others from its end."""
        chosen = [self._applications[name] for name in wanted]
        with ThreadPoolExecutor(max(1, self._orders.jobs)) as pool:
            return list(pool.map(self._attempt, chosen))

    def ensure(self, application: Application) -> Result:
        """The image of an application, made where it must be; raises what went wrong."""
        result = self._attempt(application)
        if result.error is not None:
            raise result.error
        return result

    def publish(self) -> None:
        """Send all that was made to the registry, where there is one."""
        for result in self._done.values():
            if result.error is None:
                self._publish(result)

    def _attempt(self, application: Application) -> Result:
        with self._alone(f"application {application.name}"):
            result = self._done.get(application.name)
            if result is None:
                result = self._done[application.name] = Result(application)
                try:
                    self._make(result)
                except TidegateError as problem:
                    result.action, result.error = FAILED, problem
            return result

    def _make(self, result: Result) -> None:
        for step in result.application.steps:
            with _timed(result, "steps"):
                self._step(step)
        key = self._key(result.application)
        self._keys[key.value] = key
        result.key = key.value
        result.folder = self._reports(result.application.name, key.value)
        if not self._decided(result, key.value) and not self._found(result, key.value):
            self._build(result, key)
            self._test(result)
        if self._orders.push:
            self._publish(result)

    def _key(self, application: Application) -> Key:
        """What it is built from, its own bases built."""
        made = {
            written: self.ensure(self._applications[name]).base
            for written, name in application.bases.items()
        }
        return self._images.key(application.recipe, made)

    def _reports(self, name: str, key: str) -> Path:
        """The folder for logs and reports of a build; those of old ones go."""
        folder = cache_dir("reports", self._config.project, name, key[:16])
        folder.touch()
        limit = time.time() - KEPT_S
        for other in folder.parent.iterdir():
            if other.stat().st_mtime < limit:
                shutil.rmtree(other, ignore_errors=True)
        return folder

    def _step(self, step: Step) -> None:
        with self._alone(f"step {step.name}"):
            folder = cache_dir("reports", self._config.project, f"step-{step.name}")
            if steps.perform(step, self._config.root, folder / "step.log"):
                self._tell(f"ran step {step.name}")

    def _decided(self, result: Result, key: str) -> bool:
        """Whether a release has it already, and this machine has not the same.

        Where it cannot be had it is made here.
        """
        entry = None if self._orders.anew else self._known().built(candidate(result))
        if entry is None:
            return False
        pinned, mine = str(entry["ref"]), self._images.known(key)
        digest = pinned.rpartition("@")[2]
        if mine is not None and mine.image.digest == digest:
            return False
        reference = self._reference(result).at(digest)
        try:
            if entry["via"] == "controller":
                image = self._known().image(pinned, self._store)
                shell = self._store.has_shell(digest)
                result.local = Built(key, replace(image, shell=shell), fresh=False)
                result.declared = replace(facts(image.config), shell=shell)
            elif self._config.registry:
                result.declared, result.pushed = self._registry.facts(reference), True
            else:
                return False
        except TidegateError as problem:
            self._tell(f"{problem.message}; {result.application.name} is made here")
            return False
        result.reference, result.action, result.tests = reference, FETCHED, "known"
        return True

    def _found(self, result: Result, key: str) -> bool:
        """Whether the registry has it, and this machine does not."""
        if not self._config.registry or self._orders.anew or self._images.known(key):
            return False
        reference = self._reference(result)
        try:
            digest = self._registry.find(replace(reference, tag=candidate(result)))
        except InfrastructureError as problem:
            self._tell(f"{problem.message}; {result.application.name} is made here")
            return False
        if not digest:
            return False
        result.reference = reference.at(digest)
        result.declared = self._registry.facts(result.reference)
        result.action, result.tests, result.pushed = FETCHED, "known", True
        return True

    def _build(self, result: Result, key: Key) -> None:
        name, folder = result.application.name, result.folder
        assert folder is not None
        with _timed(result, "build"):
            if self._orders.anew or self._images.known(key.value) is None:
                self._bring_bases(result.application)
            built = self._images.ensure(
                key,
                lambda: self._tell(f"building {name}"),
                log=folder / "build.log",
                anew=self._orders.anew,
                cache=self._layers(result),
            )
        if built.fresh:
            self._tell(f"built {name} in {result.seconds['build']:.1f} s")
        result.action = BUILT if built.fresh else KNOWN
        result.local = built
        result.reference = self._reference(result).at(built.image.digest)
        result.declared = replace(facts(built.image.config), shell=built.image.shell)

    def _bring_bases(self, application: Application) -> None:
        """Put what it is built on into the builder's reach."""
        for name in application.bases.values():
            local = self.ensure(self._applications[name]).local
            if local is not None:
                self._images.present(local)

    def _test(self, result: Result) -> None:
        one, folder, built = result.application, result.folder, result.local
        assert folder is not None
        assert built is not None
        if not one.tests or not self._orders.tests:
            result.tests = "left out" if one.tests else "none"
            return
        with _timed(result, "tests"):
            try:
                found = image_tests.require(
                    built,
                    one.tests,
                    folder,
                    self._images.present,
                    name=one.name,
                    anew=self._orders.anew,
                )
            except TidegateError:
                result.tests = FAILED
                raise
        result.tests, result.counts = found.state, found.counts
        if found.state == "passed":
            count = found.counts.tests if found.counts else 0
            many = f"{count} test{'' if count == 1 else 's'}" if count else "tests"
            self._tell(f"{many} of {one.name} passed in {result.seconds['tests']:.1f} s")

    def _publish(self, result: Result) -> None:
        """Send it under its key, then call it by its tags."""
        if not self._config.registry:
            return
        reference = result.reference
        assert reference is not None
        with _timed(result, "push"):
            if not result.pushed:
                named = replace(reference, tag=candidate(result))
                with self._store.layout(reference.digest) as layout:
                    self._registry.push(layout, self._store.blobs, named)
                result.pushed = True
                if result.action == BUILT and not self._images.share(
                    self._keys[result.key], self._layers(result)
                ):
                    self._tell(f"the registry does not keep layers of {result.application.name}")
            for tag in self._orders.tags:
                self._registry.alias(reference, tag)

    def _reference(self, result: Result) -> Reference:
        return names.own(self._config.project, result.application.name, self._config.registry)

    def _layers(self, result: Result) -> Cache:
        """Where other machines find its layers: a repository of their own beside its images."""
        registry = self._config.registry
        repository = f"{self._reference(result).repository}-layers" if registry else ""
        return Cache(repository, write=self._orders.push)

    def _tell(self, text: str) -> None:
        self._reporter.phase("build", "info", text)

    @contextmanager
    def _alone(self, what: str) -> Iterator[None]:
        with self._lock:
            lock = self._locks.setdefault(what, threading.Lock())
        with lock:
            yield


def candidate(result: Result) -> str:
    """The tag by which another machine finds an image: its key, with that of its tests."""
    script = result.application.tests
    tests = Path(script).read_bytes() if script else b""
    return f"key-{hashlib.sha256(result.key.encode() + tests).hexdigest()[:32]}"


@contextmanager
def _timed(result: Result, phase: str) -> Iterator[None]:
    begin = time.monotonic()
    try:
        yield
    finally:
        took = time.monotonic() - begin
        result.seconds[phase] = result.seconds.get(phase, 0.0) + took
