"""A front in a real HAProxy: which copy answers, for every kind of caller and protocol."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.traffic.loopback import free_port, get, proxied, served, told
from tidegate.host import front
from tidegate.traffic.admin import Admin, AdminError
from tidegate.traffic.model import FrontSpec, Port

COPY_A, COPY_B, NEW_CALLER = "127.0.0.2", "127.0.0.3", "127.0.0.9"

pytestmark = pytest.mark.lab


class Front(NamedTuple):
    """A running front of two copies, on loopback."""

    folder: Path
    port: int

    def call(self, source: str = "127.0.0.1") -> socket.socket:
        """A new connection of a caller."""
        address = ("127.0.0.1", self.port)
        return socket.create_connection(address, 5, source_address=(source, 0))


@contextlib.contextmanager
def running(folder: Path, mode: str) -> Iterator[Front]:
    """A front of copies a and b; a is live.

    The copies have the same port here, so the front must not take every address.
    """
    port = free_port()
    spec = FrontSpec("hello", "web", (Port(port, mode),), {"a": (COPY_A,), "b": (COPY_B,)})
    front.write_front(folder, spec, "a")
    config = folder / front.CONFIG
    config.write_text(config.read_text().replace(f":::{port} v4v6", f"127.0.0.1:{port}"))
    with served("a", COPY_A, port), served("b", COPY_B, port), proxied(folder):
        yield Front(folder, port)


@pytest.fixture(params=["http", "auto"])
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    """A front for HTTP, declared or found out."""
    with running(tmp_path, request.param) as found:
        yield found


@pytest.fixture
def auto(tmp_path: Path) -> Iterator[Front]:
    """A front that finds the protocol out."""
    with running(tmp_path, "auto") as found:
        yield found


def test_a_switch_turns_the_next_request_of_an_open_connection(web: Front) -> None:
    """Keep-alive callers meet the new copy with their next request, and the old one again."""
    with web.call() as connection:
        met = []
        for slot in ("a", "b", "a"):
            front.set_live(web.folder, slot)
            met.append(get(connection))
    assert met == ["a", "b", "a"]
    assert front.get_live(web.folder) == "a"


def test_new_copies_meet_new_copies_before_the_switch(web: Front) -> None:
    """The caller's address decides first; nobody else gets to an unverified copy."""
    front.set_callers(web.folder, {NEW_CALLER: "b"})
    with web.call(NEW_CALLER) as new, web.call() as old:
        assert (get(new), get(old)) == ("b", "a")
    front.set_callers(web.folder, {})
    with web.call(NEW_CALLER) as new:
        assert get(new) == "a"


def test_a_request_in_flight_ends_where_it_began(web: Front) -> None:
    """A slow answer of the old copy arrives whole after the switch; the drain waits for it."""
    answers: list[str] = []
    with web.call() as connection:
        slow = threading.Thread(target=lambda: answers.append(get(connection, "/slow")))
        slow.start()
        while front.counts(web.folder, "a").current == 0:
            pass
        front.set_live(web.folder, "b")
        assert front.drain(web.folder, "a", 5.0) == 0
        slow.join()
    assert answers == ["a"]


def test_nobody_live_is_a_503(web: Front) -> None:
    """A service that has no copy yet answers at once, and clearly; the journal says why."""
    with web.call() as connection:
        assert get(connection) == "a"
        (web.folder / front.LIVE).write_text("live none\n")
        Admin(web.folder).put(front.LIVE, "live", "none")
        assert get(connection) == "503"
    until = time.monotonic() + 5
    while not (said := (web.folder / "journal").read_text()) and time.monotonic() < until:
        time.sleep(0.01)
    assert re.fullmatch(r"SC http:\S+:none 503 \d+\n", said)


@pytest.mark.parametrize(
    "data",
    [
        b"hello world\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"get key\r\n",
        b"EHLO x\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["text", "redis", "memcached", "smtp", "tls", "postgres", "h2c"],
)
def test_whatever_is_not_http_1_passes_untouched(auto: Front, data: bytes) -> None:
    """The copy gets the very bytes, HTTP/2 without TLS (gRPC) among them."""
    with auto.call() as connection:
        assert told(connection, data) == b"a:" + data


def test_open_tcp_connections_stay_and_are_cut_at_the_deadline(auto: Front) -> None:
    """A switch leaves them with the old copy; the drain's deadline ends them, and counts them."""
    with auto.call() as old:
        assert told(old, b"one") == b"a:one"
        front.set_live(auto.folder, "b")
        assert told(old, b"two") == b"a:two"
        with auto.call() as new:
            assert told(new, b"one") == b"b:one"
        assert front.drain(auto.folder, "a", 0.1) == 1
        assert old.recv(10) == b""


def test_what_was_answered_is_counted(web: Front) -> None:
    """Requests, answers and times belong to the slot that gave them."""
    with web.call() as connection:
        for _ in range(3):
            get(connection)
    counts = front.counts(web.folder, "a")
    assert (counts.requests, counts.responses_2xx, counts.responses_5xx) == (3, 3, 0)
    assert front.counts(web.folder, "b").requests == 0


def test_a_folder_with_a_long_name_can_be_steered(auto: Front) -> None:
    """A socket's path may have 107 bytes; ours may be longer."""
    long = auto.folder / ("x" * 120)
    long.symlink_to(auto.folder)
    front.set_live(long, "b")
    with auto.call() as connection:
        assert get(connection) == "b"


def test_a_front_that_does_not_run_is_told_by_its_files(tmp_path: Path) -> None:
    """Only this is forgiven: nobody listens, so the files decide when it starts."""
    front.set_live(tmp_path, "b")
    front.set_callers(tmp_path, {NEW_CALLER: "a"})
    assert front.get_live(tmp_path) == "b"
    assert (tmp_path / front.CALLERS).read_text() == f"{NEW_CALLER} a\n"


def test_a_front_that_refuses_is_an_error(web: Front) -> None:
    """A map that the proxy does not have cannot be set, and nobody believes it was."""
    with pytest.raises(AdminError, match="Unknown map"):
        Admin(web.folder).put("other.map", "live", "b")
