"""tidegate.yaml: read, checked by hand-written tables, every value with its file and line.

No pydantic here: importing it and building one model costs more than 200 ms, a fifth of what
a whole no-op deployment may take (docs/adr/0001).
"""

from tidegate.config.load import find_compose_files, load_config, read_config

__all__ = ["find_compose_files", "load_config", "read_config"]
