"""Any text becomes the Quadlet text that podman receives byte for byte, or is refused by name.

Three readers come one after the other: Quadlet splits a value in one of five ways (``KINDS``),
writes the words into ``ExecStart=``, and systemd splits that line again, expanding ``%`` and
``$``. So ``%`` and ``$`` are always doubled, and a value that Quadlet would trim, split or cut
short is never written where it would be.
Sources: podman v5.4.2 pkg/systemd/parser/{split,unitfile}.go and pkg/systemd/quadlet/quadlet.go;
systemd.service(5) "Command lines" and systemd.unit(5) "Specifiers", systemd 257.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# How Quadlet 5.4 reads a value: one text trimmed of blanks and of `"` at both ends; one text as
# it is; words with quotes but no escapes; words with quotes and C escapes; `K=V` of such words.
SCALAR, RAW, STRV, WORDS, KEYVAL = "scalar", "raw", "strv", "words", "keyval"

# Quadlet drops an empty value, and stops at an empty word; systemd ends a command at a lone `;`,
# which Quadlet writes without quotes.
FRAGILE = frozenset({"", ";"})
_C_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SPECIAL = re.compile(r'[\x00-\x1f\x7f\\"]')
_BLANK = re.compile(r"\s")


class InexpressibleError(ValueError):
    """The text cannot be written for Quadlet; the message says why."""


def checked(text: str) -> str:
    """``text``, unless it holds what no unit file can carry.

    U+0080 is refused because Quadlet 5.4 writes it as the byte 0x80, which is not UTF-8;
    noncharacters because systemd 257 drops a line with one (src/basic/utf8.c, unichar_is_valid).
    """
    if "\0" in text:
        raise InexpressibleError("holds a NUL character")
    for code in () if text.isascii() else map(ord, text):
        if code == 0x80:
            raise InexpressibleError("holds the control character U+0080")
        if 0xD800 <= code <= 0xDFFF:
            raise InexpressibleError("is not valid Unicode")
        if 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE:
            raise InexpressibleError(f"holds U+{code:04X}, which systemd takes for no character")
    return text


def specifiers(text: str) -> str:
    """``%`` and ``$`` doubled: systemd's specifiers and variables."""
    return text.replace("%", "%%").replace("$", "$$")


def word(text: str) -> str:
    """One word in double quotes with C escapes: for ``WORDS``, ``KEYVAL`` and systemd itself."""
    return f'"{specifiers(_SPECIAL.sub(_escape, checked(text)))}"'


def _escape(found: re.Match[str]) -> str:
    return _C_ESCAPES.get(found[0]) or f"\\x{ord(found[0]):02x}"


@dataclass(frozen=True, slots=True)
class HostPath:
    """A path on the host, below ``under``: nothing, or a folder by systemd's specifiers, ``%h``."""

    path: str
    under: str = ""

    @property
    def bare(self) -> str:
        """For the short form of ``Volume=``, where nothing can be quoted."""
        return self._start + specifiers(self.path)

    def within(self, text: str) -> str:
        """``text`` as one quoted word, with this path in place of its ``{}``."""
        before, _, after = text.partition("{}")
        path = word(self.path)[1:-1]
        return f"{word(before)[:-1]}{self._start}{path}{word(after)[1:]}"

    @property
    def _start(self) -> str:
        return f"{self.under}/" if self.under else ""


def words(texts: list[str]) -> str:
    """A command line for ``Exec=``, ``PodmanArgs=`` and ``ExecStartPost=``.

    A word of ``FRAGILE`` would shorten the command: it is written with ``%i``, which is nothing in
    a unit that is no instance, so Quadlet and systemd see more of a word than podman does.
    """
    return " ".join(f'"{text}%i"' if text in FRAGILE else word(text) for text in texts)


def plain(text: str, kind: str) -> str | None:
    """``text`` as the value of a key of ``kind``; None when only a quoted word can carry it."""
    checked(text)
    if kind in (WORDS, KEYVAL):
        return word(text)
    if text in FRAGILE or _CONTROL.search(text):
        return None
    if kind == STRV:
        return _strv(text)
    if text != text.strip() or text.endswith("\\"):
        return None
    if kind == SCALAR and (text.startswith('"') or text.endswith('"')):
        return None
    return specifiers(text)


def _strv(text: str) -> str | None:
    if not _BLANK.search(text) and not set(text) & {'"', "'"} and not text.endswith("\\"):
        return specifiers(text)
    for quote in ('"', "'"):
        if quote not in text and not text.endswith("\\"):
            return f"{quote}{specifiers(text)}{quote}"
    return None


def percent(text: str) -> str:
    """For [Unit] and [Service] keys that are no command line: only ``%`` is special there."""
    if _CONTROL.search(checked(text)):
        raise InexpressibleError("holds a control character")
    return text.replace("%", "%%")
