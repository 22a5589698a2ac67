"""``tidegate release``: from a commit to one immutable, signed release on the branch releases."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tidegate.bootstrap.signing_key import signing_key
from tidegate.edges.git_releases import Releases, remote
from tidegate.edges.signing import sign, signer
from tidegate.errors import InputError, RefusedError
from tidegate.images import names
from tidegate.model.config import Config
from tidegate.pipeline import build as building
from tidegate.pipeline.applications import served
from tidegate.pipeline.bench import Orders, Result, candidate
from tidegate.pipeline.build import Work
from tidegate.ports import Reporter
from tidegate.release import contents as release
from tidegate.release.contents import Contents, Own, Service
from tidegate.release.difference import Change, difference
from tidegate.repo.releases import Entry, choose

NAMESPACE = "tidegate-release-contents"  # no signature of one kind of file serves for another


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asks of a release; ``older``: of a commit before the newest release's."""

    remote: str = ""
    branch: str = ""
    jobs: int = 0
    older: bool = False


@dataclass(frozen=True, slots=True)
class Released:
    """A release, where it is on the branch, and whether it is new."""

    entry: Entry
    contents: Contents
    fresh: bool = False
    signer: str = ""
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Compared:
    """Two releases and what the second has that the first has not."""

    before: Released
    after: Released
    changes: tuple[Change, ...]
    commits: int


def make(config: Config, wish: Wish, reporter: Reporter) -> Released:
    """Build and test what is missing, then publish the release; one of the same commit, images
    and configuration is not made again."""
    branch = Releases(config.root, remote(config.root, wish.remote))
    branch.fetch()
    orders = Orders(push=bool(config.registry), jobs=wish.jobs)
    work = building.prepare(config, orders, wish.branch, reporter)
    building.require_commit(work.revision, work.commit)
    report = building.built(work)
    failed = next((one.error for one in report.results if one.error is not None), None)
    if failed is not None:
        raise failed
    made = _contents(work, branch, report.results)
    digest = release.contents_digest(made)
    same: list[Entry] = []

    def accept(newest: Entry | None) -> bool:
        if newest is not None and newest.digest == digest:
            same.append(newest)
            return False
        if newest is not None and not wish.older:
            _require_newer(branch, newest, work.commit.oid)
        return True

    entry = branch.publish(work.commit.oid, digest, _files(made, config), accept)
    return Released(entry or same[0], made, fresh=entry is not None, results=report.results)


def _contents(work: Work, branch: Releases, results: tuple[Result, ...]) -> Contents:
    """Our images by application; the others as the last release of this commit had them."""
    own = {
        one.application.name: Own(one.reference.pinned, candidate(one))
        for one in results
        if one.reference is not None
    }
    by_service = served(work.found)
    before = _pinned(work.commit.oid, branch)
    services = {}
    for name, body in work.project.services.items():
        if name in by_service:
            application = by_service[name]
            made = work.bench.ensure(application)
            assert made.reference is not None
            services[name] = Service(made.reference.pinned, application.name)
            continue
        where = work.project.where(("services", name, "image"))
        reference = names.parse(str(body.get("image") or ""), where)
        pinned = before.get(reference.tagged) or work.registry.resolve(
            str(body.get("image")), where
        ).pinned  # fmt: skip
        services[name] = Service(pinned, "", reference.tagged)
    commit = work.commit.oid
    return release.contents(work.config.project, commit, branch.tree(commit), own, services)


def _pinned(commit: str, branch: Releases) -> dict[str, str]:
    """What each tag meant when this commit was released before: a release is immutable."""
    entry = next((one for one in branch.entries() if one.commit == commit), None)
    if entry is None:
        return {}
    kept = _read(branch, entry)
    return {one["tag"]: one["ref"] for one in kept["services"].values() if one["tag"]}


def _files(made: Contents, config: Config) -> Callable[..., Mapping[str, bytes]]:
    content = release.contents_bytes(made)
    signature = sign(signing_key(), content, NAMESPACE).encode()
    own = {name: Own(**one) for name, one in made["applications"].items()}

    def files(read: Callable[[str], bytes]) -> Mapping[str, bytes]:
        before = read(release.VERSIONS).decode(errors="surrogateescape")
        text = release.version_env(before, own, pinned=bool(config.registry))
        return {
            release.FILE: content + b"\n",
            release.SIGNATURE: signature,
            release.VERSIONS: text.encode(errors="surrogateescape"),
        }

    return files


def _require_newer(branch: Releases, newest: Entry, commit: str) -> None:
    """A slow pipeline must not put an older commit on top of a newer one."""
    if newest.commit != commit and branch.includes(newest.commit, commit):
        raise RefusedError(
            f"{newest.tag} releases {newest.commit[:7]}, which is newer than {commit[:7]}",
            code="superseded",
            hint="--older releases it all the same",
        )


def show(config: Config, name: str, named_remote: str) -> Released:
    """A release as it was published, its signature checked."""
    branch = Releases(config.root, remote(config.root, named_remote))
    return _shown(config, branch, choose(branch.entries(), name))


def compare(config: Config, before: str, after: str, named_remote: str) -> Compared:
    """Two releases, the first one usually the older."""
    branch = Releases(config.root, remote(config.root, named_remote))
    entries = branch.entries()
    one, other = (_shown(config, branch, choose(entries, name)) for name in (before, after))
    found = tuple(difference(one.contents, other.contents))
    return Compared(one, other, found, branch.count(one.entry.commit, other.entry.commit))


def history(config: Config, named_remote: str) -> list[Entry]:
    """Every release, the newest first."""
    return Releases(config.root, remote(config.root, named_remote)).entries()


def _read(branch: Releases, entry: Entry) -> Contents:
    """A release's content: what its digest says, or an error."""
    content = branch.file(entry.oid, release.FILE).removesuffix(b"\n")
    found = release.parse(content, entry.tag)
    if release.contents_digest(found) != entry.digest:
        raise InputError(
            f"the release {entry.tag} is not what its digest says",
            code="release-broken",
            hint=f"somebody changed {release.FILE} on the branch by hand",
        )
    return found


def _shown(config: Config, branch: Releases, entry: Entry) -> Released:
    found = _read(branch, entry)
    signature = branch.file(entry.oid, release.SIGNATURE)
    who = signer(release.contents_bytes(found), signature, NAMESPACE, config.people)
    return Released(entry, found, signer=who)
