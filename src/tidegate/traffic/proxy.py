"""What the configurations of fronts and of the edge share: process, timeouts, servers, modes.

Source: https://docs.haproxy.org/3.0/configuration.html
"""

from __future__ import annotations

import hashlib
from typing import List, Optional, Sequence, Tuple

from tidegate.traffic.model import Check

# Where the folder with configuration, maps and sockets is inside the proxy's container.
FOLDER = "/run/tidegate"
STAMP = "TIDEGATE_STAMP"
# What a map says of a service that has no live copy; a backend without servers answers 503.
NOBODY = "none"
# Times of the last answered requests: a ring in memory, read over the admin socket.
RING = "latencies"
# A port in mode `auto` waits so long for the client's first bytes. A protocol in which the
# server speaks first pays it once a connection, unless the port is declared as tcp.
SNIFF = "200ms"


def process(descriptors: int) -> List[str]:
    """The global section: small, quiet, controlled over sockets in FOLDER.

    As many connections as the descriptors that the container may open allow, at most
    `descriptors` (two a connection): a fixed number would not start where limits are lower.
    """
    return [
        "global",
        f"  fd-hard-limit {descriptors}",
        "  nbthread 1",
        f"  stats socket {FOLDER}/admin.sock mode 600 level admin",
        "  hard-stop-after 1h",
        "  tune.bufsize 16384",
        "",
        f"ring {RING}",
        "  format raw",
        "  maxlen 128",
        "  size 65536",
        "",
    ]


def defaults() -> List[str]:
    """Nothing long-lived is cut; what cannot be connected is tried again.

    Each request is in the ring; what is raised to an error (see OWN_ANSWERS) is in the journal,
    too, with the reason in two letters (configuration.html, 8.5).
    """
    return [
        "defaults",
        f"  log ring@{RING} format raw local0",
        "  log stdout format raw local0 err",
        '  log-format "%ts %b %ST %Ta"',
        "  option idle-close-on-response",
        "  option redispatch 1",
        "  retries 3",
        "  retry-on conn-failure",
        "  timeout connect 2s",
        "  timeout client 1h",
        "  timeout server 1h",
        "  timeout tunnel 24h",
        "  timeout client-fin 30s",
        "  timeout http-request 30s",
        "  timeout http-keep-alive 1h",
        "  timeout queue 30s",
        "",
    ]


# An answer that the proxy had to make itself, such as a 503, is a line of its journal.
OWN_ANSWERS = (
    "  http-response set-var(txn.answered) bool(true)",
    "  http-after-response set-log-level err if !{ var(txn.answered) -m bool }",
)


def kinds(mode: str) -> Tuple[str, ...]:
    """The kinds of backends that a port of `mode` needs."""
    return ("http", "tcp") if mode == "auto" else (mode,)


def frontend_mode(mode: str) -> List[str]:
    """A frontend's mode; `auto` goes over to HTTP/1 when the first bytes are a request.

    HTTP/2 without TLS (gRPC) begins with "PRI": it passes untouched, because servers that
    speak it often speak nothing else, and HAProxy would hand them HTTP/1.
    """
    if mode != "auto":
        return [f"  mode {mode}"]
    return [
        "  mode tcp",
        f"  tcp-request inspect-delay {SNIFF}",
        "  tcp-request content set-var(sess.http) bool(true) if HTTP !{ method PRI }",
        "  tcp-request content switch-mode http if { var(sess.http) -m bool }",
    ]


def only_if(kind: str, mode: str) -> str:
    """The condition under which a port of `mode` leads to its backends of `kind`, or nothing."""
    return "{ var(sess.http) -m bool }" if kind == "http" and mode == "auto" else ""


def backend(
    name: str,
    kind: str,
    targets: Sequence[Tuple[str, int]],
    check: Optional[Check] = None,
    options: Sequence[str] = (),
) -> List[str]:
    """One slot's servers. A copy that fails its check only loses to copies that pass.

    The last line of defence is the same servers without a check: a busy copy is better than a
    503 from a proxy that gave up on the only one there is.
    """
    lines = [f"backend {name}", f"  mode {kind}", "  balance leastconn", *options]
    lines += OWN_ANSWERS if kind == "http" else ()
    checked = ""
    if check is not None:
        lines += [f"  option httpchk GET {check.path}", "  option allbackups"]
        checked = (
            f" check port {{port}} inter 500ms fastinter 250ms downinter 500ms "
            f"fall {check.fall} rise 1"
        )
        lines.append(f"  timeout check {round(check.timeout_s * 1000)}ms")
    for index, (address, port) in enumerate(targets, 1):
        words = checked.format(port=(check.port or port) if check else port)
        lines.append(f"  server s{index} {at(address)}:{port}{words}")
    if check is not None:
        lines += [
            f"  server u{index} {at(address)}:{port} backup"
            for index, (address, port) in enumerate(targets, 1)
        ]
    return [*lines, ""]


def at(address: str) -> str:
    """An address as HAProxy wants it before a port."""
    return f"[{address}]" if ":" in address else address


def stamped(lines: Sequence[str]) -> str:
    """The file's text with its own digest inside, so that a running process can be asked."""
    body = "\n".join(lines).rstrip("\n") + "\n"
    digest = hashlib.sha256(body.encode()).hexdigest()[:16]
    return body.replace("global\n", f"global\n  setenv {STAMP} {digest}\n", 1)


def stamp_of(text: str) -> str:
    """The digest inside a configuration's text, empty where there is none."""
    for line in text.splitlines():
        words = line.split()
        if words[:2] == ["setenv", STAMP]:
            return words[2]
    return ""
