"""A lab server is a real one: it boots, keeps what it wrote, and loses what a power cut loses."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

import pytest

from tidegate.errors import InputError
from tidegate.lab import Lab, Server

pytestmark = pytest.mark.lab

WEB = """
[Container]
Image=docker.io/library/busybox:1
Exec=httpd -f -p 8000
PublishPort=8080:8000
HealthCmd=wget -q -O /dev/null http://127.0.0.1:8000/etc/passwd
HealthInterval=1s
StopTimeout=1
[Service]
ExecStartPost=podman wait --condition=healthy --interval=100ms systemd-%N
Restart=always
[Install]
WantedBy=default.target
"""


def test_a_server_is_ready_for_rootless_podman(server: Server) -> None:
    """Deploy has a running systemd, lingers, and may publish port 80."""
    running = server.run(["systemctl", "--user", "is-system-running", "--wait"])
    assert running.stdout.strip() == "running"
    assert server.run(["loginctl", "show-user", "deploy", "-p", "Linger"]).stdout == "Linger=yes\n"
    version = server.run(["podman", "version", "--format", "{{.Server.Version}}"]).stdout
    assert tuple(map(int, version.split("."))) >= (5, 4)
    start = server.run(["cat", "/proc/sys/net/ipv4/ip_unprivileged_port_start"]).stdout
    assert int(start) <= 80


def test_ssh_is_strict_about_host_keys(server: Server, tmp_path: Path) -> None:
    """With a stranger's key in known_hosts ssh refuses to talk to the server."""
    assert server.run(["id", "-un"], user="root").stdout == "root\n"
    stranger = tmp_path / "known_hosts"
    subprocess.run(["ssh-keygen", "-qt", "ed25519", "-N", "", "-f", tmp_path / "key"], check=True)
    public = " ".join((tmp_path / "key.pub").read_text().split()[:2])
    stranger.write_text(f"{server.address} {public}\n")
    argv = server.ssh_argv(["true"], options=["-o", f"UserKnownHostsFile={stranger}"])
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_a_quadlet_container_is_healthy_and_published(server: Server) -> None:
    """A rootless unit that waits for its health answers from outside, also after a kill."""
    folder = "/home/deploy/.config/containers/systemd"
    server.run(["mkdir", "-p", folder])
    server.run(["tee", f"{folder}/web.container"], input=WEB)
    server.run(["systemctl", "--user", "daemon-reload"])
    server.run(["systemctl", "--user", "start", "web"])
    assert _answers(server, 8080)
    server.run(["sync"])
    server.kill()
    server.start()
    server.run(["systemctl", "--user", "start", "web"])
    assert _answers(server, 8080)
    server.run(["rm", f"{folder}/web.container"])
    server.run(["systemctl", "--user", "stop", "web"])


def test_a_power_cut_loses_what_was_not_synced(server: Server) -> None:
    """After a kill the fsynced file is whole and the other one has lost its content."""
    write = (
        "import os\n"
        "kept = os.open('kept', os.O_CREAT | os.O_WRONLY)\n"
        "os.write(kept, b'kept')\n"
        "os.fsync(kept)\n"
        "os.sync()\n"
        "open('lost', 'w').write('lost')\n"
    )
    server.run(["python3", "-c", write])
    server.kill()
    assert server.state() == "stopped"
    server.start()
    assert server.run(["cat", "kept"]).stdout == "kept"
    assert server.run(["cat", "lost"], check=False).stdout == ""


def test_a_power_cut_is_silent(server: Server) -> None:
    """An open connection gets no FIN and no RST from a server that lost its power."""
    server.run(["sh", "-c", "nohup python3 -m http.server 9000 >/dev/null 2>&1 &"])
    with _connect(server, 9000) as connection:
        server.kill()
        connection.settimeout(1)
        with pytest.raises(TimeoutError):
            connection.recv(1)
    server.start()


def test_a_stop_is_an_orderly_one(server: Server) -> None:
    """Units are stopped, and what they write last is there after the next start."""
    unit = (
        "[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n"
        "ExecStop=touch /home/deploy/stopped\n[Install]\nWantedBy=multi-user.target\n"
    )
    path = "/etc/systemd/system/witness.service"
    server.run(["tee", path], input=unit, user="root")
    server.run(["systemctl", "enable", "--now", "witness"], user="root")
    server.stop()
    assert server.state() == "stopped"
    server.start()
    assert server.run(["ls", "stopped"]).stdout == "stopped\n"


def test_a_full_disk_is_full_and_can_be_freed(server: Server) -> None:
    """Writing to a filled disk fails with ENOSPC until it is freed."""
    server.fill_disk()
    write = ["sh", "-c", "head -c 65536 /dev/zero > more"]
    full = server.run(write, check=False)
    assert "No space left on device" in full.stderr
    server.free_disk()
    server.run(write)


def test_a_cut_in_the_network_has_a_direction(lab: Lab) -> None:
    """Cut one way, requests do not arrive and the other way they do; healed, both do."""
    a, b = lab.servers
    for one in (a, b):
        one.start()
        one.run(["sh", "-c", "nohup python3 -m http.server 9100 >/dev/null 2>&1 &"])
    _connect(a, 9100).close()
    _connect(b, 9100).close()

    def reaches(source: Server, to: Server) -> bool:
        send = f"import socket as s; s.socket(2, 2).sendto(b'x', ('{to.address}', 9200))"
        hear = "import socket as s; u = s.socket(2, 2); u.bind(('', 9200)); u.settimeout(1.5); "
        listener = subprocess.Popen(
            to.ssh_argv(["python3", "-c", hear + "print('ready', flush=True); u.recv(1)"]),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert listener.stdout is not None
        listener.stdout.readline()
        source.run(["python3", "-c", send])
        listener.stdout.close()
        return listener.wait() == 0

    lab.network_cut(a.name, b.name, one_way=True)
    assert not reaches(a, b)
    assert reaches(b, a)
    lab.heal()
    assert reaches(a, b)


def test_up_again_changes_nothing(lab: Lab, server: Server) -> None:
    """A second up of a running server leaves it running as it was."""
    before = server.run(["systemctl", "show", "-p", "UserspaceTimestampMonotonic"]).stdout
    Lab.up([server.name], images=False)
    assert server.run(["systemctl", "show", "-p", "UserspaceTimestampMonotonic"]).stdout == before
    assert {one["state"] for one in lab.as_dict()["servers"]} == {"running"}


def test_another_variant_under_the_same_name_is_refused(server: Server) -> None:
    """A prepared server does not become a bare one by up --bare."""
    with pytest.raises(InputError, match="already") as refused:
        Lab.up([server.name], bare=True, images=False)
    assert refused.value.code == "lab-other-variant"


def test_a_bare_server_is_not_prepared() -> None:
    """A bare one without Podman has root, Python and working package sources, and no more."""
    lab = Lab.up(["test-lab-bare"], bare=True, podman=False, disk_gb=2, images=False)
    try:
        server = lab.server("test-lab-bare")
        assert server.user == "root"
        assert server.run(["id", "deploy"], check=False).returncode == 1
        assert server.run(["sh", "-c", "command -v podman"], check=False).returncode != 0
        server.run(["python3", "--version"])
        server.run(["apt-get", "-qq", "update"])
        found = server.run(["apt-cache", "policy", "podman"]).stdout
        assert "Candidate: 5." in found
    finally:
        lab.down()


def _connect(server: Server, port: int) -> socket.socket:
    """A connection, once the program that was just started listens."""
    deadline = time.monotonic() + 5
    while True:
        try:
            return socket.create_connection((server.address, port), timeout=5)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


def _answers(server: Server, port: int) -> bool:
    with _connect(server, port) as connection:
        connection.sendall(b"GET /etc/passwd HTTP/1.0\r\n\r\n")
        return connection.recv(12) == b"HTTP/1.1 200"
