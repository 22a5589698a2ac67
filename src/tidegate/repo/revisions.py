"""What a person may write for a range of commits, and what it means.

``A..B`` compares two commits, ``A...B`` the second with where it left the first, ``A`` is
``A..HEAD``; nothing at all is the newest commit against its first parent.
Source: gitrevisions(7).
"""

from __future__ import annotations

from tidegate.errors import InputError
from tidegate.shapes import Row

ID_LENGTHS = (40, 64)  # of SHA-1 and SHA-256, in hexadecimal digits
_ANCESTOR = r"(.+?)(?:\^1?|~\d*)+"


class Written(Row):
    """A range as written; ``base`` "" is no base, ``fork`` asks for where the two parted."""

    base: str
    head: str
    fork: bool = False


class Range(Row):
    """A range as found: full ids, and ``base`` "" where everything counts, with the reason.

    ``prefix`` is the working directory below the top of the repository, "" or ending in "/".
    """

    base: str
    head: str
    prefix: str = ""
    reason: str = ""


def written(text: str) -> Written:
    """Read what a person typed; "" is ``HEAD^1..HEAD``."""
    if not text:
        return Written("HEAD^1", "HEAD")
    dots = "..." if "..." in text else ".."
    base, found, head = text.partition(dots)
    if found and not base and not head:
        raise _bad(text)
    for side in (base, head):
        if side.startswith("-") or ".." in side or any(c.isspace() or c == ":" for c in side):
            raise _bad(text)
    base = "" if _is_nameless(base) else base or "HEAD"
    return Written(base, head or "HEAD", dots == "..." and bool(base))


def is_full_id(revision: str) -> bool:
    """Whether it is a whole object id, and not a name or the beginning of an id."""
    return len(revision) in ID_LENGTHS and not revision.strip("0123456789abcdef")


def _is_nameless(base: str) -> bool:
    """Whether it is what GitHub and GitLab send where there is no base: zeros."""
    return len(base) in ID_LENGTHS and not base.strip("0")


def descendant(revision: str) -> str:
    """The revision that ``revision`` is an ancestor of (``HEAD`` for ``HEAD~2``), or ""."""
    import re  # 7 ms, for what git does not find

    found = re.fullmatch(_ANCESTOR, revision)
    return found[1] if found else ""


def _bad(text: str) -> InputError:
    return InputError(
        f"{text!r} is no range of commits", code="range", hint="write BASE..HEAD, as main..HEAD"
    )
