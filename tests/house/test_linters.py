"""The linters are content: ruff, mypy --strict with the tests, import-linter's layers, sh -n."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = [
    *(path for path in sorted((ROOT / "scripts").iterdir()) if path.is_file()),
    ROOT / ".ci/run",
    *sorted((ROOT / "src").rglob("*.sh")),
]


def told(program: str, *arguments: str) -> str:
    """What a program of the environment says, empty when it is content."""
    path = Path(sys.executable).with_name(program)
    done = subprocess.run([path, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def test_ruff_is_content() -> None:
    """No rule of ruff is broken in src, tests and benchmarks."""
    assert told("ruff", "check", "--quiet", ".") == ""


def test_mypy_is_content() -> None:
    """Every type holds, tests included, in strict mode."""
    assert told("mypy", "src", "tests") == ""


def test_imports_keep_the_layers() -> None:
    """Every import-linter contract of pyproject.toml is kept."""
    assert told("lint-imports", "--no-cache", "--no-logo") == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_scripts_parse(script: Path) -> None:
    """Each script parses as POSIX sh, or as what its first line names: bash or Python."""
    text = script.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    if "python" in first:
        compile(text, script.name, "exec")
        return
    shell = "bash" if "bash" in first else "sh"
    done = subprocess.run([shell, "-n", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
