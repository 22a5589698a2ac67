"""The rung on which the report is compared with what ``compose config`` prints, leaf by leaf."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

CLASSES = ("native", "podman-args", "unit", "deployer", "unsupported")
SECTIONS = ("services", "networks", "volumes", "secrets", "configs", "models")
# Maps whose keys the user chose (CONFIG.md): one entry for all of the map.
MAPS = {
    *("environment", "labels", "annotations", "sysctls", "ulimits", "extra_hosts", "driver_opts"),
    *("options", "args", "storage_opt", "aux_addresses", "additional_contexts"),
}
UNIT_SECTIONS = ("Unit", "Service", "Install")


def leaves(value: Any, path: str, key: str) -> Iterator[str]:
    """The leaves as CONFIG.md describes them, written without a look at the renderer."""
    if isinstance(value, dict) and value and key not in MAPS:
        for name, inner in value.items():
            simple = all(c.isascii() and (c.isalnum() or c in "_-") for c in name)
            yield from leaves(inner, f"{path}.{name}" if simple else f'{path}["{name}"]', name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]", "")
    else:
        yield path


def all_leaves(project: Mapping[str, Any]) -> list[str]:
    """Every leaf of which the report must say something."""
    found: list[str] = []
    for section in SECTIONS:
        for name, body in (project.get(section) or {}).items():
            found += leaves({name: body}, section, "")
    return found


def check(
    project: Mapping[str, Any], report: Mapping[str, Any], files: Mapping[str, str]
) -> Iterator[str]:
    """Every fault of the report, one line each."""
    entries = report["entries"]
    count = Counter(entry["path"] for entry in entries)
    wanted = set(all_leaves(project))
    yield from (f"{path}: not in the report" for path in sorted(wanted - set(count)))
    yield from (f"{path}: {n} entries" for path, n in count.items() if n > 1)
    for path in sorted(set(count) - wanted):
        if not _is_whole(path, project):
            yield f"{path}: in the report, but not in the file"
    for entry in entries:
        fault = _fault(entry, files)
        if fault:
            yield f"{entry['path']}: {fault}"


def _is_whole(path: str, project: Mapping[str, Any]) -> bool:
    """``services.web`` names its files, ``services.web.build`` says who builds.

    docker compose prints no models, but they are keys of the file.
    """
    names = [f"services.{name}" for name in project["services"]]
    return path.startswith("models.") or path.removesuffix(".build") in names


def _fault(entry: Mapping[str, Any], files: Mapping[str, str]) -> str:
    class_, to, reason = entry["class"], entry["to"], entry["reason"]
    if class_ not in CLASSES:
        return f"no class is called {class_}"
    if not reason and (to is None or class_ in ("deployer", "unsupported")):
        return "no reason"
    words = [] if to is None else to.split(",")
    if class_ == "podman-args" and not any(word.startswith("--") for word in words):
        return f"{to} is no option of podman"
    for word in words:
        if not _stands(word, class_, files):
            return f"{class_} {word!r} stands in no unit"
    return ""


def _stands(word: str, class_: str, files: Mapping[str, str]) -> bool:
    """Whether a key or an option, or a file, is really there."""
    if word in files:
        return True
    if word.startswith("--"):
        start = rf'^PodmanArgs=.*"?{re.escape(word)}(=|"|$)'
        return any(re.search(start, text, re.MULTILINE) for text in files.values())
    ours = UNIT_SECTIONS if class_ == "unit" else ("Container", "Network", "Volume", "Build")
    return any(
        section in ours and f"\n{word}=" in f"\n{body}"
        for text in files.values()
        for section, body in _sections(text)
    )


def _sections(text: str) -> Iterator[tuple[str, str]]:
    parts = re.split(r"^\[(\w+)\]\n", text, flags=re.MULTILINE)
    yield from zip(parts[1::2], parts[2::2], strict=True)


def unsupported(report: Mapping[str, Any]) -> set[str]:
    """The keys that are not carried out, without the names that users chose."""
    paths = [entry["path"] for entry in report["entries"] if entry["class"] == "unsupported"]
    return {_key(path) for path in paths}


def _key(path: str) -> str:
    section, *rest = re.findall(r'\w[\w-]*|\["[^]]*"\]|\[\d+\]', path)
    words = [word for word in rest[1:] if not re.fullmatch(r"\[\d+\]", word)]
    if words[:1] in (["networks"], ["depends_on"]):
        words[1:2] = ["*"]
    return ".".join([section, "*", *words])
