"""A command line as words, split as docker compose splits `command` and `entrypoint`.

No shell is asked: variables and backticks stay as they are, and everything from an unquoted
`;`, `&`, `|`, `<` or `>` on is dropped.
Source: https://github.com/mattn/go-shellwords/blob/v1.0.12/shellwords.go.
"""

from __future__ import annotations

import re

# What has a meaning of its own stands alone; all else comes in pieces.
_PIECES = re.compile(r"[^\\ \t\r\n`()\"';&|<>]+|.", re.DOTALL)


class CommandError(ValueError):
    """Quotes or parentheses that do not close."""


def split(line: str) -> list[str]:
    """The words of a line; :class:`CommandError` where a quote stays open."""
    words, word = list[str](), list[str]()
    begun = escaped = double = single = back = dollar = False
    for character in _PIECES.findall(line):
        if escaped:
            word.append(character)
            escaped, begun = False, True
            continue
        if character == "\\":
            escaped = not single
            word += ["\\"] if single else []
            continue
        if character in " \t\r\n":
            if single or double or back or dollar:
                word.append(character)
            elif begun:
                words.append("".join(word))
                word, begun = [], False
            continue
        if character == "`" and not (single or double or dollar):
            back = not back
        elif character == ")" and not (single or double or back):
            dollar = not dollar
        elif character == "(" and not (single or double or back):
            if dollar or not (word and word[-1].endswith("$")):
                raise CommandError("an unquoted ( must follow a $")
            dollar = True
            word.append("(")
            continue
        elif character == '"' and not (single or dollar):
            begun = begun or double
            double = not double
            continue
        elif character == "'" and not (double or dollar):
            begun = begun or single
            single = not single
            continue
        elif character in ";&|<>" and not (single or double or back or dollar):
            if character == ">" and word and word[0][0] in "0123456789":
                begun = False
            break
        begun = True
        word.append(character)
    if begun:
        words.append("".join(word))
    if escaped or single or double or back or dollar:
        raise CommandError("a quote or a parenthesis is not closed")
    return words
