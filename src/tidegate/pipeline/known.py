"""Images that are decided already: those of releases that run, that wait, or that go on.

What has the same content is the same image, on whichever machine it was built: a release names
the key of each build. What another environment runs is taken as it is, whatever built it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tidegate.edges import image_fetch
from tidegate.edges.ssh import Ssh
from tidegate.edges.store import Store, StoredImage
from tidegate.errors import InfrastructureError, InputError, RefusedError, TidegateError
from tidegate.model.config import Environment
from tidegate.pipeline.fleet import OBSERVE_S, Fleet, hosts, ssh
from tidegate.pipeline.witness import in_office

Release = Mapping[str, Any]
Entry = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Keeper:
    """A host that may have images, and the instance there."""

    ssh: Ssh
    instance: str


@dataclass(frozen=True, slots=True)
class Known:
    """``releases``, the likeliest first; ``promoted``: the first one's images are wanted.

    ``commit`` is that of what is being made; empty where tags are to be asked anew.
    """

    releases: Sequence[Release] = ()
    keepers: Sequence[Keeper] = ()
    promoted: bool = False
    commit: str = ""

    def given(self, service: str) -> Entry | None:
        """The image that a service goes on with; None where nothing was promoted."""
        found: Entry | None = self.releases[0]["images"].get(service) if self.promoted else None
        return found

    def built(self, key: str) -> Entry | None:
        """An image that was built and tested as ``key`` says, on whichever machine."""
        entries = (e for release in self.releases for e in release["images"].values())
        return next((entry for entry in entries if entry.get("key") == key), None)

    def named(self, service: str, tagged: str) -> Entry | None:
        """The image of a service that names one: what its tag was for the same commit."""
        for release in self.releases:
            entry: Entry = release["images"].get(service) or {}
            if entry.get("tag") == tagged and (self.promoted or _of(release, self.commit)):
                return entry
        return None

    def proxy(self) -> str:
        """The fronts' image of the same commit, empty where there is none."""
        known = (r for r in self.releases if self.promoted or _of(r, self.commit))
        return next((str(release["proxy"]["image"]) for release in known), "")

    def image(self, reference: str, store: Store) -> StoredImage:
        """The image of ``name@digest``, from the store or from a host that has it."""
        digest = reference.rpartition("@")[2]
        problem: TidegateError = InfrastructureError(
            f"no host is known that has {reference}", code="image-missing"
        )
        for keeper in (None, *self.keepers):
            try:
                if keeper is not None:
                    image_fetch.fetch(keeper.ssh, keeper.instance, reference, store)
                found = store.image(digest)
                if found is not None:
                    return found
            except TidegateError as failure:
                problem = failure
        raise problem


def _of(release: Release, commit: str) -> bool:
    """Whether a release is of just this commit; files that differ from it have none."""
    return bool(commit) and release["commit"] == commit and not release["version"].endswith("+")


NOTHING = Known()
Ask = Callable[[str], Known]  # of a version


def known_there(found: Fleet, environment: Environment, instance: str, version: str) -> Known:
    """What was proposed of a version in an environment, and what serves there."""
    serving = found.seen.get("release")
    releases = [*_proposed(found, version), *([serving] if serving else [])]
    return Known(releases, keepers(environment, instance))


def keepers(environment: Environment, instance: str) -> list[Keeper]:
    """The hosts of an environment, which have the images of what runs and waits there."""
    return [Keeper(ssh(host), instance) for host in hosts(environment)]


def _proposed(found: Fleet, version: str) -> list[Release]:
    if not version or version.endswith("+"):
        return []
    try:
        args = {"release": version}
        return [in_office(found).call("proposal", args, timeout_s=OBSERVE_S)["release"]]
    except (InputError, RefusedError):  # people were never asked, or nobody is in office
        return []
