"""A loaded project: canonical values, and for each of them its place and its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.compose.nodes import NO_NAMES, Mark, Node, Path, plain
from tidegate.errors import Where

SECTIONS = ("services", "networks", "volumes", "secrets", "configs", "models")


@dataclass(frozen=True, slots=True)
class Project:
    """What `docker compose config` knows, with literal `$`; services keep their x- keys.

    `variables` are all that interpolation could see: command line, environment, env files.
    `unset` are those that were asked for and had no value, with the first place that asked.
    `disabled` names the services that no chosen profile enables, with their profiles;
    `switched_off` those of `skipped-…` files, with the file.
    """

    name: str
    working_dir: str
    services: Mapping[str, Mapping[str, Any]]
    networks: Mapping[str, Mapping[str, Any]]
    volumes: Mapping[str, Mapping[str, Any]]
    secrets: Mapping[str, Mapping[str, Any]]
    configs: Mapping[str, Mapping[str, Any]]
    models: Mapping[str, Mapping[str, Any]]
    extensions: Mapping[str, Any]
    variables: Mapping[str, str] = field(repr=False, compare=False, default_factory=dict)
    unset: Mapping[str, Where] = field(repr=False, compare=False, default_factory=dict)
    disabled: Mapping[str, tuple[str, ...]] = field(repr=False, compare=False, default_factory=dict)
    switched_off: Mapping[str, str] = field(repr=False, compare=False, default_factory=dict)
    root: Node = field(repr=False, compare=False, default_factory=lambda: Node({}, ("", 0, 0)))

    def where(self, path: Path) -> Where:
        """The place of a value, or of the nearest thing above it that a file contains."""
        mark: Mark = self.root.at
        node: Node | None = self.root
        for part in path:
            node = _step(node, part)
            if node is None:
                break
            mark = node.at
        return Where(*mark)

    def uses_variables(self, path: Path) -> set[str]:
        """The names of the variables whose values are part of the value at a path."""
        node: Node | None = self.root
        for part in path:
            node = _step(node, part)
        return set(node.all_used() if node is not None else NO_NAMES)


def _step(node: Node | None, part: str | int) -> Node | None:
    if node is None:
        return None
    if isinstance(part, int):
        items = node.items()
        return items[part] if -len(items) <= part < len(items) else None
    return node.get(part)


def from_root(
    name: str,
    working_dir: str,
    root: Node,
    variables: Mapping[str, str],
    unset: Mapping[str, Mark],
    disabled: Mapping[str, Node],
) -> Project:
    """A project from its canonical tree."""
    values = plain(root)
    return Project(
        name=name,
        working_dir=working_dir,
        **{section: values.get(section, {}) for section in SECTIONS},
        extensions={key: value for key, value in values.items() if key.startswith("x-")},
        variables=dict(variables),
        unset={key: Where(*mark) for key, mark in unset.items()},
        disabled={key: tuple(plain(body)["profiles"]) for key, body in disabled.items()},
        root=root,
    )


def as_json(project: Project) -> dict[str, Any]:
    """What `docker compose config --format json` prints: `$` as `$$`, no x- keys but at the top."""
    found: dict[str, Any] = {"name": project.name}
    for section in SECTIONS[:-1]:
        entries = getattr(project, section)
        if entries or section == "services":
            found[section] = {
                name: {key: value for key, value in entry.items() if not key.startswith("x-")}
                for name, entry in entries.items()
            }
    escaped = _escape({**found, **project.extensions})
    assert isinstance(escaped, dict)
    return escaped


def _escape(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {_escape(key): _escape(child) for key, child in value.items()}
    if isinstance(value, list):
        return [_escape(child) for child in value]
    return value
