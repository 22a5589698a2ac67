"""Projects for tests: compose text through the real loader, everything else as small values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tidegate.compose import Project, Source, load
from tidegate.host.layout import compute
from tidegate.host.units import place
from tidegate.images.facts import ImageFacts
from tidegate.model.config import Host, ServiceSettings, Switch
from tidegate.release.files import Fact, FileFact, TreeFact
from tidegate.release.image import ImageRef
from tidegate.targets.quadlet.render import render

FOLDER = "/project"
PROXY = "docker.io/library/haproxy@sha256:" + "f" * 64


class NoFiles:
    """A reader of nothing: compose text alone."""

    def absolute(self, path: str) -> str:
        return path if path.startswith("/") else f"{FOLDER}/{path}"

    def read(self, path: str) -> str:
        raise FileNotFoundError(path)

    def is_file(self, path: str) -> bool:
        return not path

    def is_dir(self, path: str) -> bool:
        return not path

    def follow(self, path: str) -> str:
        return path


def project(text: str, name: str = "p") -> Project:
    """What the loader makes of ``text``, a file in ``/project``."""
    source = Source(f"{FOLDER}/compose.yaml", text)
    return load([source], reader=NoFiles(), variables={}, project=name, profiles=["*"])


def release(text: str, **given: Any) -> dict[str, Any]:
    """The release of compose text."""
    return of_project(project(text), **given)


def of_project(
    loaded: Project,
    *,
    instance: str = "p",
    settings: Mapping[str, Mapping[str, Any]] | None = None,
    images: Mapping[str, Mapping[str, Any]] | None = None,
    files: Mapping[str, Any] | None = None,
    variables: Mapping[str, str] | None = None,
    hosts: Mapping[str, Host] | None = None,
    drained: Sequence[str] = (),
) -> dict[str, Any]:
    """The release of a project; ``files`` are ``file``, a mode, or a list of a folder's names."""
    return render(
        loaded,
        settings={n: ServiceSettings(n, **value) for n, value in (settings or {}).items()},
        images={name: image(name, (images or {}).get(name, {})) for name in loaded.services},
        instance=instance,
        environment="production",
        commit="c0ffee",
        files={f"{FOLDER}/{path}": fact(path, kind) for path, kind in (files or {}).items()},
        variables=variables or {},
        proxy=PROXY,
        switch=Switch(),
        hosts=hosts,
        drained=drained,
    )


def image(name: str, declared: Mapping[str, Any]) -> ImageRef:
    """An image with a digest that depends on nothing but a letter."""
    facts = ImageFacts(
        ports=tuple((int(port), "tcp") for port in declared.get("ports", ())),
        volumes=tuple(declared.get("volumes", ())),
        entrypoint=tuple(declared.get("entrypoint", ())),
        healthcheck=declared.get("healthcheck"),
        shell=declared.get("shell"),
    )
    return ImageRef(f"docker.io/library/{name}@sha256:{'a' * 64}", tag=f"{name}:1", facts=facts)


def fact(path: str, kind: Any) -> Fact:
    """A file, or a folder of the given names; digests come from the path."""
    if isinstance(kind, list):
        return TreeFact({name: FileFact(letters(f"{path}/{name}")) for name in kind})
    return FileFact(letters(path), int(str(kind), 8) if str(kind).isdigit() else 0o644, 1)


def letters(text: str) -> str:
    """A digest that is easy to recognise: the path's length in every place."""
    return "sha256:" + format(len(text) % 16, "x") * 64


def units(made: dict[str, Any]) -> dict[str, str]:
    """All unit files of a release in its first generation, as a host writes them."""
    secrets = {
        use["secret"]: f"{use['secret']}-1"
        for entry in made["services"].values()
        for use in entry["secrets"]
    }
    layout = compute(made, 1, None, None, [], secrets)
    place(made, layout, None, {})
    texts = [layout["shared"], *layout["units"].values()]
    return {name: text for found in texts for name, text in found.items()}
