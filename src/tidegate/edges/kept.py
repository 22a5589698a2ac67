"""What was worked out before, kept in Python's own form (marshal) below ~/.cache/tidegate.

Each kind has a folder for each version of Python and Tidegate. What is lost here is made again.
"""

from __future__ import annotations

import marshal
import os
import sys
from collections.abc import Mapping

from tidegate import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def folder(kind: str, form: int) -> str:
    """The folder of a kind; ``form`` is another one whenever its values mean something else."""
    home = os.environ.get("XDG_CACHE_HOME") or f"{os.environ.get('HOME', '')}/.cache"
    python = f"{sys.implementation.cache_tag}-{marshal.version}"
    return f"{home}/tidegate/{kind}/{__version__}-{form}-{python}"  # text: pathlib costs 5 ms


def read(path: str) -> Any:
    """What is kept there; None where there is nothing that can be read."""
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return marshal.loads(file.read())  # noqa: S302 - our own, in our own cache
    except (OSError, ValueError, EOFError, TypeError):
        return None


def write(place: str, values: Mapping[str, Any], most: int) -> None:
    """Keep values by their names; with more than ``most`` the earlier ones are dropped.

    A cache that cannot be written is none.
    """
    try:
        os.makedirs(place, mode=0o700, exist_ok=True)  # noqa: PTH103
        names = os.listdir(place)  # noqa: PTH208
        for name in names if len(names) + len(values) > most else ():
            os.unlink(f"{place}/{name}")  # noqa: PTH108
        for name, value in values.items():
            _write(f"{place}/{name}", marshal.dumps(value))
    except OSError:
        return


def _write(path: str, content: bytes) -> None:
    """Whole or not at all."""
    fresh = f"{path}.{os.getpid()}"
    with open(fresh, "wb") as file:  # noqa: PTH123
        file.write(content)
    os.replace(fresh, path)  # noqa: PTH105
