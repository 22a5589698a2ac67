"""Which images a Dockerfile is built from: its FROM and COPY --from, with ARG filled in.

Only arguments before the first FROM count there, overridden by build arguments; earlier
stages, named build contexts and ``scratch`` are no images.
Source: https://docs.docker.com/reference/dockerfile/#from (Dockerfile syntax 1.14).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tidegate.images.instructions import instructions

_VARIABLE = r"\$\{(\w+)(?::([-+])([^}]*))?\}|\$(\w+)"


def bases(text: str, arguments: Mapping[str, str], contexts: Iterable[str] = ()) -> tuple[str, ...]:
    """The images, as written, each once, in order; ``contexts`` are names of build contexts."""
    known: dict[str, str] = {}
    stages = {"scratch", *(name.lower() for name in contexts)}
    count = 0
    found: dict[str, None] = {}
    for instruction in instructions(text):
        rest = instruction.rest
        match instruction.word:
            case "ARG" if not count:
                name, _, default = rest.strip().partition("=")
                known[name] = arguments.get(name, _fill(default.strip("\"'"), known))
            case "FROM":
                words = [w for w in rest.split() if not w.startswith("--")]
                image = _fill(words[0], known).strip("\"'") if words else ""
                if image and image.lower() not in stages:
                    found[image] = None
                stages.add(str(count))
                if len(words) == 3 and words[1].upper() == "AS":
                    stages.add(words[2].lower())
                count += 1
            case "COPY" | "RUN" | "ADD":
                for image in _sources(instruction.word, rest):
                    if image.lower() not in stages:
                        found[image] = None
    return tuple(found)


def has_stage(text: str) -> bool:
    """Whether it builds anything: there is a FROM, and an image behind it."""
    return any(one.word == "FROM" and one.rest.strip() for one in instructions(text))


def _sources(word: str, rest: str) -> list[str]:
    if word == "COPY":
        return re.findall(r"\s--from=(\S+)", f" {rest}") if "--from=" in rest else []
    mounts = re.findall(r"--mount=(\S+)", rest) if "--mount=" in rest else []
    return [part[5:] for m in mounts for part in m.split(",") if part.startswith("from=")]


def _fill(text: str, known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        current = known.get(found[1] or found[4], "")
        if found[2] == "-":
            return current or found[3]
        if found[2] == "+":
            return found[3] if current else ""
        return current

    return re.sub(_VARIABLE, value, text) if "$" in text else text
