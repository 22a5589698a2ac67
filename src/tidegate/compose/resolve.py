"""`env_file` and `label_file` become variables and labels; what no service uses is dropped.

Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/types/project.go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from tidegate.compose.assemble import Assembler
from tidegate.compose.checks import Parts
from tidegate.compose.dotenv import Entry, parse, parse_raw
from tidegate.compose.nodes import Node, fail


def resolve_files(parts: Parts, assembler: Assembler, environment: Mapping[str, str]) -> None:
    """Read every enabled service's files, in place."""
    for service in parts.services.values():
        _environment(service, assembler, environment)
        _labels(service, assembler)


def _environment(service: Node, assembler: Assembler, outside: Mapping[str, str]) -> None:
    values = service.children()
    files = values.pop("env_file", None)
    listed = values.get("environment")
    own = dict(listed.children()) if listed else {}
    for key, child in own.items():
        if child.value is None and key in outside:
            own[key] = Node(outside[key], child.at, child.key_at, frozenset((key,)))

    def lookup(name: str) -> str | None:
        if name in outside:
            return outside[name]
        child = own.get(name)
        return child.value if child is not None and isinstance(child.value, str) else None

    known = {
        key: Entry(child.text(), child.at, child.used)
        for key, child in own.items()
        if child.value is not None
    }
    for entry in files.items() if files else ():
        known |= _env_file(entry, assembler, known, lookup)
    found = {key: entry.node() for key, entry in known.items()} | own
    if found:
        values["environment"] = (listed or files or service).become(found)


def _env_file(
    entry: Node, assembler: Assembler, known: Mapping[str, Entry], lookup: object
) -> dict[str, Entry]:
    assert callable(lookup)
    path, required, form = entry.get("path"), entry.get("required"), entry.get("format")
    name = path.text() if path else ""
    if not assembler.reader.is_file(name):
        if required is not None and required.value is False:
            return {}
        fail(
            f"env file {name} not found",
            path or entry,
            code="env-file",
            hint="create it, or write {path: …, required: false}",
        )
    text = assembler.open(name, (path or entry).at).text
    if form is not None and form.text() == "raw":
        return parse_raw(text, name, lookup)
    if form is not None and form.text() not in ("", ".env"):
        fail(f"unsupported env_file format {form.text()!r}", form, code="env-file", hint="use raw")
    return parse(text, name, known, lookup, assembler.allowance)


def _labels(service: Node, assembler: Assembler) -> None:
    values = service.children()
    files = values.pop("label_file", None)
    if files is None:
        return
    found: dict[str, Entry] = {}
    for item in files.items():
        if not assembler.reader.is_file(item.text()):
            fail(f"label file {item.text()} not found", item, code="label-file")
        text = assembler.open(item.text(), item.at).text
        found |= parse(text, item.text(), found, _nothing, assembler.allowance)
    own = values.get("labels")
    labels = {key: entry.node() for key, entry in found.items()} | (own.children() if own else {})
    if labels:
        values["labels"] = (own or files).become(labels)


def _nothing(_name: str) -> None:
    """Label files see nothing but each other."""


def prune(parts: Parts) -> Parts:
    """Without the networks, volumes, secrets, configs and models that no enabled service uses."""
    used: dict[str, set[str]] = {
        name: set() for name in ("networks", "volumes", "secrets", "configs", "models")
    }
    for service in parts.services.values():
        for section in ("networks", "models"):
            used[section] |= (service.get(section) or service.become({})).children().keys()
        for volume in _items(service, "volumes"):
            if _text(volume, "type") == "volume":
                used["volumes"].add(_text(volume, "source"))
        build = service.get("build")
        for secret in (*_items(service, "secrets"), *_items(build, "secrets")):
            used["secrets"].add(_text(secret, "source"))
        used["configs"] |= {_text(config, "source") for config in _items(service, "configs")}
    kept = {
        section: {key: node for key, node in getattr(parts, section).items() if key in names}
        for section, names in used.items()
    }
    return replace(parts, **kept)


def _items(node: Node | None, key: str) -> list[Node]:
    found = node.get(key) if node is not None else None
    return found.items() if found else []


def _text(node: Node, key: str) -> str:
    found = node.get(key)
    return found.text() if found else ""
