"""Compose files → project, exactly as docker compose 2.40.3 `config` sees them.

The core is pure: text in, project out; files come through a :class:`Reader`. What is imported
from here is loaded when it is asked for: reading one document must not cost the whole loader.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tidegate.compose.files import Reader, Source
    from tidegate.compose.loading import load
    from tidegate.compose.project import Project, as_json

__all__ = ["Project", "Reader", "Source", "as_json", "load"]
_PLACES = {"Project": "project", "as_json": "project", "load": "loading"}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module  # who only imports modules from here needs it not

    found = getattr(import_module(f"{__name__}.{_PLACES.get(name, 'files')}"), name)
    globals()[name] = found
    return found
