"""``tidegate secrets``: the encrypted file of an environment's secrets.

Values come from standard input or a prompt, never from the command line: whoever is on this
machine can read that.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from cyclopts import App

from tidegate.cli.output import print_json, say, table
from tidegate.config import load_config
from tidegate.config.nearest import nearest
from tidegate.errors import InputError

if TYPE_CHECKING:
    from tidegate.model.config import Config, Environment
    from tidegate.model.vault import Secret, Vault

app = App(help="Secrets in the repository. Example: tidegate secrets set production DB_PASSWORD")
GENERATED = 32


@app.command(name="set")
def put(
    environment: str,
    name: str,
    /,
    *,
    variable: str = "",
    command: list[str] | None = None,
    generate: bool = False,
    config: str = "tidegate.yaml",
) -> None:
    """Add a secret or change its value, which is read from standard input or asked for.

    The value before stays good for going back to a release that had it; see rotate.
    Example: tidegate secrets set production DB_PASSWORD < password.txt

    Args:
        environment: Its name.
        name: As compose files say it: ${NAME}.
        variable: The value is in this environment variable at each deployment, not in the file.
        command: The value is what this command prints at each deployment; one word each.
        generate: Make a random value.
        config: The configuration file.
    """
    opened = Opened(environment, config)
    secret = given(name, variable, command, generate=generate)
    opened.save(opened.vault.put(name, secret))
    say(f"{name} is set; `tidegate deploy {environment}` brings it to the hosts")


@app.command
def rotate(
    environment: str,
    name: str,
    /,
    *,
    generate: bool = False,
    config: str = "tidegate.yaml",
) -> None:
    """Give a secret a new value and revoke the one before: no rollback brings it back.

    Example: tidegate secrets rotate production DB_PASSWORD --generate

    Args:
        environment: Its name.
        name: The secret.
        generate: Make a random value.
        config: The configuration file.
    """
    opened = Opened(environment, config)
    before = opened.vault.named(name)
    if generate and not before.value:
        raise InputError(
            f"the value of {name} comes from {before.source}, which has to change it",
            code="usage",
            hint="leave --generate out",
        )
    secret = given(name, before.variable, list(before.command), generate=generate)
    opened.save(opened.vault.rotated(name, secret))
    say(f"{name} is rotated; `tidegate deploy {environment}` restarts what uses it")


@app.command
def rm(environment: str, name: str, /, *, config: str = "tidegate.yaml") -> None:
    """Take a secret out of the file.

    Example: tidegate secrets rm production OLD_TOKEN

    Args:
        environment: Its name.
        name: The secret.
        config: The configuration file.
    """
    opened = Opened(environment, config)
    opened.save(opened.vault.without(name))
    say(f"{name} is gone from {opened.path.name}")


@app.command(name="list")
def show(environment: str, /, *, config: str = "tidegate.yaml", json: bool = False) -> None:
    """List the names of secrets and where their values are; never a value.

    Example: tidegate secrets list production

    Args:
        environment: Its name.
        config: The configuration file.
        json: Answer as JSON.
    """
    vault = Opened(environment, config).vault
    entries = [
        {"name": name, "source": secret.source, "version": secret.version,
         "revoked": len(secret.revoked)}
        for name, secret in sorted(vault.secrets.items())
    ]  # fmt: skip
    if json:
        print_json("secrets", {"environment": environment, "secrets": entries})
        return
    rows = [tuple(str(value) for value in entry.values()) for entry in entries]
    heads = ("secret", "value from", "version", "revoked")
    say(table(heads, rows) if rows else "there are no secrets yet")


@app.command
def edit(environment: str, /, *, config: str = "tidegate.yaml") -> None:
    """Open the values in $EDITOR as NAME: value lines; also encrypts anew for today's people.

    Example: tidegate secrets edit production

    Args:
        environment: Its name.
        config: The configuration file.
    """
    from tidegate.edges.private_dir import runtime_dir

    opened = Opened(environment, config)
    scratch = runtime_dir() / f"edit-{os.getpid()}.yaml"
    try:
        scratch.touch(mode=0o600)
        scratch.write_text(opened.lines(), encoding="utf-8")
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
        argv = ["sh", "-c", f'{editor} "$1"', "sh", str(scratch)]
        if subprocess.run(argv, check=False).returncode:
            raise InputError(
                "the editor failed, so nothing was changed",
                code="editor",
                hint="EDITOR=nano tidegate secrets edit, or whichever editor is here",
            )
        opened.save(opened.edited(scratch.read_text(encoding="utf-8")))
    finally:
        scratch.unlink(missing_ok=True)
    say(f"{opened.path.name} is encrypted for {len(opened.people)} people and you")


class Opened:
    """The file of one environment, decrypted."""

    def __init__(self, environment: str, file: str) -> None:
        from tidegate.edges import vault

        config = load_config(file)
        chosen = self._environment(config, environment)
        where = config.where("environments", environment, "secrets")
        self.people = list(config.people.values())
        self.path = Path(config.root, chosen.secrets)
        self.vault: Vault = vault.load(self.path, where)

    def save(self, changed: Vault) -> None:
        """Encrypt it for today's people."""
        from tidegate.edges import vault

        vault.save(self.path, changed, self.people)

    def lines(self) -> str:
        """The values that are in the file itself."""
        import yaml

        values = {name: s.value for name, s in self.vault.secrets.items() if s.value}
        return yaml.safe_dump(values, allow_unicode=True) if values else "# NAME: value\n"

    def edited(self, text: str) -> Vault:
        """The vault with what the lines say now: added, changed, gone."""
        import yaml

        from tidegate.edges.vault import new_version
        from tidegate.model.vault import Secret

        try:
            values = yaml.load(text, yaml.BaseLoader) or {}  # noqa: S506 (texts only)
        except yaml.YAMLError:
            values = None
        if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
            raise InputError(
                "what was edited is not NAME: value lines, so nothing was changed",
                code="secrets-edited",
                hint="quote a value that begins with a special character",
            )
        changed = self.vault
        for name, secret in self.vault.secrets.items():
            if secret.value and name not in values:
                changed = changed.without(name)
        for name, value in values.items():
            known = changed.secrets.get(name)
            if known is None or known.value != value:
                changed = changed.put(name, Secret(new_version(), value))
        return changed

    @staticmethod
    def _environment(config: Config, name: str) -> Environment:
        chosen = config.environments.get(name)
        if chosen is None:
            close = nearest(name, config.environments)
            known = ", ".join(config.environments)
            raise InputError(
                f"there is no environment {name!r}",
                code="unknown-environment",
                where=config.where("environments"),
                hint=f"did you mean {close}?" if close else f"there are: {known}",
            )
        if not chosen.secrets:
            raise InputError(
                f"{name} keeps no secrets",
                code="secrets-nowhere",
                where=config.where("environments", name),
                hint=f"environments: {name}: {{secrets: secrets/{name}.age}} in tidegate.yaml",
            )
        return chosen


def given(name: str, variable: str, command: list[str] | None, *, generate: bool) -> Secret:
    """A new secret from what was asked for."""
    import secrets as chance

    from tidegate.edges.vault import new_version
    from tidegate.model.vault import NAME, Secret

    sources = {"--variable": variable, "--command": command, "--generate": generate}
    asked = [option for option, wanted in sources.items() if wanted]
    if len(asked) > 1:
        raise InputError(
            f"{' and '.join(asked)} are two sources of one value",
            code="usage",
            hint="leave one of them out",
        )
    if variable and not NAME.match(variable):
        raise InputError(
            f"{variable!r} cannot name a variable", code="usage", hint="letters, digits and _"
        )
    if variable or command:
        return Secret(new_version(), variable=variable, command=tuple(command or ()))
    if generate:
        return Secret(new_version(), chance.token_urlsafe(GENERATED))
    if sys.stdin.isatty():
        from getpass import getpass

        return Secret(new_version(), getpass(f"{name}: "))
    return Secret(new_version(), sys.stdin.read().rstrip("\n"))
