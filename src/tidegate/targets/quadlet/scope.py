"""What the rendering of one service may look at: the project, its settings, images and files.

Pure values only: whoever calls has read the files, asked for the images, merged the settings.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tidegate.errors import InputError, Where
from tidegate.images.facts import ImageFacts
from tidegate.model.config import ServiceSettings
from tidegate.release.files import Fact, describe
from tidegate.release.image import ImageRef
from tidegate.targets.quadlet.escape import HostPath

# Below the deploy user's home: files by digest, and folders that services write to.
HOME, HOST_ROOT = "%h", ".local/share/tidegate"


class Project(Protocol):
    """The part of a loaded compose project that rendering reads (tidegate.compose.Project)."""

    @property
    def name(self) -> str: ...
    @property
    def working_dir(self) -> str: ...
    @property
    def services(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def networks(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def volumes(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def secrets(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def configs(self) -> Mapping[str, Mapping[str, Any]]: ...
    @property
    def variables(self) -> Mapping[str, str]: ...
    def where(self, path: tuple[str | int, ...]) -> Where:
        """The place of the nearest known node."""
        ...


@dataclass(frozen=True, slots=True)
class Names:
    """Exported names without suffix: units and containers of each service's copies, the rest."""

    units: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    containers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    networks: Mapping[str, str] = field(default_factory=dict)
    volumes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Scope:
    """``files`` are facts by absolute path; ``strategies`` is filled in once decided.

    ``mentions``: by name, the services that mention it with a port, and that port; ``links``: by
    service, the aliases that others give it.

    ``exporting``: units for this machine, paths as they are; ``rootful``: for root's Podman;
    ``names``: what exported units are called, where that is decided; ``secret_env``: by service,
    the entries of variables whose values are secret.
    """

    project: Project
    instance: str
    settings: Mapping[str, ServiceSettings] = field(default_factory=dict)
    images: Mapping[str, ImageRef] = field(default_factory=dict)
    files: Mapping[str, Fact] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    strategies: Mapping[str, str] = field(default_factory=dict)
    mentions: Mapping[str, Collection[tuple[str, int]]] = field(default_factory=dict)
    links: Mapping[str, Sequence[str]] = field(default_factory=dict)
    exporting: bool = False
    rootful: bool = False
    names: Names = field(default_factory=Names)
    secret_env: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)

    def service(self, name: str) -> Mapping[str, Any]:
        """The canonical compose mapping of a service."""
        return self.project.services[name]

    def setting(self, name: str) -> ServiceSettings:
        """The settings of a service, empty ones where nothing was said."""
        return self.settings.get(name) or ServiceSettings(name)

    def facts(self, name: str) -> ImageFacts | None:
        """What the image of a service declares; None when nobody has looked."""
        image = self.images.get(name)
        return image.facts if image else None

    def unit(self, name: str) -> str:
        """The unit (and container) of a service that exists once, without suffix."""
        return self.names.units.get(name, (f"{self.instance}-{name}",))[0]

    def container(self, name: str) -> str:
        """The container of a service that exists once; exported ones keep their own name."""
        return self.names.containers.get(name, (self.unit(name),))[0]

    def network_unit(self, key: str) -> str:
        """The unit of a network."""
        return self.names.networks.get(key, f"{self.instance}-{key}") + ".network"

    def volume_unit(self, key: str) -> str:
        """The unit of a volume."""
        return self.names.volumes.get(key, f"{self.instance}-{key}") + ".volume"

    def named(self, key: str, given: str) -> str:
        """A network's or volume's name: composed ones carry the instance, own names stay."""
        return f"{self.instance}_{key}" if given == f"{self.project.name}_{key}" else given

    def relative(self, path: str) -> str | None:
        """``path`` within the project's folder; None for one outside it."""
        root = self.project.working_dir.rstrip("/") + "/"
        if path.rstrip("/") + "/" == root:
            return "."
        return path[len(root) :].rstrip("/") if path.startswith(root) else None

    def data_folder(self, relative: str) -> HostPath:
        """Where a folder of the project that services write to lies on the host."""
        return HostPath(f"{HOST_ROOT}/{self.instance}/data/{relative}", HOME)

    def file_path(self, digest: str) -> HostPath:
        """Where a companion file or tree lies on the host."""
        name = digest.removeprefix("sha256:")
        return HostPath(f"{HOST_ROOT}/{self.instance}/files/{name}", HOME)


@dataclass(slots=True)
class Found:
    """What rendering a service turned up besides its unit.

    ``own``: keys of volumes that each copy of a service has for itself; ``paths``: what must be
    on the host before anything changes.
    """

    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    volumes: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: list[dict[str, Any]] = field(default_factory=list)
    own: dict[str, list[str]] = field(default_factory=dict)
    paths: list[str] = field(default_factory=list)

    def companion(self, fact: Fact, where: Where) -> str:
        """Note a companion file; returns its digest. One digest has one mode."""
        digest, entry = describe(fact)
        if self.files.setdefault(digest, entry) != entry:
            raise InputError(
                "the same content is used with two different file modes",
                code="file-modes-differ",
                where=where,
                hint="give both files the same permissions",
            )
        return digest
