"""What of a host's own containers become services of a release, and the way of their data. Pure.

A volume of the same name in the same Podman is used as it is. Any other place of data is copied
into the release's own while nobody writes to it; what it was copied from stays as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.errors import InputError

Release = Mapping[str, Any]
Told = Mapping[str, Any]
OWN = "%h/.local/share/tidegate/"
KEPT, COPIED, LEFT = "kept", "copied", "left"


@dataclass(frozen=True, slots=True)
class Data:
    """Where a container keeps something: ``what`` is kept, copied or left.

    ``old`` and ``new`` are names of volumes or paths; ``target`` is the path in the container.
    """

    target: str
    what: str
    old: str
    new: str = ""


@dataclass(frozen=True, slots=True)
class Adopted:
    """A container that gives way to a service."""

    service: str
    container: str
    engine: str
    old_image: str
    new_image: str
    running: bool
    data: tuple[Data, ...] = ()

    @property
    def other_image(self) -> bool:
        """Whether data would be read by another image than the one that wrote it."""
        return bool(self.data) and _plain(self.old_image) != _plain(self.new_image)


@dataclass(frozen=True, slots=True)
class Adoption:
    """What becomes of one host's containers; ``told`` is what the host is asked to do.

    ``left`` are containers of the same project that no service takes the place of; ``unseen``
    says which engines could not be asked.
    """

    services: tuple[Adopted, ...] = ()
    left: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    told: Mapping[str, Any] | None = None

    def as_dict(self) -> dict[str, Any]:
        """A host's entry of a ``tidegate/adoption/1`` object."""
        names = ("service", "container", "engine", "old_image", "new_image", "running")
        return {
            "services": [
                {
                    **{name: getattr(one, name) for name in names},
                    "data": [{n: getattr(d, n) for n in d.__slots__} for d in one.data],
                }
                for one in self.services
            ],
            "left": list(self.left),
            "unseen": list(self.unseen),
        }


def adoption(release: Release, found: Told) -> Adoption:
    """How the containers that a host ``found`` become its part of ``release``.

    ``InputError`` where a place of data cannot be told.
    """
    services, containers, copies = [], [], []
    for one in sorted(found["found"], key=lambda one: (str(one["service"]), str(one["name"]))):
        entry = release["services"].get(one["service"])
        if entry is None or not entry["unit"]:
            continue
        data, orders = _data(release, one, entry)
        image = release["images"][one["service"]]
        services.append(
            Adopted(
                service=one["service"],
                container=one["name"],
                engine=one["engine"],
                old_image=one["image"],
                new_image=image["tag"] or image["ref"].partition("@")[0],
                running=one["running"],
                data=data,
            )
        )
        keys = ("engine", "id", "name", "unit", "running", "ports")
        containers.append({key: one[key] for key in keys})
        copies += orders
    mine = {one.container for one in services}
    left = tuple(sorted(str(o["name"]) for o in found["found"] if o["name"] not in mine))
    told = {"containers": containers, "copies": copies} if containers else None
    return Adoption(tuple(services), left, tuple(found["unseen"]), told)


def _data(
    release: Release, one: Told, entry: Mapping[str, Any]
) -> tuple[tuple[Data, ...], list[dict[str, Any]]]:
    places, found, orders = dict(_places(release, entry)), [], []
    for mount in one["mounts"]:
        target = mount["target"].rstrip("/") or "/"
        old = mount["name"] or mount["source"]
        kind, place = places.get(target, ("", ""))
        if kind == "odd":
            raise InputError(
                f"where {one['service']} keeps {target} cannot be told from its unit",
                code="adopt-mount",
                hint=f"give the mount at {target} a plain name, without spaces and commas",
            )
        if kind == "":
            found.append(Data(target, LEFT, old))
        elif _same(one, mount, kind, place):
            found.append(Data(target, KEPT, old, place))
        elif kind in ("volume", "folder"):
            found.append(Data(target, COPIED, old, place))
            orders.append(
                {
                    "engine": one["engine"],
                    "id": one["id"],
                    "target": target,
                    "volume": mount["name"] if mount["kind"] == "volume" else "",
                    "source": mount["source"],
                    "to": {kind: place},
                }
            )
    return tuple(found), orders


def _same(one: Told, mount: Told, kind: str, place: str) -> bool:
    """Whether the service's place of data is the container's own."""
    if kind == "volume":
        return bool(one["engine"] == "podman" and mount["name"] == place)
    return bool(kind == "path" and mount["source"] == place)


def _places(release: Release, entry: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    """Path in the container → what is there: a volume, a folder of ours, a path, a file.

    ``odd`` is one that is written in a way that only Podman reads.
    """
    prefix = f"{release['instance']}-"
    own = f"{OWN}{release['instance']}/"
    names = {f"{prefix}{key}.volume": str(v["name"]) for key, v in release["volumes"].items()}
    for key, value in entry["unit"].get("Container", ()):
        source, _, rest = value.partition(":")
        target = rest.partition(":")[0].rstrip("/") or "/"
        if key == "Volume" and '"' not in value:
            if source in names:
                yield target, ("volume", names[source])
            elif source.startswith(f"{own}data/"):
                yield target, ("folder", source.removeprefix(f"{own}data/"))
            elif source.startswith(own):
                yield target, ("file", source)
            else:
                yield target, ("volume" if not source.startswith(("/", "%")) else "path", source)
        elif key in ("Volume", "Mount") or (key == "PodmanArgs" and "--mount" in value):
            for word in value.replace("\\", "").replace('"', "").split(","):
                name, _, path = word.partition("=")
                if name == "target":
                    yield path.rstrip("/"), ("odd", "")


def _plain(image: str) -> str:
    """A name without digest, Docker Hub's own words and the tag that goes without saying."""
    name = image.partition("@")[0].removeprefix("docker.io/").removeprefix("library/")
    return name.removeprefix("localhost/").removesuffix(":latest")


def nothing(adoptions: Mapping[str, Adoption]) -> bool:
    """Whether no host has anything to adopt."""
    return not any(one.services for one in adoptions.values())


def risky(adoptions: Mapping[str, Adoption]) -> Sequence[Adopted]:
    """Services whose data would meet another image."""
    return [s for one in adoptions.values() for s in one.services if s.other_image]
