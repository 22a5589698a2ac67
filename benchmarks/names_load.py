"""Calls a service by its name from inside a container, as another service would.

    python names_load.py NAME:PORT SECONDS KEEPALIVE NEW

KEEPALIVE workers hold one connection each, NEW workers make one per request. Nothing is tried
again: a request that gets no whole answer within 2 s has failed. Prints one line of JSON.
"""

import json
import socket
import sys
import threading
import time
from collections import Counter

TIMEOUT_S = 2.0


class Worker(threading.Thread):
    """One caller in a closed loop."""

    def __init__(self, target, until, keep):
        super().__init__(daemon=True)
        self.target, self.until, self.keep = target, until, keep
        self.times, self.failures, self.answers = [], Counter(), Counter()

    def run(self):
        connection = None
        while time.monotonic() < self.until:
            begin = time.perf_counter()
            try:
                if connection is None:
                    connection = socket.create_connection(self.target, TIMEOUT_S)
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                status, body = ask(connection, self.target[0])
                if status != 200:
                    raise OSError(f"status {status}")
                self.answers[body] += 1
                self.times.append(time.perf_counter() - begin)
            except OSError as problem:
                self.failures[f"{type(problem).__name__}: {problem}"] += 1
                connection = close(connection)
            if not self.keep:
                connection = close(connection)


def close(connection):
    """Close a connection, if there is one; there is none afterwards."""
    if connection is not None:
        connection.close()


def ask(connection, host):
    """One request and its whole answer: (status, body)."""
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError("closed without an answer")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.lower().split(b"\r\n")
        if line.startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split()[1]), body.decode()


def main():
    """Run the workers and print what they met."""
    name, _, port = sys.argv[1].rpartition(":")
    until = time.monotonic() + float(sys.argv[2])
    kinds = [True] * int(sys.argv[3]) + [False] * int(sys.argv[4])
    workers = [Worker((name, int(port)), until, keep) for keep in kinds]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    times = sorted(t for worker in workers for t in worker.times)
    total = sum((worker.failures for worker in workers), Counter())
    answers = sum((worker.answers for worker in workers), Counter())
    print(
        json.dumps(
            {
                "requests": len(times),
                "failed": sum(total.values()),
                "failures": dict(total.most_common(4)),
                "answers": dict(answers),
                "p50_us": round(times[len(times) // 2] * 1e6) if times else None,
                "p99_us": round(times[int(len(times) * 0.99)] * 1e6) if times else None,
            }
        )
    )


if __name__ == "__main__":
    main()
