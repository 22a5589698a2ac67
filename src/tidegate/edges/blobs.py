"""A read-only registry on 127.0.0.1: hosts pull by digest through the SSH connection.

GET and HEAD of ``/v2/``, ``/v2/NAME/manifests/DIGEST``, ``/v2/NAME/blobs/DIGEST`` and
``/files/HEX``; ranges for an interrupted pull. Only what it was told to serve.
Source: https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md (pull).
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import BinaryIO

from tidegate.edges.store import Store

CHUNK = 1 << 18
_ROUTE = re.compile(r"/v2/(?P<name>[a-z0-9./_-]+)/(?P<kind>manifests|blobs)/(?P<digest>[a-z0-9:]+)")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class BlobServer:
    """Serves a store and companion files (``sha256:…`` → bytes) until it is closed."""

    def __init__(self, store: Store, files: Mapping[str, bytes]) -> None:
        self._store = store
        self._files = files
        self._count = threading.Lock()
        self.bytes_sent = 0
        server = self

        class Handler(_Handler):
            blobs = server

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.port = int(self._http.server_address[1])
        threading.Thread(target=self._http.serve_forever, name="blobs", daemon=True).start()

    def close(self) -> None:
        """Stop listening; running answers end with the process."""
        self._http.shutdown()
        self._http.server_close()

    def sent(self, count: int) -> None:
        """Add to the bytes sent; from many threads."""
        with self._count:
            self.bytes_sent += count

    def file(self, digest: str) -> bytes | None:
        """A companion file."""
        return self._files.get(digest)

    def blob(self, digest: str) -> Path | None:
        """A blob of the store."""
        path = self._store.path(digest) if _DIGEST.fullmatch(digest) else None
        return path if path is not None and path.is_file() else None


class _Handler(BaseHTTPRequestHandler):
    blobs: BlobServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._answer(body=True)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base's name)
        """Quiet: progress comes from the host's events."""

    def _answer(self, *, body: bool) -> None:
        if self.path in ("/v2", "/v2/"):
            self._bytes(b"{}", "application/json", "", body)
        elif self.path.startswith("/files/"):
            digest = f"sha256:{self.path.removeprefix('/files/')}"
            content = self.blobs.file(digest)
            if content is None:
                self._missing()
            else:
                self._bytes(content, "application/octet-stream", digest, body)
        else:
            self._image(body)

    def _image(self, body: bool) -> None:
        route = _ROUTE.fullmatch(self.path.partition("?")[0])
        path = self.blobs.blob(route["digest"]) if route else None
        if route is None or path is None:
            self._missing()
        elif route["kind"] == "manifests":
            content = path.read_bytes()
            kind = json.loads(content).get(
                "mediaType", "application/vnd.oci.image.manifest.v1+json"
            )
            self._bytes(content, kind, route["digest"], body)
        else:
            self._file(path, route["digest"], body)

    def _bytes(self, content: bytes, kind: str, digest: str, body: bool) -> None:
        self._head(HTTPStatus.OK, len(content), kind, digest)
        if body:
            self.wfile.write(content)
            self.blobs.sent(len(content))

    def _file(self, path: Path, digest: str, body: bool) -> None:
        size = path.stat().st_size
        wanted = _RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(wanted[1]) if wanted else 0
        last = min(int(wanted[2]), size - 1) if wanted and wanted[2] else size - 1
        if first > last:
            self._missing(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE)
            return
        status = HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK
        extra = {"Content-Range": f"bytes {first}-{last}/{size}"} if wanted else {}
        self._head(status, last - first + 1, "application/octet-stream", digest, extra)
        if body:
            with path.open("rb") as file:
                file.seek(first)
                self._copy(file, last - first + 1)

    def _copy(self, file: BinaryIO, count: int) -> None:
        while count:
            chunk = file.read(min(CHUNK, count))
            if not chunk:
                return
            self.wfile.write(chunk)
            self.blobs.sent(len(chunk))
            count -= len(chunk)

    def _head(
        self,
        status: HTTPStatus,
        length: int,
        kind: str,
        digest: str,
        extra: Mapping[str, str] | None = None,
    ) -> None:
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(length), "Accept-Ranges": "bytes"}
        named = {"Docker-Content-Digest": digest} if digest else {}
        version = {"Docker-Distribution-API-Version": "registry/2.0"}
        for name, value in {**headers, **named, **version, **(extra or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _missing(self, status: HTTPStatus = HTTPStatus.NOT_FOUND) -> None:
        content = b'{"errors":[{"code":"BLOB_UNKNOWN"}]}'
        self._head(status, len(content), "application/json", "")
        if self.command != "HEAD":
            self.wfile.write(content)
