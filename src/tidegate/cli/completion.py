"""``tidegate completion``: a shell completes commands, options, environments, hosts, services."""

from __future__ import annotations

from importlib.resources import files
from typing import Literal

from tidegate.errors import InputError

Shell = Literal["bash", "zsh", "fish", "words"]


def completion(shell: Shell, /, *words: str) -> None:
    """Print what makes a shell complete tidegate's words; put it into the shell's own start file.

    Example: echo 'eval "$(tidegate completion bash)"' >> ~/.bashrc

    Args:
        shell: bash, zsh or fish; `words` is what their scripts ask.
        words: With `words`, after `--`: what was typed behind tidegate, the last one to complete.
    """
    from tidegate.cli.output import say

    if shell != "words":
        if words:
            raise InputError(
                f"{words[0]!r} is one word too many",
                code="usage",
                hint=f'eval "$(tidegate completion {shell})"',
            )
        script = files("tidegate.cli") / "shells" / f"completion.{shell}"
        say(script.read_text(encoding="utf-8").rstrip())
        return
    from tidegate.cli.candidates import candidates

    for word, meaning in candidates(list(words) or [""]):
        say(f"{word}\t{meaning}".rstrip())
