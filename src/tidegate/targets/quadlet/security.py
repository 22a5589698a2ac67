"""``security_opt``, devices and GPUs.

Sources: podman-run(1) 5.4 --security-opt and --device; https://docs.docker.com/reference/
compose-file/services/#security_opt; CDI names: https://github.com/cncf-tags/container-device-interface.
"""

from __future__ import annotations

from typing import Any

from tidegate.targets.quadlet.rows import Service, below
from tidegate.targets.quadlet.sheet import NATIVE, PODMAN_ARGS, UNSUPPORTED, Path

LABELS = {
    "type": "SecurityLabelType",
    "level": "SecurityLabelLevel",
    "filetype": "SecurityLabelFileType",
}
# What a CDI device of NVIDIA's brings with it, whatever is asked for by name.
GPU_CAPABILITIES = frozenset(
    ("gpu", "compute", "utility", "video", "graphics", "display", "compat32", "ngx")
)
TRUE = frozenset({"", "true", "1"})


def security_opt(service: Service, at: str, value: Any) -> None:
    """The row ``security_opt``: one entry for the whole list, with every key it took."""
    used: list[str] = []
    before = list(service.sheet.entries)
    for text in value:
        name, _, rest = _cut(text)
        used += _one(service, (at,), text, name, rest)
    refused = [e for e in service.sheet.entries[len(before) :] if e.class_ == UNSUPPORTED]
    service.sheet.entries[:] = before + refused[:1]
    if not refused and used:
        class_ = PODMAN_ARGS if all(key.startswith("--") for key in used) else NATIVE
        service.sheet.also((at,), class_, ",".join(dict.fromkeys(used)))
    elif not refused:
        service.sheet.default((at,))


def _cut(text: str) -> tuple[str, str, str]:
    """At the first ``=``, or the older ``:``."""
    places = [place for place in (text.find("="), text.find(":")) if place >= 0]
    end = min(places, default=len(text))
    return text[:end], text[end : end + 1], text[end + 1 :]


def _one(service: Service, at: Path, text: str, name: str, rest: str) -> list[str]:
    sheet = service.sheet
    if name == "no-new-privileges":
        if rest.lower() in TRUE:
            sheet.key(at, "NoNewPrivileges", "true")
            return ["NoNewPrivileges"]
        return []
    if name == "seccomp":
        _seccomp(service, at, rest)
        return ["SeccompProfile"]
    if name == "systempaths" and rest == "unconfined":
        sheet.key(at, "Unmask", "ALL")
        return ["Unmask"]
    if name in ("mask", "unmask"):
        sheet.key(at, name.capitalize(), rest)
        return [name.capitalize()]
    if name == "label":
        return [_label(service, at, rest)]
    if name in ("apparmor", "proc-opts"):
        sheet.option(at, "--security-opt", f"{name}={rest}")
        return ["--security-opt"]
    sheet.unsupported(at, f"podman knows no security option {text!r}")
    return []


def _label(service: Service, at: Path, text: str) -> str:
    kind, _, value = text.partition(":")
    if kind == "disable":
        service.sheet.key(at, "SecurityLabelDisable", "true")
        return "SecurityLabelDisable"
    if kind == "nested":
        service.sheet.key(at, "SecurityLabelNested", "true")
        return "SecurityLabelNested"
    if kind in LABELS:
        service.sheet.key(at, LABELS[kind], value)
        return LABELS[kind]
    service.sheet.option(at, "--security-opt", f"label={text}")
    return "--security-opt"


def _seccomp(service: Service, at: Path, text: str) -> None:
    """unconfined, a file of the host, or a file of the project."""
    if text in ("unconfined", "builtin") or text.startswith("/"):
        service.sheet.key(at, "SeccompProfile", text)
        return
    path = f"{service.scope.project.working_dir.rstrip('/')}/{text.removeprefix('./')}"
    if service.scope.exporting:
        service.sheet.key(at, "SeccompProfile", path)
        return
    fact = service.scope.files.get(path)
    if fact is None:
        service.sheet.refuse(at, f"the seccomp profile {text!r} is not in the project")
    digest = service.found.companion(fact, service.sheet.where(service.sheet.path + at))
    service.sheet.raw("Container", "SeccompProfile", service.scope.file_path(digest).bare)


def devices(service: Service, at: str, value: Any) -> None:
    """The row ``devices``."""
    for index, device in enumerate(value):
        source, path = device.get("source") or "", (at, index)
        target = device.get("target") or source
        if not source:
            service.sheet.refuse(path, "a device needs a source")
        if not source.startswith("/") and "=" in source:
            words = source
        else:
            words = ":".join([source, target, device.get("permissions") or "rwm"])
            if ":" in source + target:
                service.sheet.refuse(path, "a device with ':' in its name cannot be written")
        service.sheet.key((*path, "source"), "AddDevice", words)
        for name in device:
            if name != "source":
                service.sheet.also((*path, name), "native", "AddDevice")


def gpus(service: Service, at: str, value: Any) -> None:
    """The row ``gpus``."""
    reserve(service, (at,), value)


def reserve(service: Service, at: Path, wanted: Any) -> None:
    """GPUs as CDI devices: all of them, the first ``count``, or those named."""
    for index, device in enumerate(wanted):
        path = (*at, index)
        if device.get("driver", "nvidia") not in ("nvidia", ""):
            for leaf in [(*path, "driver"), *below({**device, "driver": ""}, path)]:
                service.sheet.unsupported(leaf, f"no CDI devices of {device['driver']}")
            continue
        names = device.get("device_ids") or _numbers(device.get("count", -1))
        service.sheet.key((*path, "count"), "AddDevice", *(f"nvidia.com/gpu={n}" for n in names))
        for name in device:
            _detail(service, (*path, name), name, device[name])


def _detail(service: Service, path: Path, name: str, value: Any) -> None:
    if name in ("driver", "device_ids"):
        service.sheet.also(path, "native", "AddDevice")
    elif name == "capabilities":
        extra = set(value) - GPU_CAPABILITIES
        if extra:
            service.sheet.unsupported(path, f"no device offers {', '.join(sorted(extra))}")
        else:
            service.sheet.also(path, "native", "AddDevice", "a CDI device brings them all")
    elif name == "options" and value:
        service.sheet.unsupported(path, "CDI devices take no options")


def _numbers(count: Any) -> list[str]:
    number = -1 if count == "all" else int(count)
    return ["all"] if number < 0 else [str(index) for index in range(number)]
