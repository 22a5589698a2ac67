"""Whether what runs on each host is exactly one whole release, the same on all of them. Pure.

Three sources that do not know of each other have to agree: what ``tidegate status`` says, what
lies on the host (``prove/survey.py``), and what podman runs and mounts (``look.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.testing.prove.judge import judge

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """One host; ``status`` is the controller's word, ``page`` the version that customers see."""

    status: Facts
    survey: Facts
    containers: Sequence[Facts]
    page: str

    @property
    def generation(self) -> Facts:
        """The one that serves; judged to be there before anything else is asked of it."""
        found: Facts = self.survey["generations"][str(self.survey["current"])]
        return found


def violations(hosts: Mapping[str, Seen], instance: str, commit: str) -> list[str]:
    """Sentences about an environment whose release must be that of ``commit``."""
    found = [
        f"{host}: {sentence}"
        for host, seen in hosts.items()
        for sentence in judge(seen.survey, instance, {"web": seen.page})
    ]
    if found:
        return found
    for host, seen in hosts.items():
        found += [f"{host}: {sentence}" for sentence in _one(seen, host, commit)]
    return found + list(_together(hosts))


def _one(seen: Seen, host: str, commit: str) -> Iterator[str]:
    """What is wrong with one host."""
    release = seen.generation["release"]
    if release["commit"] != commit:
        yield f"runs commit {release['commit'][:7]}, not {commit[:7]}"
    if seen.status["drift"] or seen.status["open"]:
        yield f"status shows drift or something open: {seen.status['drift']}"
    current = [kept["commit"] for kept in seen.status["generations"] if kept["current"]]
    if current != [commit]:
        yield f"status says that {current} serves"
    # A release for one host says nothing of places.
    expected = set(
        release["hosts"][host]["services"] if "hosts" in release else release["services"]
    )
    names = [container["service"] for container in seen.containers]
    if sorted(names) != sorted(expected):
        yield f"runs {sorted(names)}, and the release has {sorted(expected)} there"
    for container in seen.containers:
        if container["service"] in expected:
            yield from _container(container, seen.generation)


def _container(container: Facts, generation: Facts) -> Iterator[str]:
    """Whether image, files and secrets of a container are those of the release."""
    name, release = container["name"], generation["release"]
    entry = release["services"][container["service"]]
    if not (container["running"] and container["healthy"]):
        yield f"{name} does not run, or is not healthy"
    if container["pin"] != entry["image"] or container["digest"] != entry["image"].split("@")[1]:
        yield f"{name} runs {container['pin']}, and the release pins {entry['image']}"
    mounted = sorted(sorted(files.items()) for files in container["files"].values())
    if mounted != sorted(sorted(_files(release, key).items()) for key in entry["files"]):
        yield f"{name} has other files mounted than the release's"
    versions = generation["layout"]["secrets"]
    if container["secrets"] != sorted(versions[secret["secret"]] for secret in entry["secrets"]):
        yield f"{name} has other secrets than the release's: {container['secrets']}"


def _files(release: Facts, key: str) -> dict[str, str]:
    """Path → digest of what a companion file or folder of the release holds."""
    entry = release["files"][key]
    if entry["kind"] == "file":
        return {"": key}
    return {one["path"]: one["digest"] for one in entry["entries"]}


def _together(hosts: Mapping[str, Seen]) -> Iterator[str]:
    """What differs between hosts that run one release."""
    every = list(hosts.values())
    for what in ("release_digest", "deployment"):
        if len({seen.status[what] for seen in every}) != 1:
            yield f"hosts differ in {what}: {[seen.status[what] for seen in every]}"
    if any(seen.generation["release"] != every[0].generation["release"] for seen in every):
        yield "hosts keep different manifests of it"
    images: dict[str, set[str]] = {}
    secrets: dict[str, set[str]] = {}
    for seen in every:
        for container in seen.containers:
            images.setdefault(container["service"], set()).add(container["image"])
        for secret, version in seen.generation["layout"]["secrets"].items():
            secrets.setdefault(secret, set()).add(version)
    for kind, found in (("images", images), ("versions of the secret", secrets)):
        for name, ones in found.items():
            if len(ones) != 1:
                yield f"hosts have {len(ones)} {kind} {name}"
    if len({seen.page for seen in every}) != 1:
        yield f"customers see different versions: {[seen.page for seen in every]}"
