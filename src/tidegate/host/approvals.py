"""Who has approved a release, and what is still missing: rules and records in, words out. Pure.

A policy is the part `gates` of a release: `people` (name to public key line), `approval` (rules:
`by` whom, `count` how many) and `made_by` (mail addresses of who made the release). The policy
of the release that serves says who may approve the next one.
"""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Sequence

from tidegate.host.canon import canonical

NAMESPACE = "tidegate-approval"  # of the signature: nothing else that a person signs counts
APPROVED, REJECTED = "approved", "rejected"

Policy = Mapping[str, Any]
Record = Mapping[str, Any]


def statement(instance: str, environment: str, record: Record) -> bytes:
    """What a person signs: just this release, by this plan, into this environment, or not."""
    return canonical(
        {
            "format": 1,
            "instance": instance,
            "environment": environment,
            "release": record["release"],
            "plan": record["plan"],
            "verdict": record["verdict"],
        }
    )


def key_of(line: str) -> str:
    """A public key line without its comment."""
    return " ".join(line.split()[:2])


def own(line: str, made_by: Iterable[str]) -> bool:
    """Whether the person with this key line made the release: the key's comment is their mail."""
    comment = line.split(None, 2)[2:]
    return bool(comment) and comment[0].strip().lower() in {name.lower() for name in made_by}


def about(records: Iterable[Record], release: str, plan: str) -> List[Record]:
    """The decisions on just this release and plan."""
    return [r for r in records if r["release"] == release and r["plan"] == plan]


def rejections(policies: Iterable[Policy], records: Sequence[Record]) -> List[Record]:
    """Decisions against it, by anybody who may approve."""
    known = [policy.get("people") or {} for policy in policies]
    return [
        record
        for record in records
        if record["verdict"] == REJECTED and any(_is(people, record) for people in known)
    ]


def unmet(
    policies: Iterable[Policy], records: Sequence[Record], made_by: Sequence[str]
) -> List[str]:
    """A line for each rule whose approvals do not suffice; none: all is approved."""
    found: Dict[str, None] = {}
    for policy in policies:
        for rule in policy.get("approval") or ():
            line = _lacking(policy["people"], rule, records, made_by)
            if line:
                found[line] = None
    return list(found)


def _lacking(
    people: Mapping[str, str], rule: Mapping[str, Any], records: Sequence[Record], made_by: Any
) -> str:
    """What one rule lacks; two people with one key are one person."""
    makers = [name for name in rule["by"] if own(people[name], made_by)]
    given = {
        str(record["key"]): str(record["person"])
        for record in records
        if record["verdict"] == APPROVED and record["person"] in rule["by"]
        if record["person"] not in makers and _is(people, record)
    }
    if len(given) >= rule["count"]:
        return ""
    left = [n for n in rule["by"] if n not in makers and key_of(people[n]) not in given]
    told = f"{len(given)} of {rule['count']} approvals; {' or '.join(left) or 'nobody else'} may"
    return f"{told}, {' and '.join(makers)} made it" if makers else told


def _is(people: Mapping[str, str], record: Record) -> bool:
    """Whether the key that signed is still this person's."""
    return key_of(people.get(str(record["person"]), "")) == str(record["key"])
