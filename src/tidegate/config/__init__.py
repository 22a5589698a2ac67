"""tidegate.yaml: read, checked by hand-written tables, every value with its file and line.

No pydantic here: importing it and building one model costs more than 200 ms, a fifth of what
a whole no-op deployment may take (docs/adr/0001).
"""

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
