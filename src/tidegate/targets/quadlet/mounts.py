"""``volumes``, ``configs`` and ``volumes_from``: what a container sees besides its image.

A file or folder of the project becomes a companion file, named by content and mounted read-only,
so that a release stays what was reviewed. A folder that is not in the project, or only holds a
placeholder, is data: it is made on the host and stays. Both are relabelled (``z``), or SELinux
would keep containers out of the deploy user's home. Anonymous volumes get names, because
podman removes anonymous ones at every stop (podman-run(1), --rm).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from posixpath import normpath
from typing import Any

from tidegate.images.names import parse
from tidegate.release.files import FileFact, bytes_digest, is_placeholder
from tidegate.targets.quadlet.escape import HostPath, InexpressibleError, word
from tidegate.targets.quadlet.rows import Service, below
from tidegate.targets.quadlet.sheet import NATIVE, PODMAN_ARGS, Path
from tidegate.targets.quadlet.strategy import replicas, undeclared
from tidegate.targets.quadlet.wanted import config_text

# Only what needs no quoting anywhere may go into the short form `source:target:options`.
_SHORT = re.compile(r"[A-Za-z0-9_./@+-]+")
NO_COPY = "podman has it only for plain mounts"
NO_EFFECT = "only tells Docker Desktop how to cache"
# Each unit's own, in the user's runtime folder; and how a user becomes root of its containers.
OWN_FOLDER = "%t/tidegate-%N"
AS_OWNER = '[ "$(id -u)" = 0 ] && exec "$@"; exec podman unshare "$@"'
# Docker makes a missing folder; podman does not. A path that exists may be a file or a socket.
MAKE_FOLDER = '[ -e "$1" ] || mkdir -p -- "$1"'


def volumes(service: Service, at: str, value: Any) -> None:
    """The row ``volumes``."""
    for index, mount in enumerate(value):
        path = (at, index)
        if str(mount.get("target") or "").startswith("/") or mount["type"] not in _TYPES:
            _TYPES.get(mount["type"], _unknown)(service, path, mount)
            continue
        for leaf in below(mount, path):
            service.sheet.unsupported(
                leaf, "the path in the container is not absolute", "begin it with /"
            )


def _unknown(service: Service, path: Path, mount: Mapping[str, Any]) -> None:
    for leaf in below(mount, path):
        service.sheet.unsupported(leaf, f"podman has no mounts of type {mount['type']}")


def _volume(service: Service, path: Path, mount: Mapping[str, Any]) -> None:
    options = mount.get("volume") or {}
    if options.get("labels"):
        labels = (*path, "volume", "labels")
        service.sheet.unsupported(labels, "a mount cannot label its volume", "label the volume")
    if not mount.get("source") and service.scope.strategies.get(service.name) == "blue-green":
        _forgotten(service, path, mount)
        return
    source = mount.get("source") or _anonymous(service, mount["target"])
    entry = service.scope.project.volumes.get(source) or {}
    external, scope = bool(entry.get("external")), service.scope
    name = str(entry.get("name", source)) if external else scope.volume_unit(source)
    words = _volume_words(mount)
    if options.get("subpath"):
        extra = {"subpath": options["subpath"]}
        key = _mount(service, path, "volume", HostPath(name), mount["target"], words, extra)
    else:
        key = _short(service, path, "volume", HostPath(name), mount["target"], words)
    _covered(service, path, mount, key)


def _volume_words(mount: Mapping[str, Any]) -> list[str]:
    words = ["ro"] if mount.get("read_only") else []
    return [*words, "nocopy"] if (mount.get("volume") or {}).get("nocopy") else words


def _forgotten(service: Service, path: Path, mount: Mapping[str, Any]) -> None:
    """A volume of podman's own naming, one for each copy: it goes with its container."""
    fields = ["type=volume", _csv(f"target={mount['target']}")]
    for item in _volume_words(mount):
        if item == "nocopy":
            service.sheet.unsupported((*path, "volume", item), NO_COPY)
        else:
            fields.append(_MOUNT_WORDS[item])
    service.sheet.option(path, "--mount", ",".join(fields))
    del service.sheet.entries[-1]
    _covered(service, path, mount, "--mount")


def _anonymous(service: Service, target: str) -> str:
    """The key of the named volume that stands for an anonymous one; each copy has its own."""
    slug = _slug(target)
    mounts = service.compose.get("volumes") or []
    others = [mount["target"] for mount in mounts if mount["type"] == "volume"]
    if target != f"/{slug.replace('-', '/')}" and any(
        other != target and _slug(other) == slug for other in others
    ):
        slug += f"-{bytes_digest(target.encode())[7:13]}"
    key = f"{service.name}-anonymous-{slug}"
    copies = replicas(service.scope, service.name)
    for own in (key, *(f"{key}.{index}" for index in range(2, copies + 1))):
        name = f"{service.scope.instance}_{own}"
        lines = {"Volume": [["VolumeName", name]]}
        service.found.volumes[own] = {"name": name, "external": False, "unit": lines}
    if copies > 1:
        service.found.own.setdefault(service.name, []).append(key)
    return key


def _slug(target: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "-", target).strip("-") or "root"


def image_volumes(service: Service) -> None:
    """Volumes that the image declares and the compose file does not mention: kept, too."""
    for target in undeclared(service.scope, service.name):
        name = service.scope.volume_unit(_anonymous(service, target))
        _short(service, ("image",), "volume", HostPath(name), target, [])


def _bind(service: Service, path: Path, mount: Mapping[str, Any]) -> None:
    scope, source, options = service.scope, mount["source"], mount.get("bind") or {}
    create = "bind" not in mount or bool(options.get("create_host_path"))
    words = _bind_words(service, path, options)
    inside = None if scope.exporting else scope.relative(source)
    fact = scope.files.get(source) if inside is not None else None
    if fact is not None and not is_placeholder(fact):
        digest = service.found.companion(fact, service.sheet.where(service.sheet.path + path))
        place = scope.file_path(digest)
        words = ["ro", *(item for item in words if item not in ("z", "Z")), "z"]
    elif inside is not None:
        if fact is None and not create:
            hint = "make it, or leave `create_host_path: false` out"
            service.sheet.refuse((*path, "source"), f"{inside} is not in the project", hint)
        place = scope.data_folder(inside)
        words = ["ro", *words] if mount.get("read_only") else words
        words = words if {"z", "Z"} & set(words) else [*words, "z"]
        _make(service, place)
    else:
        # Docker takes .. out of a path, too; systemd takes none that has it.
        place = HostPath(normpath(source) if ".." in source.split("/") else source)
        words = ["ro", *words] if mount.get("read_only") else words
        if create:
            _make(service, place)
        else:
            service.found.paths.append(source)
    key = _short(service, path, "bind", place, mount["target"], words)
    _covered(service, path, mount, key)


def _make(service: Service, place: HostPath) -> None:
    line = f"/bin/sh -c {word(MAKE_FOLDER)} sh {place.within('{}')}"
    service.sheet.raw("Service", "ExecStartPre", line)


def _bind_words(service: Service, path: Path, options: Mapping[str, Any]) -> list[str]:
    words = [options["propagation"]] if options.get("propagation") else []
    words += [options["selinux"]] if options.get("selinux") else []
    recursive = options.get("recursive", "enabled")
    if recursive == "disabled":
        words.append("bind")
    elif recursive != "enabled":
        at = (*path, "bind", "recursive")
        service.sheet.unsupported(at, f"podman cannot mount {recursive} folders below")
    return words


def _tmpfs(service: Service, path: Path, mount: Mapping[str, Any]) -> None:
    options = mount.get("tmpfs") or {}
    extra = {}
    if options.get("size"):
        extra["tmpfs-size"] = str(options["size"])
    if options.get("mode"):
        extra["tmpfs-mode"] = f"{int(options['mode']):o}"
    words = ["ro"] if mount.get("read_only") else []
    key = _mount(service, path, "tmpfs", None, mount["target"], words, extra)
    _covered(service, path, mount, key)


def _image(service: Service, path: Path, mount: Mapping[str, Any]) -> None:
    if service.scope.exporting:
        options = mount.get("image") or {}
        inside = str(options.get("subpath") or "")
        extra = {"subpath": f"/{inside.lstrip('/')}"} if inside else {}
        name = parse(mount["source"]).tagged
        key = _mount(service, path, "image", HostPath(name), mount["target"], [], extra)
        _covered(service, path, mount, key)
        return
    hint = "copy what you need into the service's own image"
    service.sheet.unsupported((*path, "source"), "an image as a volume is not pinned", hint)
    for leaf in below(mount, path):
        service.sheet.also(leaf, "unsupported", "", "an image as a volume is not pinned")


_TYPES = {"volume": _volume, "bind": _bind, "tmpfs": _tmpfs, "image": _image}


def _short(
    service: Service, path: Path, kind: str, source: HostPath, target: str, words: list[str]
) -> str:
    """``Volume=source:target:options`` where every part is plain, else ``Mount=``."""
    if not (_SHORT.fullmatch(source.path) and _SHORT.fullmatch(target)):
        return _mount(service, path, kind, source, target, words, {})
    line = ":".join([source.bare, target, ",".join(words)]).rstrip(":")
    service.sheet.raw("Container", "Volume", line)
    return "Volume"


def _mount(
    service: Service,
    path: Path,
    kind: str,
    source: HostPath | None,
    target: str,
    words: list[str],
    extra: Mapping[str, str],
) -> str:
    """``Mount=type=…``: fields as in CSV, the whole in quotes."""
    if "nocopy" in words:
        words = [word for word in words if word != "nocopy"]
        service.sheet.unsupported((*path, "volume", "nocopy"), NO_COPY)
    fields = [_csv(f"target={target}")]
    fields += [_MOUNT_WORDS.get(item, item) for item in words]
    fields += [_csv(f"{name}={value}") for name, value in extra.items()]
    rest = ",".join(fields)
    if "\r" in rest or (source is not None and "\r" in source.path):
        # Go's encoding/csv, which podman reads it with, changes them.
        service.sheet.refuse(path, "the path holds a carriage return")
    # Quadlet would write an odd source unquoted into RequiresMountsFor=.
    odd = kind == "bind" and source is not None and not _SHORT.fullmatch(source.path)
    start = "--mount=" if odd else ""
    try:
        if source is None:
            line = word(f"type={kind},{rest}")
        else:
            quoted = replace(source, path=source.path.replace('"', '""'))
            line = quoted.within(f'{start}type={kind},"source={{}}",{rest}')
    except InexpressibleError as problem:
        service.sheet.refuse(path, f"the path {problem}")
    service.sheet.raw("Container", "PodmanArgs" if odd else "Mount", line)
    return "--mount" if odd else "Mount"


_MOUNT_WORDS = {
    "ro": "ro=true",
    "z": "relabel=shared",
    "Z": "relabel=private",
    "bind": "bind-nonrecursive=true",
    **{
        mode: f"bind-propagation={mode}"
        for mode in ("rshared", "shared", "rslave", "slave", "rprivate", "private")
    },
}


def _csv(field: str) -> str:
    if any(char in field for char in ',"\n'):
        return '"' + field.replace('"', '""') + '"'
    return field


def _covered(service: Service, path: Path, mount: Mapping[str, Any], key: str) -> None:
    known = set()
    for entry in reversed(service.sheet.entries):  # what was said of this mount was said last
        if entry.path[: len(service.sheet.path + path)] != service.sheet.path + path:
            break
        known.add(entry.path)
    for leaf in below(mount, path):
        if service.sheet.path + leaf in known:
            continue
        if leaf[-1] == "consistency":
            service.sheet.default(leaf, NO_EFFECT)
        elif leaf[-1] == "create_host_path":
            service.sheet.also(leaf, "unit", "ExecStartPre")
        else:
            class_ = PODMAN_ARGS if key.startswith("--") else NATIVE
            service.sheet.also(leaf, class_, key)


def mount_file(service: Service, path: Path, place: HostPath, target: str) -> str:
    """Mount one file read-only; returns the key that says so."""
    return _short(service, path, "bind", place, target, ["ro"])


def configs(service: Service, at: str, value: Any) -> None:
    """The row ``configs``: companion files, their text from a file, the value or a variable."""
    for index, use in enumerate(value):
        path = (at, index)
        fact = _config(service, path, use["source"])
        digest = service.found.companion(fact, service.sheet.where(service.sheet.path + path))
        place = service.scope.file_path(digest)
        if use.get("mode") or _owner(use) != ("0", "0"):
            place = _owned(service, path, place, use)
        target = use.get("target") or f"/{use['source']}"
        _short(service, path, "bind", place, target, ["ro", "z"])
        _covered(service, path, use, "Volume")


def _owner(use: Mapping[str, Any]) -> tuple[str, str]:
    return str(use.get("uid") or "0"), str(use.get("gid") or "0")


def _owned(service: Service, path: Path, file: HostPath, use: Mapping[str, Any]) -> HostPath:
    """A copy with the mode and the owner of one use, made anew at each start, gone at the end.

    Owners are the container's: for a rootless user those of its own user namespace.
    """
    sheet, (user, group) = service.sheet, _owner(use)
    for name, number in (("uid", user), ("gid", group)):
        if not number.isdigit():
            sheet.refuse((*path, name), f"{number!r} is not a number", "give the numeric id")
    mode = str(use.get("mode") or "0444")
    if not (mode.isdigit() and int(mode, 8) <= 0o7777):
        sheet.refuse((*path, "mode"), f"{mode!r} is no file mode", "as in 0440")
    copy = HostPath(f"{use['source']}-{path[1]}", OWN_FOLDER)
    line = ["Service", "RuntimeDirectory", OWN_FOLDER.partition("/")[2]]
    if line[1:] not in sheet.lines.get("Service", []):
        sheet.raw(*line)
    command = f"/usr/bin/install -m {mode}"
    if (user, group) != ("0", "0"):  # root of the container is the user that podman runs as
        command = f"/bin/sh -c {word(AS_OWNER)} sh install -m {mode} -o {user} -g {group}"
    sheet.raw("Service", "ExecStartPre", f"{command} {file.within('{}')} {copy.within('{}')}")
    return copy


def _config(service: Service, path: Path, name: str) -> FileFact:
    config, sheet = service.scope.project.configs[name], service.sheet
    content = config_text(config, service.scope.variables)
    if content is not None:
        return FileFact(bytes_digest(content), 0o444, len(content))
    if config.get("environment"):
        variable = config["environment"]
        sheet.refuse(path, f"config {name} takes variable {variable}, which is not set")
    if not config.get("file"):
        sheet.refuse(path, f"config {name} is external, and podman keeps no configs")
    fact = service.scope.files.get(config["file"])
    if not isinstance(fact, FileFact):
        sheet.refuse(path, f"the file of config {name} does not exist")
    return fact


def volumes_from(service: Service, at: str, value: Any) -> None:
    """The row ``volumes_from``: the other's container by name, which is why it has one copy."""
    words = []
    for text in value:
        kind, _, rest = text.partition(":")
        if kind == "container":
            words.append(rest)
        else:
            words.append(service.scope.container(kind) + (f":{rest}" if rest else ""))
    service.sheet.option((at,), "--volumes-from", *words)
