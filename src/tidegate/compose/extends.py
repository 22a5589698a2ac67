"""A service on top of another one, from this file or from another.

Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/loader/extends.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tidegate.compose.canonical import canonical
from tidegate.compose.files import Scope, discard, local, parent
from tidegate.compose.merge import merge, merge_service
from tidegate.compose.nodes import Node, fail
from tidegate.compose.unique import unique

if TYPE_CHECKING:
    from tidegate.compose.assemble import Assembler

MAX_CHAIN = 50


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one file, and what its tags discard."""

    file: str
    entries: dict[str, Node]
    discarded: Sequence[tuple[str, ...]] = ()


@dataclass(slots=True)
class Extender:
    """Resolves `extends` in one layer; files that several services extend are read once."""

    assembler: Assembler
    scope: Scope
    files: dict[str, Services] = field(default_factory=dict)

    def apply(self, layer: Node, file: str, discarded: Sequence[tuple[str, ...]]) -> None:
        """Merge every service of the layer with what it extends, in place."""
        section = layer.get("services")
        if section is None:
            return
        if not isinstance(section.value, dict):
            fail("services must be a mapping", section, code="compose-schema")
        services = Services(file, section.value, discarded)
        for name in list(section.value):
            section.value[name] = self.extended(name, services, ())

    def extended(self, name: str, services: Services, chain: tuple[tuple[str, str], ...]) -> Node:
        """The service, merged with all that it builds on."""
        service = services.entries[name]
        if service.value is None:
            return service
        if not isinstance(service.value, dict):
            fail(f"services.{name} must be a mapping", service, code="compose-schema")
        extends = service.get("extends")
        if extends is None:
            return service
        here = (services.file, name)
        if len(chain) > MAX_CHAIN:
            limit = f"more than {MAX_CHAIN} services extend each other"
            fail(limit, extends, code="compose-too-large")
        if here in chain:
            steps = " extends ".join(f"{one} in {file}" for file, one in (*chain, here))
            fail(f"circular extends: {steps}", extends, code="compose-cycle")
        reference, bases = self.bases(name, extends, services)
        base = self.extended(reference, bases, (*chain, here))
        if base.value is None:
            return service
        copy = self.clone(base, extends)
        _discard_below(copy, services.discarded, name)
        merged = merge_service(copy, service)
        merged.children().pop("extends", None)
        merged.at, merged.key_at = service.at, service.key_at
        services.entries[name] = merged
        return merged

    def clone(self, node: Node, at: Node) -> Node:
        """A copy that shares nothing."""
        self.assembler.allowance.take_values(1, at)
        value = node.value
        if isinstance(value, dict):
            value = {key: self.clone(child, at) for key, child in value.items()}
        elif isinstance(value, list):
            value = [self.clone(child, at) for child in value]
        return node.become(value)

    def bases(self, name: str, extends: Node, services: Services) -> tuple[str, Services]:
        """The name of the service that is extended, and the services that it is among."""
        target = extends if isinstance(extends.value, str) else extends.get("service")
        if target is None or not isinstance(target.value, str):
            fail(f"services.{name}.extends needs a service", extends, code="compose-missing")
        file = extends.get("file")
        found = services
        if file is not None and file.value is not None:
            if not isinstance(file.value, str):
                fail(f"services.{name}.extends.file must be text", file, code="compose-type")
            found = self.load(file)
        if target.value not in found.entries:
            fail(
                f"cannot extend {target.value!r}: no such service in {found.file}",
                target,
                code="compose-undefined",
                hint=f"services there: {', '.join(sorted(found.entries)) or 'none'}",
            )
        return target.value, found

    def load(self, named: Node) -> Services:
        """The services of another file, in long form, with absolute paths."""
        path = local(named, self.scope.base)
        if path in self.files:
            return self.files[path]
        source = self.assembler.open(path, named.at)
        scope = replace(self.scope, base=parent(path), directory=parent(path))
        root = Node({}, (path, 1, 1))
        discarded: Sequence[tuple[str, ...]] = ()
        for document in self.assembler.parse(source):
            layer = self.assembler.interpolate(document, scope)
            discarded = document.discarded
            root = unique(canonical(unique(merge(root, layer))))
        self.assembler.paths(parent(path)).resolve(root)
        section = root.get("services")
        if section is None or not isinstance(section.value, dict):
            fail(f"cannot extend: {path} has no services", named, code="compose-undefined")
        self.files[path] = Services(path, section.value, discarded)
        return self.files[path]


def _discard_below(service: Node, paths: Sequence[tuple[str, ...]], name: str) -> None:
    below = [path[2:] for path in paths if path[:2] == ("services", name) and len(path) > 2]
    discard(service, below)
