"""Build the zipapp that goes to servers: the same bytes from the same source, always.

Runs on the controller. The archive holds `tidegate.host` and `tidegate.traffic`, which use
nothing but the standard library.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path
from typing import List

PARTS = ("host", "traffic")
# The oldest date that a zip file can hold: times must not change the digest.
EPOCH = (1980, 1, 1, 0, 0, 0)

MAIN = """\
import sys

from tidegate.host.commands import main

sys.exit(main())
"""


def zipapp() -> bytes:
    """The archive's bytes, to be run by `python3 FILE`."""
    package = Path(__file__).resolve().parents[1]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        _add(archive, "__main__.py", MAIN.encode())
        for path in _sources(package):
            name = path.relative_to(package.parent).as_posix()
            _add(archive, name, path.read_bytes())
    return buffer.getvalue()


def digest12(data: bytes) -> str:
    """The 12 digits that name an archive on servers."""
    return hashlib.sha256(data).hexdigest()[:12]


def _sources(package: Path) -> List[Path]:
    found = [package / "__init__.py"]
    for part in PARTS:
        found += sorted((package / part).rglob("*.py"))
    return found


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    info = zipfile.ZipInfo(name, EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)
