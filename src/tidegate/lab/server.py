"""One lab server: switched on and off, cut from its power, and talked to over ssh.

The container around a server is made anew at each start: whatever the server keeps lies on its
disk, its network address and its host key belong to its name.
"""

from __future__ import annotations

import io
import json
import os
import secrets
import shlex
import signal
import subprocess
import tarfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import InfrastructureError
from tidegate.lab import shared
from tidegate.lab.disk import Disk
from tidegate.lab.identity import Identity
from tidegate.lab.machine import Machine
from tidegate.lab.namespace import Namespace
from tidegate.lab.network import Network
from tidegate.lab.places import Places
from tidegate.lab.processes import failure, run

PREFIX = "tidegate-lab-"
BOOT_S = 60.0
SHUTDOWN_S = 90
# systemd(1), SIGNALS: SIGRTMIN+3 halts the machine in order
STOP_SIGNAL = "SIGRTMIN+3"
NAMESERVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
# A connection that a power cut or a cut network took is noticed.
ALIVE = ("-o", "ServerAliveInterval=3", "-o", "ServerAliveCountMax=3")


@dataclass(frozen=True, slots=True)
class Server:
    """A server of a lab; ``name``, ``address`` and ``ssh_argv`` are what most callers need."""

    identity: Identity
    places: Places
    machine: Machine

    @property
    def name(self) -> str:
        """What the user calls it."""
        return self.identity.name

    @property
    def address(self) -> str:
        """Its address on the lab's network, always the same."""
        return self.identity.address

    @property
    def user(self) -> str:
        """Who logs in unless a caller says otherwise: deploy, or root where it is bare."""
        return self.identity.user

    @property
    def namespace(self) -> Namespace:
        """Where its mounts are."""
        return Namespace(self.places)

    @property
    def network(self) -> Network:
        """Where its cable ends."""
        return Network(self.places)

    @property
    def container(self) -> str:
        """Its container outside."""
        return PREFIX + self.name

    @property
    def netns(self) -> str:
        """Its network namespace."""
        return f"{PREFIX}{self.places.tag}-{self.name}"

    @property
    def disk(self) -> Disk:
        """Its disk."""
        image = self.places.servers / self.name / "disk.img"
        return Disk(image, self.places.run / "mounts" / self.name)

    def state(self) -> str:
        """``running``, ``stopped`` or ``absent``."""
        if not self.disk.image.exists():
            return "absent"
        return "running" if self._pid() else "stopped"

    # -- power --------------------------------------------------------------------------------

    def create(self) -> None:
        """Make the disk with what is this server's own; it stays off."""
        if self.disk.image.exists():
            return
        try:
            self.disk.create(self.identity.disk_gb)
            self._mount()
            self._fill_disk()
            self.disk.unmount(self.namespace)
        except BaseException:
            with suppress(InfrastructureError):
                self.disk.unmount(self.namespace)
            self.disk.image.unlink(missing_ok=True)
            raise

    def start(self, *, wait: bool = True) -> None:
        """Switch it on and wait until somebody can log in; a running server stays as it is."""
        if not self.disk.image.exists():
            raise InfrastructureError(
                f"there is no lab server {self.name}",
                code="lab-no-server",
                hint=f"tidegate lab up --servers {self.name}",
            )
        shared.ensure(self.places)
        with self.places.lock(f"server-{self.name}"):
            if not self._pid():
                self._clear()
                self._mount()
                self._write(self._surroundings())
                self.network.plug(self.namespace, self.netns, self.address)
                self.namespace.podman(*self._run_argv())
        if wait:
            self.wait()

    def stop(self) -> None:
        """Shut it down in order, as ``poweroff`` would."""
        with self.places.lock(f"server-{self.name}"):
            if self._pid():
                argv = ["stop", "--time", str(SHUTDOWN_S), self.container]
                self.namespace.podman(*argv, timeout_s=SHUTDOWN_S + 30)
            self._clear()

    def kill(self) -> None:
        """Cut the power: no packet and no write of it arrives after this, not even a FIN."""
        with self.places.lock(f"server-{self.name}"):
            pid = self._pid()
            link = self.network.link_name(self.address)
            if Path("/sys/class/net", link).exists():
                run(["ip", "link", "set", link, "down"])
            if pid:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            if self.disk.mounted(self.namespace):
                self.disk.cut_power(self.namespace)
            self._clear()

    def freeze(self) -> None:
        """Let nothing in it run any more, until ``thaw``: it is there and does not answer."""
        self.namespace.podman("pause", self.container)

    def thaw(self) -> None:
        """Let it run again."""
        self.namespace.podman("unpause", self.container)

    def remove(self) -> None:
        """Switch it off and throw its disk away; its address and host key stay its own."""
        shared.ensure(self.places)
        self.kill()
        self.network.heal_all([self.address])
        self.disk.image.unlink(missing_ok=True)

    def wait(self, timeout_s: float = BOOT_S) -> None:
        """Until sshd answers and, for deploy, the user's systemd does too."""
        ready = "true"
        if self.user == "deploy":
            ready = "while ! test -S /run/user/1000/bus; do sleep 0.05; done"
        deadline = time.monotonic() + timeout_s
        argv = self.ssh_argv(["sh", "-c", ready], options=["-o", "ConnectTimeout=1"])
        while True:
            with suppress(InfrastructureError):
                done = run(argv, check=False, timeout_s=max(1.0, deadline - time.monotonic()))
                if done.returncode == 0:
                    return
            if time.monotonic() > deadline:
                raise InfrastructureError(
                    f"lab server {self.name} does not answer over ssh",
                    code="lab-no-answer",
                    hint=f"tidegate lab kill {self.name} && tidegate lab start {self.name}",
                    log=tuple(done.stderr.splitlines()),
                )
            time.sleep(0.1)

    # -- talking to it ------------------------------------------------------------------------

    def ssh_argv(
        self, command: Sequence[str] = (), *, user: str = "", options: Sequence[str] = ()
    ) -> list[str]:
        """The ssh command line for a command, quoted once for the shell at the other end."""
        target = f"{user or self.user}@{self.address}"
        argv = ["ssh", "-F", str(self.places.ssh_config), *options, target]
        return [*argv, "--", shlex.join(command)] if command else argv

    def run(
        self,
        command: Sequence[str],
        *,
        check: bool = True,
        user: str = "",
        input: bytes | str | None = None,  # noqa: A002 - the name subprocess has for it
        timeout_s: float = 120.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command on the server, as deploy (root on a bare one) or as ``user``.

        A server that goes silent meanwhile costs ten seconds, and ssh's exit status is then 255.
        """
        argv = self.ssh_argv(command, user=user, options=ALIVE)
        done = run(argv, input=input, check=False, timeout_s=timeout_s)
        if check and done.returncode != 0:
            raise failure([f"{self.name}:", *command], done)
        return done

    def fill_disk(self, *, leave_mb: int = 0) -> None:
        """Fill the disk by one file, but for ``leave_mb``: the next writer gets a real ENOSPC."""
        free = int(
            self.run(["df", "--output=avail", "-B1", "/home"], user="root").stdout.split()[1]
        )
        size = free - leave_mb * 2**20
        if size > 0:
            self.run(["fallocate", "-l", str(size), "/home/.ballast"], user="root", check=False)
        if leave_mb == 0:
            argv = ["sh", "-c", "cat /dev/zero >> /home/.ballast"]
            self.run(argv, user="root", check=False)

    def free_disk(self) -> None:
        """Take away what ``fill_disk`` wrote."""
        self.run(["rm", "-f", "/home/.ballast"], user="root")

    # -- inside -------------------------------------------------------------------------------

    def _pid(self) -> int:
        """The server's init, 0 where it is off."""
        if not self.namespace.exists():
            return 0
        argv = ["inspect", "--type=container", "--format={{.State.Pid}}", self.container]
        done = self.namespace.podman(*argv, check=False)
        pid = int(done.stdout.strip() or 0) if done.returncode == 0 else 0
        return pid if pid and Path("/proc", str(pid)).exists() else 0

    def _mount(self) -> None:
        self.disk.mount(self.namespace, [Path(layer) for layer in self.identity.layers])

    def _clear(self) -> None:
        """Take away what is left of the last time it was on."""
        if self.namespace.exists():
            self.namespace.podman("rm", "--force", "--time=0", self.container, check=False)
            self.network.unplug(self.namespace, self.netns, self.address)
            self.disk.unmount(self.namespace)

    def _run_argv(self) -> list[str]:
        data = self.disk.data
        limits = ["--ulimit=nofile=20000:20000", "--ulimit=nproc=10000:10000"]
        manager = self.machine.pure_cgroups and self.machine.systemd
        return [
            f"--cgroup-manager={'systemd' if manager else 'cgroupfs'}",
            "run",
            "--detach",
            f"--name={self.container}",
            "--privileged",
            "--systemd=always",
            f"--stop-signal={STOP_SIGNAL}",
            f"--network=ns:/run/netns/{self.netns}",
            "--no-hosts",
            "--dns=none",
            f"--hostname={self.name}",
            "--pids-limit=-1",
            *([] if self.machine.raises_limits else limits),
            f"--volume={data / 'home'}:/home",
            f"--volume={data / 'containers'}:/var/lib/containers",
            f"--volume={data / 'journal'}:/var/log/journal",
            "--rootfs",
            str(self.disk.root),
            "/sbin/init",
        ]

    def _fill_disk(self) -> None:
        """Write what makes it this server, and what belongs at other places of the disk."""
        root, home = self.disk.root, self.disk.data / "home"
        self._write(self._own_files())
        self.namespace.run("cp", "-a", f"{root}/home/.", str(home))
        self.namespace.run("chmod", "2755", str(self.disk.data / "journal"))

    def _write(self, files: dict[str, tuple[str, int]]) -> None:
        """Put files into the server's root file system while it is off."""
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w") as tar:
            for path, (text, mode) in files.items():
                entry = tarfile.TarInfo(path)
                entry.size, entry.mode = len(text.encode()), mode
                tar.addfile(entry, io.BytesIO(text.encode()))
        argv = ["tar", "-x", "--no-overwrite-dir", "-C", str(self.disk.root)]
        self.namespace.run(*argv, input=archive.getvalue())

    def _own_files(self) -> dict[str, tuple[str, int]]:
        key = self.places.servers / self.name / "host_key"
        return {
            "etc/hosts": (f"127.0.0.1 localhost\n{self.address} {self.name}\n", 0o644),
            "etc/machine-id": (secrets.token_hex(16) + "\n", 0o444),
            "etc/ssh/ssh_host_ed25519_key": (key.read_text(), 0o600),
            "etc/ssh/ssh_host_ed25519_key.pub": (key.with_suffix(".pub").read_text(), 0o644),
        }

    def _surroundings(self) -> dict[str, tuple[str, int]]:
        """Where names and images are asked for: that may change while a server is off."""
        files = {"etc/resolv.conf": (_resolv_conf(), 0o644)}
        if self.places.registries_conf.exists():
            path = "etc/containers/registries.conf.d/50-lab.conf"
            files[path] = (self.places.registries_conf.read_text(), 0o644)
        return files


def _resolv_conf() -> str:
    """The machine's name servers, but those that only the machine itself can ask."""
    for path in NAMESERVERS:
        if path.exists():
            lines = [
                line for line in path.read_text().splitlines() if "nameserver 127." not in line
            ]
            if any(line.startswith("nameserver") for line in lines):
                return "\n".join(lines) + "\n"
    return ""


def states(places: Places, names: Sequence[str]) -> dict[str, str]:
    """The state of many servers by one question to Podman."""
    namespace = Namespace(places)
    running: set[str] = set()
    if namespace.exists():
        done = namespace.podman("ps", "--format=json", check=False)
        containers = json.loads(done.stdout or "[]") if done.returncode == 0 else []
        running = {name for entry in containers for name in entry["Names"]}
    return {
        name: "running"
        if PREFIX + name in running
        else "stopped"
        if (places.servers / name / "disk.img").exists()
        else "absent"
        for name in names
    }
