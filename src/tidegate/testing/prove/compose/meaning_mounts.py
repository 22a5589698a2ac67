"""What mounts, secrets and configs mean to podman: the part of ``meaning`` for files.

A volume without a name may be any volume; a config of the project's own text may be any file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tidegate.testing.prove.compose import spoken

Option = tuple[str, str]
Project = Mapping[str, Any]

ANONYMOUS = "(anonymous)"
TEXT = "(text)"


def volumes(project: Project, value: Any) -> Iterator[Option]:
    """The key ``volumes``."""
    for one in value:
        if one["type"] in ("volume", "bind", "tmpfs", "image"):
            yield spoken.mount(
                one["type"], _source(project, one), one["target"], _words(one, one["type"])
            )


def _source(project: Project, one: Mapping[str, Any]) -> str:
    source = str(one.get("source") or "")
    if one["type"] == "volume":
        return str(project["volumes"][source]["name"]) if source else ANONYMOUS
    return "" if one["type"] == "tmpfs" else source


def _words(one: Mapping[str, Any], kind: str) -> Iterator[str]:
    more = one.get(kind) or {}
    if one.get("read_only"):
        yield "ro"
    if more.get("nocopy"):
        yield "nocopy"
    if more.get("subpath"):
        yield f"subpath={more['subpath']}"
    if more.get("size"):
        yield f"size={more['size']}"
    if more.get("mode"):
        yield f"mode={int(more['mode']):o}"
    yield from filter(None, [more.get("propagation"), more.get("selinux")])
    if more.get("recursive") == "disabled":
        yield "nonrecursive"


def others(containers: Mapping[str, str], value: list[str]) -> Iterator[Option]:
    """The key ``volumes_from``."""
    for item in value:
        kind, _, rest = item.partition(":")
        name = containers.get(kind, kind)
        whole = rest if kind == "container" else f"{name}:{rest}".rstrip(":")
        yield "--volumes-from", whole


def secrets(project: Project, value: Any) -> Iterator[Option]:
    """The key ``secrets``."""
    for use in value:
        fields = ["type=mount", f"target={use.get('target') or use['source']}"]
        fields += [f"{key}={use[key]}" for key in ("uid", "gid", "mode") if use.get(key)]
        name = project["secrets"][use["source"]]["name"]
        yield spoken.secret(",".join([name, *fields]))


def configs(project: Project, value: Any) -> Iterator[Option]:
    """The key ``configs``; an external one has no content that podman could mount."""
    for use in value:
        config = project["configs"][use["source"]]
        place = config.get("file") or (TEXT if _has_text(config) else "")
        if place:
            yield spoken.mount("bind", place, use.get("target") or f"/{use['source']}", ["ro"])


def _has_text(config: Mapping[str, Any]) -> bool:
    return config.get("content") is not None or bool(config.get("environment"))
