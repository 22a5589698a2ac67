"""The stand-ins behave as the official images do where compose files rely on it."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tidegate.lab import Lab, Server

pytestmark = pytest.mark.lab
HUB = "docker.io/library/"


@pytest.fixture
def podman(lab: Lab) -> Iterator[Server]:
    """A server where docker.io is the lab's registry; its containers are gone afterwards."""
    if not lab.registry.needed():
        pytest.skip("docker.io is in reach: the real images are used")
    server = lab.server("test-lab-b")
    server.start()
    yield server
    server.run(["podman", "rm", "--all", "--force", "--time=0", "--volumes"])


def once(server: Server, image: str, *command: str) -> str:
    """What a command in a new container writes."""
    return server.run(["podman", "run", "--quiet", "--rm", HUB + image, *command]).stdout


def until(server: Server, *command: str) -> None:
    """Repeat a command in the container ``it`` until it succeeds."""
    deadline = time.monotonic() + 20
    while server.run(["podman", "exec", "it", *command], check=False).returncode != 0:
        assert time.monotonic() < deadline, server.run(["podman", "logs", "it"]).stderr
        time.sleep(0.2)


def test_postgres_is_initialised_from_variables_and_files(podman: Server) -> None:
    """User, password and database come from variables, scripts run once, SIGINT ends it well."""
    podman.run(["mkdir", "-p", "init"])
    podman.run(["tee", "init/1.sql"], input="create table t (x int); insert into t values (42);")
    podman.run(["tee", "init/2.sh"], input='psql -U "$POSTGRES_USER" -c "insert into t values (1)"')
    options = ["-e", "POSTGRES_USER=hello", "-e", "POSTGRES_PASSWORD=se", "-e", "PGPASSWORD=se"]
    mounts = ["-v", "./init:/docker-entrypoint-initdb.d", "-v", "data:/var/lib/postgresql/data"]
    podman.run(["podman", "run", "-dq", "--name=it", *options, *mounts, f"{HUB}postgres:17"])
    until(podman, "pg_isready", "-h", "127.0.0.1", "-U", "hello")
    ask = ["psql", "-h", "127.0.0.1", "-U", "hello", "-Atc", "select sum(x), version() from t"]
    answer = podman.run(["podman", "exec", "it", *ask]).stdout
    assert answer.startswith("43|PostgreSQL 17.")
    podman.run(["podman", "stop", "it"])
    podman.run(["podman", "start", "it"])
    until(podman, "pg_isready", "-h", "127.0.0.1", "-U", "hello")
    log = podman.run(["podman", "logs", "it"])
    assert "Skipping initialization" in log.stdout
    assert "was not properly shut down" not in log.stderr
    user = podman.run(["podman", "top", "it", "user", "pid"]).stdout.split()
    assert user[2:4] == ["postgres", "1"]


def test_postgres_without_a_password_says_so(podman: Server) -> None:
    """The official error for a missing POSTGRES_PASSWORD ends the container."""
    done = podman.run(["podman", "run", "-q", "--rm", f"{HUB}postgres:17"], check=False)
    assert done.returncode == 1
    assert "superuser password is not specified" in done.stderr


def test_redis_answers_other_containers(podman: Server) -> None:
    """There is no protected mode, and the server runs as redis."""
    podman.run(["podman", "run", "-dq", "--name=it", "-p", "6379:6379", f"{HUB}redis:7"])
    until(podman, "redis-cli", "ping")
    ask = "import socket; s = socket.create_connection(('127.0.0.1', 6379)); "
    ask += "s.sendall(b'PING\\r\\n'); print(s.recv(9))"
    assert podman.run(["python3", "-c", ask]).stdout == "b'+PONG\\r\\n'\n"
    assert podman.run(["podman", "top", "it", "user"]).stdout.split()[1] == "redis"


def test_python_has_the_official_paths(podman: Server) -> None:
    """python and pip are in /usr/local, and pip installs there without asking."""
    code = "import sys; print(sys.prefix, sys.executable)"
    assert (
        once(podman, "python:3.12-slim", "python", "-c", code)
        == "/usr/local /usr/local/bin/python\n"
    )
    where = once(podman, "python:3.12-slim", "pip", "--version")
    assert "from /usr/local/lib/python3" in where
    argv = ["podman", "run", "-q", "--rm", f"{HUB}python:3.12-slim"]
    done = podman.run([*argv, "pip", "install", "--no-index", "flask"], check=False)
    assert "No matching distribution" in done.stderr
    assert "externally-managed" not in done.stderr


def test_haproxy_runs_as_its_user_with_master_and_workers(podman: Server) -> None:
    """The entry point adds -W -db, as the official one does, and nothing runs as root."""
    config = "defaults\n mode http\n timeout client 1s\nfrontend f\n bind :8080\n"
    podman.run(["tee", "haproxy.cfg"], input=config)
    mount = "./haproxy.cfg:/usr/local/etc/haproxy/haproxy.cfg:ro"
    podman.run(["podman", "run", "-dq", "--name=it", "-v", mount, f"{HUB}haproxy:3.0"])
    until(podman, "sh", "-c", "echo | socat - tcp:127.0.0.1:8080")
    lines = podman.run(["podman", "top", "it", "user", "args"]).stdout.splitlines()[1:]
    assert len(lines) == 2
    for line in lines:
        assert line.split()[0] == "haproxy"
        assert " -W -db -f /usr/local/etc/haproxy/haproxy.cfg" in line


def test_nginx_serves_its_page_and_templates(podman: Server) -> None:
    """The default page is served, and a template becomes configuration."""
    podman.run(["mkdir", "-p", "templates"])
    template = "server { listen 81; location / { return 200 '${WORD}'; } }"
    podman.run(["tee", "templates/x.conf.template"], input=template)
    mount = "./templates:/etc/nginx/templates"
    options = ["-e", "WORD=hello", "-v", mount]
    podman.run(["podman", "run", "-dq", "--name=it", *options, f"{HUB}nginx:1"])
    until(podman, "curl", "-fsS", "-o", "/dev/null", "http://127.0.0.1/")
    said = podman.run(["podman", "exec", "it", "curl", "-fsS", "http://127.0.0.1:81/"]).stdout
    assert said == "hello"


def test_busybox_is_small_and_looks_up_names(podman: Server) -> None:
    """Its applets are there, and wget finds a host by name."""
    assert once(podman, "busybox:1", "sh", "-c", "echo $((6 * 7))") == "42\n"
    host = "--add-host=web.example:127.0.0.1"
    script = "httpd -p 8000 -h /etc && wget -q -O - http://web.example:8000/passwd"
    argv = ["podman", "run", "-q", "--rm", host, f"{HUB}busybox:1", "sh", "-c", script]
    done = podman.run(argv)
    assert done.stdout.startswith("root:")


def test_an_image_that_is_not_there_is_unknown_at_once(podman: Server) -> None:
    """There is no long wait for a registry that cannot be reached."""
    begin = time.monotonic()
    done = podman.run(["podman", "pull", "-q", f"{HUB}no-such-image:1"], check=False)
    assert done.returncode != 0
    assert "manifest unknown" in done.stderr
    assert time.monotonic() - begin < 5
