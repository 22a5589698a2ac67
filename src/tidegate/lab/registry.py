"""The lab's registry: Debian's docker-registry, standing in for docker.io where that is out of
reach, for the lab's servers and, by CONTAINERS_REGISTRIES_CONF, for this machine.

Whether docker.io is out of reach is asked once per lab. Nothing in /etc/containers is changed.
Source: containers-registries.conf(5), ``prefix`` and ``location``.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import InfrastructureError
from tidegate.lab.network import Network
from tidegate.lab.places import Places, write

PORT = 5000
PUBLIC = "https://registry-1.docker.io/v2/"
ASK_S = 5.0
START_S = 10.0
# $0 is the log; the number of the process is the answer.
LAUNCH = '"$@" </dev/null >>"$0" 2>&1 & echo $!'


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry of one lab; it runs while the lab has servers."""

    places: Places
    network: Network

    @property
    def address(self) -> str:
        """Where it listens: this machine's end of the lab's bridge."""
        return f"{self.network.gateway}:{PORT}"

    @property
    def program(self) -> Path:
        """Debian's docker-registry."""
        return self.places.registry / "program" / "usr" / "bin" / "docker-registry"

    @property
    def installed(self) -> bool:
        """Whether it can be started: its program comes with the first root file system."""
        return self.program.exists()

    def needed(self) -> bool:
        """Whether docker.io is out of reach; found out once, then remembered."""
        answer = self.places.cache / "docker.io"
        if not answer.exists():
            write(answer, "reached\n" if _public_answers() else "out of reach\n")
        return answer.read_text().strip() != "reached"

    def ensure(self) -> None:
        """Start it where it does not run; the caller holds the lab's lock."""
        if self._answers():
            return
        write(self.places.registries_conf, self._registries_conf())
        config = self.places.registry / "config.json"
        write(config, json.dumps(self._config(), indent=1))
        # A shell starts it and ends: it must outlive us, and be nobody's child that we wait for.
        argv = [str(self.program), "serve", str(config)]
        started = subprocess.run(
            ["sh", "-c", LAUNCH, str(self.places.registry / "log"), *argv],
            capture_output=True,
            text=True,
            check=True,
            start_new_session=True,
            env={"OTEL_TRACES_EXPORTER": "none", "PATH": os.defpath},
            cwd="/",
        )
        pid = started.stdout.strip()
        write(self._pid_file, pid)
        deadline = time.monotonic() + START_S
        while not self._answers():
            if time.monotonic() > deadline or not Path(f"/proc/{pid}").exists():
                raise InfrastructureError(
                    "the lab's registry does not start",
                    code="lab-registry",
                    log=tuple((self.places.registry / "log").read_text().splitlines()[-5:]),
                )
            time.sleep(0.05)

    def remove(self) -> None:
        """End it; its images stay in the cache."""
        with suppress(FileNotFoundError, ValueError, ProcessLookupError):
            pid = int(self._pid_file.read_text())
            if b"docker-registry" in Path("/proc", str(pid), "cmdline").read_bytes():
                os.kill(pid, signal.SIGTERM)
            self._pid_file.unlink()

    @property
    def _pid_file(self) -> Path:
        return self.places.run / "registry.pid"

    def has(self, name: str, tag: str) -> bool:
        """Whether it serves this image."""
        url = f"http://{self.address}/v2/{name}/manifests/{tag}"
        types = "application/vnd.oci.image.manifest.v1+json"
        request = urllib.request.Request(url, method="HEAD", headers={"Accept": types})
        return _status(request) == 200

    def _answers(self) -> bool:
        return _status(urllib.request.Request(f"http://{self.address}/v2/")) == 200

    def _config(self) -> dict[str, object]:
        data = str(self.places.registry / "data")
        return {
            "version": "0.1",
            "log": {"level": "warn", "accesslog": {"disabled": True}},
            "storage": {"filesystem": {"rootdirectory": data}, "delete": {"enabled": True}},
            "http": {"addr": self.address},
        }

    def _registries_conf(self) -> str:
        return (
            "# Written by `tidegate lab up`: docker.io is out of reach here.\n"
            '[[registry]]\nprefix = "docker.io"\n'
            f'location = "{self.address}"\ninsecure = true\n'
        )


def _public_answers() -> bool:
    """docker.io asks everybody to log in (401), which is an answer."""
    return _status(urllib.request.Request(PUBLIC)) in (200, 401)


def _status(request: urllib.request.Request) -> int:
    """The HTTP status, 0 where nobody answers."""
    try:
        opener = urllib.request.build_opener(_proxies(request))
        with opener.open(request, timeout=ASK_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _proxies(request: urllib.request.Request) -> urllib.request.ProxyHandler:
    """The machine's proxy for the world, none for the lab's own network."""
    return urllib.request.ProxyHandler(None if request.type == "https" else {})
