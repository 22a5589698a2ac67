"""Paths as Go cleans them (https://pkg.go.dev/path#Clean)."""

from __future__ import annotations


def clean_path(path: str) -> str:
    """A path without `.`, `..` and repeated slashes, as Go's path.Clean."""
    rooted = path.startswith("/")
    parts: list[str] = []
    for part in path.split("/"):
        if part in ("", "."):
            continue
        if part != "..":
            parts.append(part)
        elif parts and parts[-1] != "..":
            parts.pop()
        elif not rooted:
            parts.append(part)
    text = "/".join(parts)
    return f"/{text}" if rooted else text or "."
