"""Two versions of a unit, key by key, in words: ``Environment FOO: a → b``.

Values lose Quadlet's quoting for people. What looks like a credential is masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

Sections = Mapping[str, Sequence[Sequence[str]]]

NAMED = frozenset({"Environment", "Label", "Annotation", "Options", "Sysctl", "LogOpt", "Ulimit"})
HIDDEN = "(hidden)"
_SENSITIVE = re.compile(
    r"pass|secret|token|credential|private|api_?key|access_?key|auth", re.IGNORECASE
)
_USERINFO = re.compile(r"(\w+://[^\s:/@]*):[^\s@/]+@")
_COMPANION = re.compile(r"%h/\S*?/tidegate/[^/]+/files/([0-9a-f]{12})[0-9a-f]{52}")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


def differences(old: Sections, new: Sections) -> Iterator[tuple[str, str, str]]:
    """(key, old, new) for every key of the two that differs; '' where it is missing."""
    if old == new:
        return
    before, after = _table(old), _table(new)
    for key in sorted(set(before) | set(after)):
        one, two = before.get(key, ""), after.get(key, "")
        if one != two:
            shown_old, shown_new = masked(key, one), masked(key, two)
            yield key, shown_old, shown_new


def _table(sections: Sections) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for lines in sections.values():
        for key, value in lines:
            name, text = _split(key, value)
            found.setdefault(name, []).append(text)
    return {name: ", ".join(texts) for name, texts in found.items()}


def _split(key: str, value: str) -> tuple[str, str]:
    """A line as (what it is about, its value)."""
    text = plain(value)
    if key in NAMED:
        name, _, rest = text.partition("=")
        return f"{key} {name}", rest
    if key == "PodmanArgs":
        name, _, rest = text.partition("=")
        return name, rest or "yes"
    if key == "Volume":
        source, _, rest = value.partition(":")
        target, _, options = rest.partition(":")
        return f"{key} {plain(target)}", ":".join(filter(None, (plain(source), options)))
    if key == "Mount":
        found = re.search(r"target=([^,]*)", text)
        return f"{key} {found.group(1) if found else ''}".strip(), text
    return key, text


def plain(value: str) -> str:
    """The value without Quadlet's quotes and escapes; companion files by short digest."""
    text = _COMPANION.sub(r"file sha256:\1", value)
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        text = re.sub(r"\\(x[0-9a-f]{2}|.)", _unescape, " ".join(text[1:-1].split('" "')))
    return text.replace("%%", "%").replace("$$", "$")


def _unescape(found: re.Match[str]) -> str:
    word = found.group(1)
    if len(word) == 3:
        return chr(int(word[1:], 16))
    return _ESCAPES.get(word, word)


def masked(key: str, value: str) -> str:
    """``value``, unless its key or its form says that it is a credential."""
    if value and key.startswith("Environment ") and _SENSITIVE.search(key):
        return HIDDEN
    return _USERINFO.sub(rf"\1:{HIDDEN}@", value)
