"""The health check of our services: ``python -S ask.py http://127.0.0.1:8000/health``.

Ends with 0 when the answer is 200. It imports no HTTP library, as it runs very often.
"""

import socket
import sys

address, _, path = sys.argv[1].removeprefix("http://").partition("/")
host, _, port = address.partition(":")
with socket.create_connection((host, int(port)), 2) as connection:
    connection.sendall(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
    sys.exit(b" 200 " not in connection.recv(64))
