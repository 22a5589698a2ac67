"""A terminal: one bash for a whole page, so that `cd`, `export` and the files of before count."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Self

MARK = "-- ended with"
PATIENCE_S = 600.0


class Terminal:
    """Commands typed one after the other; nobody is there to answer a question."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.folder = folder
        self._environment = dict(environment)
        self._beside: list[subprocess.Popen[str]] = []
        self._bash = self._start("bash", "--noprofile", "--norc")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for process in [self._bash, *self._beside]:
            _end(process)

    def run(self, command: str) -> tuple[int, str]:
        """What a command ends with and what it says; one that takes too long is killed."""
        assert self._bash.stdin is not None and self._bash.stdout is not None
        typed = f"{{\n{command}\n}} </dev/null\nprintf '\\n{MARK} %s %s\\n' $? \"$PWD\"\n"
        self._bash.stdin.write(typed)
        self._bash.stdin.flush()
        said: list[str] = []
        timer = threading.Timer(PATIENCE_S, _kill, (self._bash,))
        timer.start()
        try:
            for line in self._bash.stdout:
                if line.startswith(MARK):
                    code, _, folder = line.removeprefix(MARK).strip().partition(" ")
                    self.folder = Path(folder)
                    return int(code), "".join(said).removesuffix("\n")
                said.append(line)
        finally:
            timer.cancel()
        raise AssertionError(f"the terminal ended within: {command}\n{''.join(said)}")

    def begin(self, command: str) -> None:
        """Another terminal in the same folder, where this command goes on and on."""
        self._beside.append(self._start("bash", "-c", command))

    def interrupt(self) -> list[str]:
        """Ctrl-C in the other terminals; what those said that had ended by themselves."""
        ended = [f"{one.args!r}: {one.stdout and one.stdout.read()}" for one in self._over()]
        for process in self._beside:
            _end(process)
        self._beside.clear()
        return ended

    def _over(self) -> list[subprocess.Popen[str]]:
        return [process for process in self._beside if process.poll() is not None]

    def _start(self, *words: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            words,
            cwd=self.folder,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


def _end(process: subprocess.Popen[str]) -> None:
    _kill(process)
    process.wait()
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _kill(process: subprocess.Popen[str]) -> None:
    """SIGKILL to a process and all that it started in its session."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
