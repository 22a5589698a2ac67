"""A small project of images: a base, two applications with tests, one without, one tool."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cli.schemas import check

TIDEGATE = Path(sys.executable).with_name("tidegate")

CONFIG = """\
version: 1
project: shop
{registry}
steps:
  page:
    run: [sh, -c, "mkdir -p dist; date +%N > made; cat page > dist/page"]
    in: libs/page
    inputs: [libs/page/page]
    outputs: [libs/page/dist]
applications:
  front: {{context: ., dockerfile: applications/front/Dockerfile, steps: [page]}}
  admin: {{context: ., dockerfile: applications/admin/Dockerfile, steps: [page]}}
environments: {{production: {{hosts: {{a: {{ssh: a@192.0.2.1}}}}}}}}
"""
JUNIT = '<testsuite><testcase name="a"/><testcase name="b"/></testsuite>'
SCRIPT = f"""\
#!/bin/sh
set -eu
test "$(cat /app/value)" != bad
test "$(id -u)" = 65534
echo '{JUNIT}' > "$TIDEGATE_REPORTS/junit.xml"
echo "value is $(cat value)"
"""
API = 'FROM shop/base\nUSER 65534\nWORKDIR /app\nCOPY value .\nCMD ["sleep", "inf"]\n'
FILES = {
    "compose.yaml": "services:\n  api: {build: applications/api}\n",
    ".gitignore": "dist/\nmade\n",
    "libs/page/page": "hello\n",
    "applications/base/Dockerfile": "FROM busybox:1\nRUN echo base > /base\n",
    "applications/api/Dockerfile": API,
    "applications/api/value": "good\n",
    "applications/api/README.md": "not in the image\n",
    "applications/api/entrypoint_test.sh": SCRIPT,
    "applications/front/Dockerfile": "FROM busybox:1\nCOPY libs/page/dist /page\n",
    "applications/admin/Dockerfile": "FROM busybox:1\nCOPY libs/page/dist /admin\n",
    "tools/probe/Dockerfile": "FROM scratch\nCOPY probe /probe\n",
    "tools/probe/probe": "probe\n",
}


@dataclass
class Project:
    """A folder with git, and the installed program."""

    folder: Path
    home: Path
    registry: str = ""  # with the path of this test alone

    @classmethod
    def make(cls, folder: Path, registry: str, home: Path) -> Project:
        """Written and committed."""
        place = f"{registry}/{zlib.crc32(str(home).encode()):x}"
        made = cls(folder, home, place)
        for name, text in FILES.items():
            made.write(name, text)
        (folder / "applications/api/entrypoint_test.sh").chmod(0o755)
        made.write("tidegate.yaml", CONFIG.format(registry=f"registry: {place}"))
        made.git("init", "-q", "-b", "main")
        made.commit("one")
        return made

    def write(self, name: str, text: str) -> None:
        """A file of the project."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def git(self, *words: str) -> str:
        """What git says."""
        identity = ("-c", "user.name=a", "-c", "user.email=a@example.com")
        argv = ("git", *identity, "-C", str(self.folder), *words)
        return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()

    def commit(self, message: str) -> None:
        """All that is there."""
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)

    def build(self, *words: str, status: int = 0) -> dict[str, Any]:
        """The answer of ``tidegate build --json``, by its schema; applications by name."""
        argv = [str(TIDEGATE), "build", *words, "--json"]
        done = subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == status, done.stderr
        data: dict[str, Any] = check(json.loads(done.stdout))
        data["applications"] = {one["name"]: one for one in data["applications"]}
        return data

    def refused(self, *words: str) -> dict[str, Any]:
        """The error of a build that does not begin."""
        argv = [str(TIDEGATE), "build", *words, "--json"]
        done = subprocess.run(argv, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.stdout == ""
        found: dict[str, Any] = json.loads(done.stderr.splitlines()[-1])["data"]
        return found
