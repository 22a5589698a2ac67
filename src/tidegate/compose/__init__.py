"""Compose files → project, exactly as docker compose 2.40.3 `config` sees them.

The core is pure: text in, project out; files come through a :class:`Reader`.
"""

from __future__ import annotations

from tidegate.compose.files import Reader, Source
from tidegate.compose.load import load
from tidegate.compose.project import Project, as_json

__all__ = ["Project", "Reader", "Source", "as_json", "load"]
