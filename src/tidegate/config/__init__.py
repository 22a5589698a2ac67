"""tidegate.yaml: read, checked by hand-written tables, every value with its file and line.

No pydantic here: importing it and building one model costs more than 200 ms, a fifth of what
a whole no-op deployment may take (docs/adr/0001). For the same reason what is imported from here
is loaded when it is asked for.
"""

from __future__ import annotations

from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from tidegate.config.available import require_available
    from tidegate.config.load import find_compose_files, find_layout, load_config, read_config
    from tidegate.config.settings import service_settings
    from tidegate.config.variables import environment_variables

__all__ = [
    "environment_variables",
    "find_compose_files",
    "find_layout",
    "load_config",
    "read_config",
    "require_available",
    "service_settings",
]
_PLACES = {
    "environment_variables": "variables",
    "require_available": "available",
    "service_settings": "settings",
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_PLACES.get(name, 'load')}"), name)
    globals()[name] = found
    return found
