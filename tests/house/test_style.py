"""The house style of the source, measured: sizes, names, docstrings, what old Pythons can read."""

from __future__ import annotations

import ast
import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = sorted((ROOT / "src").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))
TOOLS = sorted([*(ROOT / "benchmarks").rglob("*.py"), *(ROOT / "examples").rglob("*.py")])
ON_HOSTS = [path for path in SOURCE if path.parts[-2] in ("host", "traffic")]

LONGEST_FILE, LONGEST_FUNCTION = 400, 50
MEDIAN_FILE, MEDIAN_FUNCTION = 150, 8
BANNED_NAMES = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)(_|$)")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedError")


def shown(path: Path) -> str:
    """A path as people see it, below the project's root."""
    return str(path.relative_to(ROOT))


def tree(path: Path) -> ast.Module:
    """The file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=shown(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, inner ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def length(node: ast.stmt) -> int:
    """The lines of a statement."""
    return (node.end_lineno or node.lineno) - node.lineno + 1


def lines(path: Path) -> int:
    """The lines of a file."""
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize("paths", [SOURCE, TESTS, TOOLS], ids=["src", "tests", "tools"])
def test_files_are_short(paths: list[Path]) -> None:
    """No file has more than 400 lines."""
    assert [f"{shown(path)}: {lines(path)}" for path in paths if lines(path) > LONGEST_FILE] == []


@pytest.mark.parametrize("paths", [SOURCE, TESTS, TOOLS], ids=["src", "tests", "tools"])
def test_functions_are_short(paths: list[Path]) -> None:
    """No function has more than 50 lines."""
    long = [
        f"{shown(path)}:{node.lineno} {node.name}: {length(node)}"
        for path in paths
        for node in functions(path)
        if length(node) > LONGEST_FUNCTION
    ]
    assert long == []


def test_medians_are_small() -> None:
    """The median file of src has at most 150 lines, its median function at most 8."""
    sizes = [lines(path) for path in SOURCE if lines(path) > 1]
    spans = [length(node) for path in SOURCE for node in functions(path)]
    assert statistics.median(sizes) <= MEDIAN_FILE
    assert statistics.median(spans) <= MEDIAN_FUNCTION


def test_names_are_of_the_field() -> None:
    """No module, class or function is called a helper, a manager or utilities."""
    bad = [shown(path) for path in SOURCE if BANNED_NAMES.search(path.stem)]
    for path in SOURCE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                word = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", node.name).lower()
                if BANNED_NAMES.search(word):
                    bad.append(f"{shown(path)}:{node.lineno} {node.name}")
    assert bad == []


def test_every_module_says_its_claim() -> None:
    """Each module of src and tests begins with a docstring."""
    silent = [shown(p) for p in [*SOURCE, *TESTS] if lines(p) and not ast.get_docstring(tree(p))]
    assert silent == []


def test_public_names_say_their_claim() -> None:
    """Each public class and function at the top of a module of src has a docstring."""
    silent = [
        f"{shown(path)}:{node.lineno} {node.name}"
        for path in SOURCE
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []


def test_every_test_says_its_claim() -> None:
    """Each test function has a docstring."""
    silent = [
        f"{shown(path)}:{node.lineno} {node.name}"
        for path in TESTS
        for node in functions(path)
        if node.name.startswith("test_") and not ast.get_docstring(node)
    ]
    assert silent == []


def test_nothing_is_left_unfinished() -> None:
    """No mark of unfinished work stands in src, scripts or benchmarks."""
    scripts = [path for path in (ROOT / "scripts").iterdir() if path.is_file()]
    marks = [
        f"{shown(path)}:{number} {line.strip()}"
        for path in [*SOURCE, *TOOLS, *scripts]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if UNFINISHED.search(line)
    ]
    assert marks == []


@pytest.mark.parametrize("path", ON_HOSTS, ids=shown)
def test_host_code_is_python_3_9_and_standard_library(path: Path) -> None:
    """What runs on a server parses as Python 3.9 and imports the standard library and itself."""
    parsed = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    allowed = {"tidegate.host", "tidegate.traffic"}
    for node in ast.walk(parsed):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{shown(path)}:{node.lineno} imports relatively"
            names = [node.module or ""]
            if node.module == "tidegate":
                names = [f"tidegate.{alias.name}" for alias in node.names]
        for name in names:
            ours = any(name == base or name.startswith(f"{base}.") for base in allowed)
            assert ours or name.split(".")[0] in sys.stdlib_module_names, (
                f"{shown(path)}:{getattr(node, 'lineno', 0)} imports {name}"
            )


@pytest.mark.parametrize("path", ON_HOSTS, ids=shown)
def test_host_code_has_no_new_runtime_syntax(path: Path) -> None:
    """No slotted dataclass and no ``match`` runs on a server, and annotations stay text."""
    text = path.read_text(encoding="utf-8")
    parsed = ast.parse(text, feature_version=(3, 9))
    assert "slots=True" not in text
    if any(isinstance(node, ast.FunctionDef | ast.AnnAssign) for node in ast.walk(parsed)):
        assert "from __future__ import annotations" in text
