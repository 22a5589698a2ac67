"""What mounts, secrets and configs mean to podman: the part of ``meaning`` for files.

A volume without a name may be any volume; a config of the project's own text may be any file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import normpath
from typing import Any

from tidegate.testing.prove.compose import spoken

Option = tuple[str, str]
Project = Mapping[str, Any]

# What podman takes for the name of a volume; another one cannot be given.
NAMES = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
ANONYMOUS = "(anonymous)"
TEXT = "(text)"


def volumes(project: Project, value: Any) -> Iterator[Option]:
    """The key ``volumes``."""
    for one in value:
        # A path of Windows is none in a container of Linux.
        if one["type"] in ("volume", "bind", "tmpfs", "image") and one["target"].startswith("/"):
            yield spoken.mount(
                one["type"], _source(project, one), one["target"], _words(one, one["type"])
            )


def _source(project: Project, one: Mapping[str, Any]) -> str:
    source = str(one.get("source") or "")
    if one["type"] == "volume":
        name = str(project["volumes"][source].get("name") or source) if source else ""
        return name if NAMES.fullmatch(name) else ANONYMOUS
    if one["type"] == "image":
        return full(source)
    if ".." in source.split("/"):
        return normpath(source)
    return "" if one["type"] == "tmpfs" else source


def full(name: str) -> str:
    """An image's full name, as Docker reads a short one; an empty tag is none."""
    rest, at, digest = name.partition("@")
    domain, slash, path = rest.partition("/")
    if not slash or not (set(domain) & set(".:") or domain == "localhost"):
        domain, path = "docker.io", rest
    if domain == "docker.io" and "/" not in path:
        path = f"library/{path}"
    path = path.removesuffix(":")
    tag = "" if at or ":" in path.rpartition("/")[2] else ":latest"
    return f"{domain}/{path}{tag}{at}{digest}"


def _words(one: Mapping[str, Any], kind: str) -> Iterator[str]:
    more = one.get(kind) or {}
    if one.get("read_only"):
        yield "ro"
    if more.get("nocopy") and not more.get("subpath"):  # podman takes not both
        yield "nocopy"
    if more.get("subpath"):
        yield f"subpath={'/' if kind == 'image' else ''}{more['subpath']}"
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


def configs(project: Project, value: Any, variables: Mapping[str, str]) -> Iterator[Option]:
    """The key ``configs``; an external one has no content that podman could mount."""
    for use in value:
        config = project["configs"][use["source"]]
        known = "content" in config or config.get("environment") in variables
        place = config.get("file") or (TEXT if known else "")
        if place:
            yield spoken.mount("bind", place, use.get("target") or f"/{use['source']}", ["ro"])
