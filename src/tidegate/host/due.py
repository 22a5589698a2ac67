"""Which migrations are due, who waits for them, and which releases a contract has shut out. Pure.

A migration is named by the digest of all that it is: service, image, environment, command. What
was done under that name is not done again. The audit log says what was done here:

- `migration.contract`: a contract migration begins, so going back behind it is over,
- `migration.ran`, `migration.failed`: how one ended,
- `migration.checked`: its check found nothing to do,
- `data.seeded`: a person filled in seed data.
"""

from __future__ import annotations

from typing import (
    Any,
    Collection,
    Dict,
    Iterable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
)

from tidegate.host.canon import digest
from tidegate.host.order import dependencies_first

CONTRACT, RAN, CHECKED = "migration.contract", "migration.ran", "migration.checked"
FAILED, SEEDED = "migration.failed", "data.seeded"
NOTED = (CONTRACT, RAN, CHECKED)
# Names that observe tells: more than any environment has services, over many releases.
TOLD = 500

Release = Mapping[str, Any]
Entries = Iterable[Mapping[str, Any]]


class Task(NamedTuple):
    """One migration of a release; `name` is its digest, `body` its entry there."""

    service: str
    kind: str
    name: str
    body: Mapping[str, Any]

    @property
    def words(self) -> str:
        """Its command, for people."""
        return " ".join(self.body["command"])


class Contract(NamedTuple):
    """A contract migration that began in deployment number `since`."""

    service: str
    since: int


def migrations(release: Release, host: str = "") -> List[Task]:
    """All that `host` is to run of `release`, what others wait for first.

    A release for one host names none.
    """
    places = release.get("tasks") if "hosts" in release else None
    found: List[Task] = []
    for service in ordered(release):
        if places is None or places.get(service) == host:
            bodies = release["services"][service].get("migrate") or ()
            found += [Task(service, str(b["kind"]), name_of(service, b), b) for b in bodies]
    return found


def ordered(release: Release) -> List[str]:
    """All services, dependencies first."""
    waits = {name: entry["depends_on"] for name, entry in release["services"].items()}
    return dependencies_first(waits)


def name_of(service: str, body: Mapping[str, Any]) -> str:
    """The digest of a migration."""
    return digest([service, body])


def of(release: Release, service: str, kind: str) -> Optional[Task]:
    """The migration of that kind, None where the service has none."""
    entry = release["services"].get(service) or {}
    for body in entry.get("migrate") or ():
        if body["kind"] == kind:
            return Task(service, kind, name_of(service, body), body)
    return None


def held(release: Release, services: Collection[str]) -> List[str]:
    """`services` and all that depends on one of them, directly or not."""
    found: Set[str] = set(services)
    for name in ordered(release):
        if found & set(release["services"][name]["depends_on"]):
            found.add(name)
    return sorted(found)


def first(release: Release, services: Collection[str]) -> List[str]:
    """Those of `services` that depend on none of the others: they may migrate now."""
    return [
        name for name in services if name not in held(release, [s for s in services if s != name])
    ]


def done(entries: Entries) -> Dict[str, int]:
    """Digest → number of the deployment that did it, since data was removed last."""
    found: Dict[str, int] = {}
    for entry in entries:
        if entry.get("event") in (RAN, CHECKED):
            found[str(entry["task"])] = int(entry["number"])
        elif entry.get("event") == "service.removed" and entry.get("volumes"):
            found.clear()
    return found


def contracts(entries: Entries) -> List[Contract]:
    """The contract migrations that began since data was removed last, each attempt's first.

    One that failed was begun, too: nobody knows how far it came.
    """
    found: List[Contract] = []
    attempts: Dict[str, int] = {}
    for entry in entries:
        event = entry.get("event")
        if event == CONTRACT:
            since = attempts.setdefault(str(entry["service"]), int(entry["number"]))
            found.append(Contract(str(entry["service"]), since))
        elif event == RAN and entry.get("kind") == "contract":
            attempts.pop(str(entry["service"]), None)
        elif event == "service.removed" and entry.get("volumes"):
            found, attempts = [], {}
    return list(dict.fromkeys(found))


def told(entries: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    """What `observe` says: migrations done by name, and contracts with their numbers."""
    behind = contracts(entries)
    return {
        "migrated": list(done(entries))[-TOLD:],
        "contracts": [{"service": c.service, "since": c.since} for c in behind],
    }


def crossed(found: Iterable[Contract], number: int) -> List[Contract]:
    """Those behind which a release is that served last as deployment `number`."""
    return [contract for contract in found if contract.since > number]


def served(entries: Entries, release: str) -> int:
    """The number under which the release of that digest served last; 0 for never."""
    numbers = [
        int(str(entry["deployment"]).rpartition("/")[2])
        for entry in entries
        if entry.get("outcome") == "commit" and entry.get("release") == release
    ]
    return max(numbers, default=0)
