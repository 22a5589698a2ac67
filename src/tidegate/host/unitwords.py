r"""A command line of a unit as systemd reads it: words, C escapes, specifiers, `$$`. Pure.

Sources: systemd.service(5), "Command lines"; systemd.unit(5), "Specifiers"; systemd 257,
src/basic/extract-word.c and escape.c.
"""

from __future__ import annotations

import re
from typing import List, Mapping

ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " "}
# A run of plain characters, an escape, a quote, a space.
_PIECES = re.compile(r"""[^\\"'\s]+|\\x[0-9a-fA-F]{2}|\\.|["']|\s""", re.DOTALL)
_SPECIFIER = re.compile(r"%(.)|\$\$", re.DOTALL)


def split(line: str) -> List[str]:
    """The words of a line."""
    words: List[str] = []
    word, begun, quote = bytearray(), False, ""
    for piece in _PIECES.findall(line):
        if piece.isspace() and not quote:
            if begun:
                words.append(word.decode("utf-8", "surrogateescape"))
            word, begun = bytearray(), False
            continue
        begun = True
        if piece in ('"', "'") and quote in ("", piece):
            quote = "" if quote else piece
        elif piece.startswith("\\x") and len(piece) == 4:
            word.append(int(piece[2:], 16))
        elif piece.startswith("\\"):
            word += ESCAPES.get(piece[1:], piece[1:]).encode()
        else:
            word += piece.encode("utf-8", "surrogateescape")
    return [*words, word.decode("utf-8", "surrogateescape")] if begun else words


def expanded(word: str, specifiers: Mapping[str, str]) -> str:
    """A word with its specifiers replaced, `%%` and `$$` undone; KeyError for one not known."""

    def replace(found: "re.Match[str]") -> str:
        letter = found.group(1)
        if letter is None:
            return "$"
        return "%" if letter == "%" else specifiers[letter]

    return _SPECIFIER.sub(replace, word)
