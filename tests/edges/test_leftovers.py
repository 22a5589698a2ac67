"""Which of the builder's own copies may go, and that they do with a real builder."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tidegate.edges import leftovers
from tidegate.edges.leftovers import CANDIDATES, FRESH_S, MOST, NEWEST

NOW = 1_000_000.0
OLD = NOW - FRESH_S - MOST


def made(count: int, began: float = OLD) -> list[tuple[float, list[str]]]:
    """So many candidates, a second apart, the oldest first."""
    return [(began + n, [f"{CANDIDATES}:{n}"]) for n in range(count)]


def test_few_stay() -> None:
    """Up to MOST of them nothing goes."""
    assert leftovers.surplus(made(MOST), NOW, ()) == []


def test_the_oldest_go() -> None:
    """With one more, the NEWEST stay; one at work, a young one and a stranger's stay, too."""
    found = made(MOST + 1)
    gone = {f"{CANDIDATES}:{n}" for n in range(MOST + 1 - NEWEST)}
    assert set(leftovers.surplus(found, NOW, ())) == gone
    assert set(leftovers.surplus(found, NOW, [f"{CANDIDATES}:0"])) == gone - {f"{CANDIDATES}:0"}
    found[0][1].append("docker.io/library/postgres:17")
    assert set(leftovers.surplus(found, NOW, ())) == gone
    assert leftovers.surplus(made(MOST + 1, NOW - 60), NOW, ()) == []


@pytest.mark.lab
@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_a_builder_loses_them(
    builder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a real builder lists is understood, and what is surplus is gone from it."""
    name = f"localhost/tidegate-test/{builder}"
    monkeypatch.setattr(leftovers, "CANDIDATES", name)
    monkeypatch.setattr(leftovers, "MOST", 2)
    monkeypatch.setattr(leftovers, "NEWEST", 1)
    for n in range(3):
        (tmp_path / "file").write_text(str(n))
        made = {"podman": ("build", "--quiet"), "buildah": ("build", "--quiet", "--layers")}
        (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY file /\n")
        run(builder, *made[builder], f"--timestamp={n}", f"--tag={name}:{n}", str(tmp_path))
    there = ("images", "--format={{.Tag}}", f"--filter=reference={name}")
    try:
        leftovers.tidy(builder, {f"{name}:0"})
        assert sorted(run(builder, *there).split()) == ["0", "2"]
        leftovers.tidy(builder, ())
        assert sorted(run(builder, *there).split()) == ["0", "2"]  # no more than MOST
    finally:
        run(builder, "rmi", *(f"{name}:{n}" for n in run(builder, *there).split()))


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
