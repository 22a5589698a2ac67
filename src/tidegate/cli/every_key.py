"""What becomes of every compose key: the table of docs/compose.md, made by loading a project.

The keys are those of the specification's schema. A project with all of them (probe/) is loaded,
rendered for a deployment and exported; what the two say of each path is the table.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from tidegate.cli.every_key_notes import LOADED, NOTES
from tidegate.compose import Project, load
from tidegate.errors import InputError
from tidegate.images.recipe import CARRIED_OUT
from tidegate.release.files import FileFact
from tidegate.release.image import ImageRef
from tidegate.targets.quadlet import networks, strategy
from tidegate.targets.quadlet.export import export
from tidegate.targets.quadlet.render import missed
from tidegate.targets.quadlet.rows import Service
from tidegate.targets.quadlet.scope import Found, Scope
from tidegate.targets.quadlet.secrets import sources
from tidegate.targets.quadlet.sheet import CHOSEN_KEYS, UNSUPPORTED, Entry, Path, Sheet, leaves
from tidegate.targets.quadlet.table import ROWS
from tidegate.targets.quadlet.volumes import volume
from tidegate.testing.files import Memory

Key = tuple[str, ...]
NO_BUILDER = "no builder here carries it out"
DIGEST = "sha256:" + "a" * 64
IMAGE = ImageRef(f"example.com/image@{DIGEST}")
TITLES = {
    "": "The file",
    **{name: f"`{name}`" for name in ("services", "networks", "volumes", "secrets", "configs")},
    "models": "`models`",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One key of the table: how it is carried out by a deployment and by an export, and why."""

    key: Key
    deploying: str
    exporting: str
    note: str


def table() -> str:
    """The tables, one for each section of a compose file, as Markdown."""
    parts = []
    lines = list(rows())
    for section, title in TITLES.items():
        parts += ["", f"### {title}", ""]
        parts += ["| Key | Deploying | Exporting | Trap or reason |", "|---|---|---|---|"]
        for line in lines:
            if section == (line.key[0] if line.key[0] in TITLES else ""):
                cells = (f"`{shown(line.key)}`", line.deploying, line.exporting, line.note)
                parts.append(
                    f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
                )
    return "\n".join(parts) + "\n"


def shown(key: Key) -> str:
    """A key within its section: ``ports[].published``, ``networks.*.aliases``."""
    below = key[2:] if key[0] in TITLES else key
    return ".".join(below).replace(".[]", "[]")


def rows() -> Iterator[Line]:
    """Every key of the schema that carries a value."""
    keys = list(schema_keys())
    project = probe()
    deploying = _by_key(_deployed(project), keys)
    exporting = _by_key(export(project, variables=project.variables).entries, keys)
    told = {*deploying, *exporting}
    parents = {key[:length] for key in told for length in range(1, len(key))}
    groups = {key[:length] for key in keys for length in range(1, len(key))}
    for key in keys:
        skipped = groups if key not in told else parents
        if key not in skipped and not _in_chosen(key):
            yield _line(key, deploying.get(key), exporting.get(key))


def _line(key: Key, ours: Entry | None, theirs: Entry | None) -> Line:
    if ours is None and theirs is None:
        return Line(key, "loader", "loader", LOADED.get(shown(key), "read, and dropped, as there"))
    reasons = [entry.reason.strip() if entry else "" for entry in (ours, theirs)]
    notes = [NOTES.get(shown(key), "")]
    if reasons[0] == reasons[1]:
        notes.append(reasons[0])
    else:
        words = ("deploying", "exporting")
        notes += [f"{word}: {text}" for word, text in zip(words, reasons, strict=True) if text]
    return Line(key, _cell(ours), _cell(theirs), "; ".join(filter(None, notes)))


def _cell(entry: Entry | None) -> str:
    if entry is None:
        return ""
    if not entry.to:
        return entry.class_
    return f"{entry.class_} `{entry.to.replace(',', '`, `')}`"


def _by_key(entries: Iterable[Entry], keys: Iterable[Key]) -> dict[Key, Entry]:
    """The first entry for each key; of a list, one that is not only a default comes first."""
    known = {*keys}
    known |= {key[:length] for key in known for length in range(len(key))}
    found: dict[Key, Entry] = {}
    for entry in entries:
        key = _key(entry.path, known)
        if key in known and (key not in found or (found[key].to is None and entry.to)):
            found[key] = entry
    return found


def _key(path: Path, known: set[Key]) -> Key:
    """A path of a project as a key of the schema."""
    key: Key = ()
    for part in path:
        word = "[]" if isinstance(part, int) else part
        choices = ((*key, word), (*key, word.lower()), (*key, "*"))
        key = next((choice for choice in choices if choice in known), (*key, word))
    return key


def _in_chosen(key: Key) -> bool:
    """Whether a key stands in a mapping that has one entry as a whole."""
    return any(part in CHOSEN_KEYS for part in key[2:-1])


def _deployed(project: Project) -> Iterator[Entry]:
    """What a deployment says of each path; a key that it refuses is unsupported."""
    images = dict.fromkeys(project.services, IMAGE)
    facts = {f"/project/{name}": FileFact(DIGEST) for name in ("config.txt", "a")}
    scope = strategy.decide(Scope(project, project.name, {}, images, facts, variables={"A": "b"}))
    for name in project.services:
        sheet = Sheet(("services", name), "Container", project.where, strict=False)
        service = Service(sheet, scope, name, Found())
        for key in ROWS:
            if service.compose.get(key) is not None:
                yield from _row(service, key)
        networks.joined(service)
        for entry in (*sheet.entries, *missed(service)):
            unbuilt = entry.path[2:3] == ("build",) and not set(entry.path[3:4]) <= CARRIED_OUT
            yield Entry(entry.path, UNSUPPORTED, None, NO_BUILDER) if unbuilt else entry
    for kind, write in (("networks", networks.network), ("volumes", volume)):
        for name in getattr(project, kind):
            yield from write(scope, name, strict=False)[1].entries
    made = {source.name: "a secret of Podman" for source in sources(project, project.name)}
    for section in ("secrets", "configs", "models"):
        for name, body in getattr(project, section).items():
            for leaf in leaves(body, (section, name)):
                yield _resource(leaf, made.get(name, "it must exist"))


def _row(service: Service, key: str) -> Iterator[Entry]:
    try:
        ROWS[key](service, key, service.compose[key])
    except InputError as problem:
        for leaf in leaves(service.compose[key], (*service.sheet.path, key)):
            yield Entry(leaf, UNSUPPORTED, None, problem.message.partition(": ")[2])


def _resource(leaf: Path, secret: str) -> Entry:
    if leaf[0] == "models":
        return Entry(leaf, UNSUPPORTED, None, "podman does not run models")
    return Entry(leaf, "deployer", None, secret if leaf[0] == "secrets" else "a companion file")


@cache
def probe() -> Project:
    """The project with every key."""
    folder = resources.files("tidegate.cli").joinpath("probe")
    texts = {file.name: file.read_text("utf-8") for file in folder.iterdir() if file.is_file()}
    reader = Memory(texts, "/project")
    return load(["compose.yaml"], reader=reader, variables={"A": "b"}, profiles=["*"])


def schema_keys() -> Iterator[Key]:
    """Every key that the specification's schema knows, parents first, each once."""
    text = resources.files("tidegate.compose").joinpath("compose-spec.json").read_text("utf-8")
    schema = json.loads(text)
    return iter(dict.fromkeys(_keys(schema, (), schema["definitions"])))


def _keys(part: Mapping[str, Any], key: Key, known: Mapping[str, Any]) -> Iterator[Key]:
    if "$ref" in part:
        part = known[part["$ref"].rpartition("/")[2]]
    for name, below in part.get("properties", {}).items():
        yield (*key, name)
        yield from _keys(below, (*key, name), known)
    inside = [below for name, below in part.get("patternProperties", {}).items() if name != "^x-"]
    for below in inside:
        yield from _keys(below, (*key, "*"), known)
    if "items" in part:
        yield from _keys(part["items"], (*key, "[]"), known)
    for choice in part.get("oneOf", ()):
        yield from _keys(choice, key, known)
