"""Talk to a running HAProxy: every worker of it, the ones that are leaving too.

After a reload an old worker goes on with the connections that it has, and with its own copy
of the maps. A switch must reach it as well, or a request on an old connection goes to a copy
that is gone. So commands go through the master's socket to each worker by its number.

Source: https://docs.haproxy.org/3.0/management.html, 9.3 and 9.4.
"""

from __future__ import annotations

import csv
import io
import os
import socket
import time
from pathlib import Path
from typing import Callable, Dict, List, Mapping

from tidegate.traffic.model import Counts
from tidegate.traffic.proxy import FOLDER, RING, STAMP

TIMEOUT_S = 5.0


class AdminError(OSError):
    """The proxy does not answer, or answers that it will not."""


class NotRunning(AdminError):
    """Nobody listens: files alone decide, when the proxy starts."""


class Admin:
    """The master socket of one proxy, at `folder`/master.sock."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "master.sock"

    def ask(self, command: str) -> str:
        """One command, one answer; NotRunning where nobody listens."""
        try:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(TIMEOUT_S)
                _connect(connection, self._path)
                connection.sendall(command.encode() + b"\n")
                connection.shutdown(socket.SHUT_WR)
                parts: List[bytes] = []
                while True:
                    part = connection.recv(65536)
                    if not part:
                        return b"".join(parts).decode("utf-8", "replace")
                    parts.append(part)
        except (FileNotFoundError, ConnectionRefusedError) as problem:
            raise NotRunning(f"{self._path}: {problem}") from None
        except OSError as problem:
            raise AdminError(f"{self._path}: {problem}") from None

    def workers(self) -> List[str]:
        """The numbers of all workers, the newest first."""
        rows = [line.split() for line in self.ask("show proc").splitlines()]
        return [row[0] for row in rows if len(row) > 2 and row[1] == "worker"]

    def each(self, command: str) -> List[str]:
        """One command to every worker; those that left meanwhile are passed over."""
        answers = [self.ask(f"@!{worker} {command}") for worker in self.workers()]
        return [answer for answer in answers if not answer.startswith("Can't find")]

    def stamp(self) -> str:
        """The stamp of the configuration that new connections get; empty while starting."""
        workers = self.workers()
        if not workers:
            return ""
        answer = self.ask(f"@!{workers[0]} show env {STAMP}")
        return answer.strip().partition("=")[2]

    def reload(self) -> None:
        """Start new workers with the file as it is; AdminError with HAProxy's words if refused."""
        answer = self.ask("reload")
        if "Success=1" not in answer:
            raise AdminError(f"{self._path}: the configuration was refused: {answer.strip()}")

    def put(self, name: str, key: str, value: str) -> None:
        """Set `key` of the map file `name` in every worker."""
        path = f"{FOLDER}/{name}"
        for worker in self.workers():
            answer = self.ask(f"@!{worker} set map {path} {key} {value}")
            if "not found" in answer.lower():
                answer = self.ask(f"@!{worker} add map {path} {key} {value}")
            if answer.strip() and not answer.startswith("Can't find"):
                raise AdminError(f"{self._path}: set map {key} {value}: {answer.strip()}")

    def replace(self, name: str, entries: Mapping[str, str]) -> None:
        """Make the map file `name` hold just `entries` in every worker."""
        path = f"{FOLDER}/{name}"
        for worker in self.workers():
            self.ask(f"@!{worker} clear map {path}")
            for key, value in sorted(entries.items()):
                self.ask(f"@!{worker} add map {path} {key} {value}")

    def rows(self) -> List[Dict[str, str]]:
        """`show stat` of every worker, a mapping a row."""
        rows: List[Dict[str, str]] = []
        for text in self.each("show stat"):
            rows += csv.DictReader(io.StringIO(text.lstrip("# \n")))
        return rows

    def counts(self, mine: Callable[[str], bool]) -> Counts:
        """Sums over the backends whose names `mine` accepts."""
        total = Counts()
        for row in self.rows():
            if row.get("svname") == "BACKEND" and mine(str(row.get("pxname", ""))):
                total = _add(total, row)
        return total

    def drain(self, mine: Callable[[str], bool], deadline_s: float) -> int:
        """Wait until the backends serve nobody; after `deadline_s` cut what is left.

        Returns how many sessions were cut.
        """
        deadline = time.monotonic() + deadline_s
        while True:
            current = self.counts(mine).current
            if current == 0:
                return 0
            if time.monotonic() >= deadline:
                self._cut(mine)
                return current
            time.sleep(0.05)

    def _cut(self, mine: Callable[[str], bool]) -> None:
        servers = {
            f"{row['pxname']}/{row['svname']}"
            for row in self.rows()
            if mine(str(row.get("pxname", ""))) and row.get("svname") not in ("BACKEND", "FRONTEND")
        }
        for server in sorted(servers):
            self.each(f"shutdown sessions server {server}")

    def passing(self, mine: Callable[[str], bool]) -> bool:
        """Whether every checked server of the backends passes its check (newest worker)."""
        workers = self.workers()
        if not workers:
            return False
        text = self.ask(f"@!{workers[0]} show stat")
        checked = [
            row
            for row in csv.DictReader(io.StringIO(text.lstrip("# \n")))
            if mine(str(row.get("pxname", ""))) and row.get("check_status")
        ]
        return all(
            row["status"].startswith("UP") and row["check_status"].startswith("L7OK")
            for row in checked
        )

    def latencies(self, mine: Callable[[str], bool]) -> List[float]:
        """Milliseconds of the last HTTP requests that the backends answered."""
        found = []
        for text in self.each(f"show events {RING}"):
            for line in text.splitlines():
                words = line.split()
                if len(words) >= 3 and words[-2] != "0" and mine(words[-3]):
                    found.append(float(words[-1].lstrip("+")))
        return found


def _connect(connection: socket.socket, path: Path) -> None:
    """Connect through the folder's descriptor: a socket's own path may have 107 bytes at most.

    Source: https://man7.org/linux/man-pages/man7/unix.7.html, "Address format".
    """
    folder = os.open(str(path.parent), os.O_PATH | os.O_DIRECTORY)
    try:
        connection.connect(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)


def _number(row: Mapping[str, str], name: str) -> int:
    return int(row.get(name) or 0)


def _add(total: Counts, row: Mapping[str, str]) -> Counts:
    """HTTP failures are its 5xx answers, the proxy's own included; TCP has only its errors."""
    http = row.get("mode") == "http"
    requests = _number(row, "req_tot") if http else _number(row, "stot")
    errors = 0 if http else _number(row, "econ") + _number(row, "eresp")
    return Counts(
        total.requests + requests,
        total.responses_2xx + _number(row, "hrsp_2xx"),
        total.responses_5xx + _number(row, "hrsp_5xx"),
        total.errors + errors,
        total.current + _number(row, "scur"),
        max(total.rtime_ms, float(_number(row, "rtime"))),
    )
