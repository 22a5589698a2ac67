"""A folder becomes a release: compose files, images and companion files, read side by side.

Everything here happens on this machine; no host is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from tidegate.compose import Project, load
from tidegate.compose.layout import load_layout
from tidegate.config import service_settings
from tidegate.edges import companions, entrypoints, secret_values, worktree
from tidegate.edges.disk import Disk
from tidegate.edges.registry import Registry
from tidegate.edges.store import Store
from tidegate.edges.vault import load as load_vault
from tidegate.edges.vault import value as secret_value
from tidegate.errors import InputError
from tidegate.gates import policy
from tidegate.images import names
from tidegate.images.facts import facts
from tidegate.model.config import Config, Environment, ServiceSettings
from tidegate.model.vault import Vault
from tidegate.pipeline.applications import Application, applications, served
from tidegate.pipeline.bench import Bench, candidate
from tidegate.pipeline.delivery import delivered
from tidegate.pipeline.known import NOTHING, Ask, Known
from tidegate.ports import Reporter
from tidegate.release.image import ImageRef
from tidegate.repo.git import Revision
from tidegate.targets.quadlet import secrets
from tidegate.targets.quadlet.e2e import e2e
from tidegate.targets.quadlet.render import render
from tidegate.targets.quadlet.secret_env import EnvSecret, mark, secret_env, without
from tidegate.targets.quadlet.wanted import config_texts, wanted_files

PROXY = "docker.io/library/haproxy:3.0"
PARALLEL = 4


@dataclass(frozen=True, slots=True)
class Made:
    """A release and what its hosts fetch from us: image blobs, companion files, secrets."""

    release: dict[str, Any]
    store: Store
    files: Mapping[str, bytes] = field(repr=False)
    secrets: Mapping[str, str] = field(repr=False)
    versions: Mapping[str, str]  # of secrets, where they are not their content's
    revoked: tuple[str, ...]  # versions that no host may use any more
    architectures: Mapping[str, str]  # of own images, by service
    project: Project | None = field(repr=False)  # where it was made from a folder
    bench: Bench | None = field(repr=False)  # where it was made from a folder

    @property
    def served(self) -> bool:
        """Whether a host may have to fetch something from this machine."""
        images = self.release["images"].values()
        return bool(self.files) or any(image["via"] == "controller" for image in images)


def make(
    config: Config,
    environment: Environment,
    variables: Mapping[str, str],
    instance: str,
    reporter: Reporter,
    *,
    refresh: bool = False,
    drained: Callable[[], Collection[str]] = tuple,
    known: Ask = lambda _: NOTHING,
    promoted: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> Made:
    """Build, resolve, read and render; ``refresh`` asks registries again.

    ``ready`` is called when the files are well; ``drained`` last, for the hosts that are to run
    nothing; ``known`` before anything is built, for the images that are decided already, which
    there are to go on with where it is ``promoted``.
    """
    with ThreadPoolExecutor(PARALLEL + 2) as pool:
        revision = pool.submit(worktree.revision, config.root)
        hidden, project, settings, own = _well(config, environment, instance, variables)
        values = hidden.values(secrets.sources(project, instance))
        ready()
        decided = pool.submit(lambda: _decided(known, revision.result(), refresh=refresh))
        shop = Workshop(config, project, own, refresh, reporter, decided, promoted)
        images = {name: pool.submit(shop.image, name) for name in project.services}
        proxy = pool.submit(shop.proxy)
        found = companions.read(wanted_files(project))
        content = {**found.content, **config_texts(project, variables)}
        release = render(
            project,
            settings=settings,
            images={name: image.result() for name, image in images.items()},
            instance=instance,
            environment=environment.name,
            commit=revision.result().commit,
            version=revision.result().version,
            files=found.facts,
            variables=variables,
            proxy=proxy.result(),
            switch=environment.switch,
            hosts=environment.hosts,
            drained=drained(),
            secret_env=hidden.uses,
        )
    gates = _gates(config, environment, revision.result())
    release |= gates | _e2e(environment, project, release["services"], variables)
    known_by = (hidden.versions, hidden.revoked, _architectures(images))
    return Made(release, shop.store, content, values, *known_by, project, shop.bench)


def _well(
    config: Config, environment: Environment, instance: str, variables: Mapping[str, str]
) -> tuple[Hidden, Project, dict[str, ServiceSettings], dict[str, Application]]:
    """The project, its settings, its own images: ``InputError`` for what is wrong in the files."""
    hidden = Hidden.of(config, environment, instance, variables)
    _require_tests(config, environment, hidden.project)
    settings = settings_of(config, hidden.project, variables)
    return hidden, hidden.project, settings, applications(config, hidden.project)


def _decided(known: Ask, revision: Revision, *, refresh: bool) -> Known:
    """The images that are decided; tags mean the same only at one clean commit."""
    same = not refresh and not revision.changed
    return replace(known(revision.version), commit=revision.commit if same else "")


def _gates(config: Config, environment: Environment, revision: Revision) -> dict[str, Any]:
    """Who must approve what comes after this release, and who made it, for its hosts."""
    if all(gate.kind != "approval" for gate in environment.gates):
        return {}
    makers = worktree.makers(config.root, changed=bool(revision.changed))
    return {"gates": policy(config.people, environment.gates, makers)}


def _require_tests(config: Config, environment: Environment, project: Project) -> None:
    """What is to be verified by tests has some."""
    if "e2e" in environment.verify and not entrypoints.services(project.services):
        raise InputError(
            "no application here has an entrypoint_e2e.sh",
            code="no-e2e",
            where=config.where("environments", environment.name, "verify"),
            hint="write one beside a Dockerfile, or in entrypoints/ there, and COPY it",
        )


def _e2e(
    environment: Environment,
    project: Project,
    services: Mapping[str, Mapping[str, Any]],
    variables: Mapping[str, str],
) -> dict[str, Any]:
    """The end-to-end tests of the applications that have any."""
    found = entrypoints.services(project.services, services)
    own = {name: variables.get(name, "") for name in environment.variables}
    return e2e(found, own, environment.name)


@dataclass(frozen=True, slots=True)
class Hidden:
    """A project whose secret variables were taken out, and their values apart from it."""

    project: Project
    vault: Vault
    variables: Mapping[str, str] = field(repr=False)
    env: tuple[EnvSecret, ...]

    @classmethod
    def of(
        cls,
        config: Config,
        environment: Environment,
        instance: str,
        variables: Mapping[str, str],
    ) -> Hidden:
        """Load the compose files with marks in place of the environment's secrets."""
        where = config.where("environments", environment.name, "secrets")
        path = Path(config.root, environment.secrets)
        vault = load_vault(path, where) if environment.secrets else Vault()
        loaded = compose(config, {**variables, **{name: mark(name) for name in vault.secrets}})
        env = tuple(secret_env(loaded, instance))
        project = replace(loaded, services=without(loaded.services, env))
        return cls(project, vault, variables, env)

    @property
    def uses(self) -> dict[str, list[dict[str, Any]]]:
        """The release's entries by service."""
        found: dict[str, list[dict[str, Any]]] = {}
        for each in self.env:
            found.setdefault(each.service, []).append(each.use())
        return found

    def values(self, sources: Sequence[secrets.SecretSource]) -> dict[str, str]:
        """Base64 of every value by its name on the host; only what is used is asked for."""
        wanted = {name for each in self.env for name in each.names}
        wanted |= {source.variable for source in sources} & set(self.vault.secrets)
        real = {
            name: secret_value(name, self.vault.secrets[name], self.variables)
            for name in sorted(wanted)
        }
        files = secret_values.read(sources, {**self.variables, **real})
        return {
            **files,
            **{each.secret: secret_values.encoded(each.value(real).encode()) for each in self.env},
        }

    @property
    def versions(self) -> dict[str, str]:
        """The version of each secret variable whose value is in the file itself."""
        return {
            each.secret: "-".join(self.vault.secrets[name].version for name in each.names)
            for each in self.env
            if all(self.vault.secrets[name].value for name in each.names)
        }

    @property
    def revoked(self) -> tuple[str, ...]:
        """Versions that were rotated away."""
        return tuple(v for secret in self.vault.secrets.values() for v in secret.revoked)


def _architectures(images: Mapping[str, Future[ImageRef]]) -> dict[str, str]:
    made = {name: image.result() for name, image in images.items()}
    return {
        name: image.facts.architecture
        for name, image in made.items()
        if image.via == "controller" and image.facts is not None
    }


def compose(config: Config, variables: Mapping[str, str]) -> Project:
    """The project of a configuration's compose files, with what is delivered into it."""
    if not config.compose_files:
        raise InputError(
            f"there is no compose file beside {config.file}, in applications/ or in services/",
            code="compose-missing", where=config.where(),
            hint="write a compose.yaml, or name yours under compose:",
        )  # fmt: skip
    reader, name = Disk(config.root), config.project
    if not config.compose:
        loaded = load_layout(
            config.layout, config.root,
            reader=reader, variables=variables, project=name, env_files=[],
        )  # fmt: skip
    else:
        files = [str(Path(config.root, name)) for name in config.compose]
        loaded = load(files, reader=reader, variables=variables, project=name, env_files=[])
    return delivered(config, loaded)


def settings_of(
    config: Config, project: Project, variables: Mapping[str, str]
) -> dict[str, ServiceSettings]:
    """The settings of every service; those for one that is off wait for it."""
    off = {*project.disabled, *project.switched_off}
    return service_settings(config, project.services, project.where, variables, off)


class Workshop:
    """Makes the image of each service; from several threads at once."""

    def __init__(
        self,
        config: Config,
        project: Project,
        own: Mapping[str, Application],
        refresh: bool,
        reporter: Reporter,
        decided: Future[Known],
        promoted: bool,
    ) -> None:
        self._project = project
        self._registry = Registry(refresh=refresh)
        self._known = decided.result
        self._promoted = promoted
        self.store = Store()
        self._served = served(own)
        self._in_registry = bool(config.registry)
        self.bench = Bench(config, own, self.store, self._registry, reporter, known=self._known)

    def image(self, service: str) -> ImageRef:
        """Built where compose says ``build:``, else pinned to what its tag means now."""
        return self._built(service) if service in self._served else self._named(service)

    def proxy(self) -> str:
        """The fronts' image, pinned."""
        return self._known().proxy() or self._registry.resolve(PROXY).pinned

    def _body(self, service: str) -> Mapping[str, Any]:
        return self._project.services[service]

    def _built(self, service: str) -> ImageRef:
        """What was promoted, else tested; it is sent to the registry when it is deployed.

        Bytes of what a registry has are not told: not every machine knows them.
        """
        given = self._known().given(service) if self._promoted else None
        if given is not None:
            return self._again(given)
        made = self.bench.ensure(self._served[service])
        assert made.reference is not None
        via, size = ("registry", 0) if self._in_registry else ("controller", made.size)
        return ImageRef(made.reference.pinned, via, "", size, candidate(made), made.declared)

    def _again(self, entry: Mapping[str, Any]) -> ImageRef:
        """An image that another release has, too: here already, or brought from a host."""
        reference, key = str(entry["ref"]), str(entry.get("key") or "")
        if entry["via"] != "controller":
            declared = self._registry.facts(names.parse(reference))
            return ImageRef(reference, "registry", str(entry["tag"]), 0, key, declared)
        image = self._known().image(reference, self.store)
        shell = self.store.has_shell(image.digest)
        declared = replace(facts(image.config), shell=shell)
        return ImageRef(reference, "controller", "", image.size, key, declared)

    def _named(self, service: str) -> ImageRef:
        name = str(self._body(service).get("image") or "")
        where = self._project.where(("services", service, "image"))
        if not name:
            raise InputError(
                f"{service} has neither image nor build", code="image-unknown", where=where,
                hint="give `image:` or `build:`",
            )  # fmt: skip
        wanted = names.parse(name, where)
        earlier = self._known().named(service, wanted.tagged)
        if earlier is not None and not wanted.digest:
            return self._again(earlier)
        reference = self._registry.resolve(name, where)
        declared = self._registry.facts(reference, where=where)
        return ImageRef(reference.pinned, "registry", reference.tagged, 0, "", declared)
