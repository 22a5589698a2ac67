"""The load as a process of its own, so that nothing the caller does slows the clients down."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

LONGEST_S = 7200
END_S = 30


class LoadProcess:
    """Runs ``python -m tidegate.testing.load`` until ``stop``, which returns its report."""

    def __init__(self, http: str, out: Path, *options: str) -> None:
        self.out = out
        self.latest: dict[str, Any] = {"requests": 0, "failed": 0}
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tidegate.testing.load", http, "--progress"),
                *("--seconds", str(LONGEST_S), "--out", str(out), *options),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.latest = json.loads(line)

    def stop(self) -> dict[str, Any]:
        """Let the requests under way end; what the clients saw."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join()
        report: dict[str, Any] = json.loads(self.out.read_text())
        return report

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
