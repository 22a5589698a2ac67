"""The variables of an environment, strongest first: command line, variables, env_file, .env.

The process's own environment does not count: the same commit and configuration give the same
release on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tidegate.compose import dotenv
from tidegate.compose.files import Allowance
from tidegate.compose.folders import VARIABLES
from tidegate.config.unreadable import unreadable
from tidegate.errors import InputError
from tidegate.model.config import Config, Environment


def environment_variables(
    config: Config,
    environment: Environment,
    given: Mapping[str, str],
    read: Callable[[str], str | None] | None = None,
) -> dict[str, str]:
    """Every variable that compose files and routes may use.

    ``read`` gives the text of a file below the configuration's root, or None where there is
    none; it defaults to the file system. A named ``env_file`` must exist.
    """
    read = read or Files(config.root)
    found: dict[str, str] = {}
    for name in (*VARIABLES, environment.env_file):
        text = read(name) if name else None
        if name and text is None and name == environment.env_file:
            raise InputError(
                f"there is no {name}",
                code="env-file-missing",
                where=config.where("environments", environment.name, "env_file"),
                hint="the path counts from the directory of tidegate.yaml",
            )
        if text is not None:
            entries = dotenv.parse(text, name, {}, found.get, Allowance())
            found |= {key: entry.value for key, entry in entries.items()}
    return found | dict(environment.variables) | dict(given)


class Files:
    """Texts of files below one directory."""

    def __init__(self, root: str) -> None:
        self.root = Path(root)

    def __call__(self, name: str) -> str | None:
        """The text of a file; None where there is none."""
        try:
            return (self.root / name).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise unreadable(name, error, code="env-file") from None
