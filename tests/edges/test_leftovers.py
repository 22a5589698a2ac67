"""Which of the builder's own copies may go, that they do with a real builder, and when."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tidegate.edges import builders, leftovers
from tidegate.edges.builders import Images
from tidegate.edges.leftovers import CANDIDATES, MOST, NEWEST, TESTED, Visit
from tidegate.edges.private_dir import runtime_dir
from tidegate.edges.store import Store
from tidegate.images.recipe import Recipe, recipe


def made(count: int) -> list[tuple[float, list[str]]]:
    """So many candidates, a second apart, the oldest first."""
    return [(float(n), [f"{CANDIDATES}:{n}"]) for n in range(count)]


def test_few_stay() -> None:
    """Up to MOST of them nothing goes."""
    assert leftovers.surplus(made(MOST)) == []


def test_the_oldest_go() -> None:
    """With one more, the NEWEST stay; what tests left goes; nothing of a stranger's does."""
    found = made(MOST + 1)
    gone = {f"{CANDIDATES}:{n}" for n in range(MOST + 1 - NEWEST)}
    assert set(leftovers.surplus(found)) == gone
    found[0][1].append("docker.io/library/postgres:17")
    found += [(0.0, ["localhost/tidegate/builder:1"]), (9e9, [f"{TESTED}:1"])]
    assert set(leftovers.surplus(found)) == {*gone, f"{TESTED}:1"}


def test_who_comes_first_tidies_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while anybody is there, however many come and go; when all went, and it is long ago."""
    lock, tidied = tmp_path / "lock", list[str]()
    first = Visit(lock, lambda: tidied.append("first"))
    second = Visit(lock, lambda: tidied.append("second"))
    first.end()
    Visit(lock, lambda: tidied.append("third"))
    assert tidied == ["first"]
    second.end()
    Visit(lock, lambda: tidied.append("fourth"))
    assert tidied == ["first"]
    monkeypatch.setattr(leftovers, "EVERY_S", 0.0)
    Visit(lock, lambda: tidied.append("fifth"))
    assert tidied == ["first", "fifth"]


def test_who_comes_meanwhile_waits(tmp_path: Path) -> None:
    """Nobody builds before who tidies up is done, and one who was killed holds nobody up."""
    lock, seen = tmp_path / "lock", list[str]()
    words = f"""if 1:
        from pathlib import Path
        from tidegate.edges.leftovers import Visit
        Visit(Path({str(lock)!r}), lambda: (print("in", flush=True), __import__("time").sleep(60)))
    """
    other = subprocess.Popen([sys.executable, "-c", words], stdout=subprocess.PIPE, text=True)
    assert other.stdout is not None
    assert other.stdout.readline() == "in\n"
    with ThreadPoolExecutor(1) as pool:
        mine = pool.submit(Visit, lock, lambda: seen.append("tidied"))
        with pytest.raises(TimeoutError):
            mine.result(timeout=0.5)
        other.kill()
        other.communicate()
        mine.result(timeout=10)
    assert seen == []


@pytest.fixture
def private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    """Names of our own, of which more than two are too many; the lock is ours alone, too."""
    theirs = Visit(runtime_dir() / "builder.lock", lambda: None)  # other tests' commands tidy later
    name = f"localhost/tidegate-check/{tmp_path.name.replace('_', '-').lower()}"
    monkeypatch.setattr(leftovers, "CANDIDATES", f"{name}/build")
    monkeypatch.setattr(leftovers, "TESTED", f"{name}/tested")
    monkeypatch.setattr(leftovers, "EVERY_S", 0.0)
    monkeypatch.setattr(leftovers, "MOST", 2)
    monkeypatch.setattr(leftovers, "NEWEST", 1)
    monkeypatch.setattr(builders, "runtime_dir", lambda: tmp_path)
    yield name
    run("podman", "rmi", "--ignore", *there(name))
    theirs.end()


@pytest.mark.lab
@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_a_builder_loses_them(builder: str, private: str, tmp_path: Path) -> None:
    """What a real builder lists is understood, and what is surplus is gone from it."""
    for n in range(3):
        lay(builder, tmp_path, f"{private}/build:{n}", n)
    lay(builder, tmp_path, f"{private}/tested:1", 9)
    leftovers.tidy(builder)
    assert there(private) == [f"{private}/build:2"]


@pytest.mark.lab
def test_nothing_goes_while_a_command_builds(private: str, tmp_path: Path) -> None:
    """Podman cannot build while an image goes: a second command leaves that to a third."""
    for n in range(3):
        lay("podman", tmp_path, f"{private}/build:{n}", n)
    before = set(there(private))

    def command(number: int) -> None:
        (tmp_path / "file").write_text(f"command {number}")
        images = Images(Store(), unasked)
        images.ensure(images.key(wanted(tmp_path)), lambda: None)

    visit = Visit(tmp_path / "builder.lock", lambda: None)
    command(1)
    assert before < set(there(private))
    visit.end()
    command(2)
    assert len(there(private)) == 2  # the newest, and its own


def lay(builder: str, folder: Path, tag: str, age: int) -> None:
    """An image of its own."""
    (folder / "file").write_text(tag)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY file /\n")
    run(builder, "build", "--quiet", "--layers", f"--timestamp={age}", f"--tag={tag}", str(folder))


def there(name: str) -> list[str]:
    """The tags below a name in the storage, which is of both builders."""
    lines = run("podman", "images", "--format={{.Repository}}:{{.Tag}}").splitlines()
    return sorted(line for line in lines if line.startswith(name))


def wanted(folder: Path) -> Recipe:
    return recipe({"context": str(folder)}, platform="", secrets={}, where=lambda _: None)


def unasked(name: str) -> str:
    raise AssertionError(name)


def run(*argv: str) -> str:
    return subprocess.run(argv, check=True, stdout=subprocess.PIPE, text=True).stdout
