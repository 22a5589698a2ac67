"""A health check that costs little: ``check.py http://HOST:PORT/PATH`` or ``tcp://HOST:PORT/``.

It imports no HTTP library: several copies are asked every 250 ms while they start.
"""

import socket
import sys

scheme, _, rest = sys.argv[1].partition("://")
address, _, path = rest.partition("/")
host, _, port = address.partition(":")
with socket.create_connection((host, int(port)), 2) as connection:
    if scheme == "http":
        connection.sendall(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
        if b" 200 " not in connection.recv(64):
            sys.exit(1)
