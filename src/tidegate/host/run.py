"""Run another program: argv in, result out; its output never reaches our own streams."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
from typing import Dict, List, NamedTuple, Optional

from tidegate.host.errors import HostError


class Result(NamedTuple):
    """What a program answered; the texts are decoded with replacement."""

    returncode: int
    stdout: str
    stderr: str


class CancelledError(Exception):
    """The deployment was given up while a program ran; the program was killed."""


def run(
    argv: List[str],
    *,
    stdin: Optional[bytes] = None,
    timeout_s: float = 60.0,
    check: bool = True,
    env: Optional[Dict[str, str]] = None,
    cancel: Optional[threading.Event] = None,
) -> Result:
    """Run `argv` to its end.

    `cancel` kills it early. Raises HostError (class error) when it is missing, takes longer
    than `timeout_s` seconds, or, with `check`, fails; CancelledError when `cancel` was set.
    """
    full_env = None if env is None else {**os.environ, **env}
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=full_env,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise HostError(
            "error",
            "program-missing",
            f"{argv[0]} is not installed on this host",
            subject=argv[0],
            hint="run `tidegate doctor` to see what is missing",
        ) from None
    out, err = _wait(process, argv, stdin, timeout_s, cancel)
    result = Result(
        process.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
    )
    if check and result.returncode != 0:
        raise HostError(
            "error",
            "program-failed",
            f"`{' '.join(argv[:4])}` ended with {result.returncode}",
            subject=argv[0],
            log=(result.stderr or result.stdout).strip().splitlines()[-10:],
        )
    return result


def _wait(
    process: "subprocess.Popen[bytes]",
    argv: List[str],
    stdin: Optional[bytes],
    timeout_s: float,
    cancel: Optional[threading.Event],
) -> "tuple[bytes, bytes]":
    waited, step = 0.0, timeout_s if cancel is None else 0.2
    while True:
        try:
            return process.communicate(stdin, timeout=step)
        except subprocess.TimeoutExpired:
            stdin = None
            waited += step
            if cancel is not None and cancel.is_set():
                _kill(process)
                raise CancelledError() from None
            if waited >= timeout_s:
                _kill(process)
                raise HostError(
                    "error",
                    "program-hangs",
                    f"`{' '.join(argv[:4])}` did not end within {timeout_s:.0f} s",
                    subject=argv[0],
                ) from None


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
