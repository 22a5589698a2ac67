"""What holds of any commit: each file is told once, and a file that is nobody's changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.changes.decide import Decision, decide
from tidegate.changes.directives import Orders
from tidegate.changes.project import project
from tidegate.changes.survey import Root
from tidegate.changes.surveying import compare, survey
from tidegate.compose.document import read
from tidegate.compose.files import Allowance, Source
from tidegate.compose.nodes import Node
from tidegate.repo.diff import FileChange

FILES: dict[str, str] = yaml.safe_load(
    Path(__file__).with_name("cases.yaml").read_text(encoding="utf-8")
)["project"]
ROOT = Root("", "tidegate.yaml", "shop")
FOLDERS = sorted({name.rpartition("/")[0] for name in FILES} | {"docs", "libs", "tools/x"})
NAMES = st.text("ab.*[é \n", min_size=1, max_size=6).filter(lambda name: name not in (".", ".."))
NEW = st.builds(lambda folder, name: f"{folder}/{name}" if folder else name,
                st.sampled_from(FOLDERS), NAMES)  # fmt: skip
KNOWN = st.sampled_from(sorted(FILES))
CHANGES = st.lists(
    st.one_of(
        st.builds(lambda path: FileChange("A", path), NEW),
        st.builds(lambda path, kind: FileChange(kind, path), KNOWN, st.sampled_from("MD")),
        st.builds(lambda old, path: FileChange("R", path, old), KNOWN, NEW),
    ),
    max_size=8,
    unique_by=lambda change: change.path,
)


class Memory:
    """A commit in memory."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    def fetch(self, paths: object) -> None:
        """Everything is here already."""

    def text(self, path: str) -> str | None:
        """A file's text."""
        return self.files.get(path)

    def documents(self, path: str, allowance: Allowance) -> list[Node]:
        """The YAML documents of a file."""
        return [one.root for one in read(Source(path, self.files[path]), allowance)]

    def names(self, path: str) -> Mapping[str, str]:
        """The names in a folder."""
        start = f"{path}/" if path else ""
        rest = [name.removeprefix(start) for name in self.files if name.startswith(start)]
        return {name.partition("/")[0]: "40000" if "/" in name else "100644" for name in rest}


TREE = Memory(FILES)
NOW = project(TREE, ROOT)
FEW = settings(deadline=None, max_examples=60)


def decided(changes: list[FileChange]) -> Decision:
    """The answer for changes that leave every definition as it is."""
    found = survey(NOW, TREE, ROOT)
    compare(found, NOW, TREE, TREE, changes, ROOT)
    return decide(changes, found, Orders())


@FEW
@given(CHANGES)
def test_every_file_is_told_once(changes: list[FileChange]) -> None:
    """Each file stands in the answer once; each item's reasons are just the files' rules."""
    found = decided(changes)
    assert [one.change for one in found.files] == changes
    for items in (found.applications, found.services):
        for item in items.values():
            told = [one.file for one in item.because if one.file]
            kind = "service" if items is found.services else "application"
            assert told == [f.change.path for f in found.files if (kind, item.name) in f.whose]
            assert (item.action == "nothing") == (not item.because)


@FEW
@given(CHANGES, NEW)
def test_a_file_that_is_nobodys_changes_nothing(changes: list[FileChange], path: str) -> None:
    """Adding a file that no rule wants leaves every application and service as it was."""
    more = FileChange("A", path)
    others = [one for one in changes if one.path != path]
    with_it = decided([*others, more])
    if not with_it.files[-1].whose:
        without = decided(others)
        assert with_it.applications == without.applications
        assert with_it.services == without.services


@FEW
@given(CHANGES, CHANGES)
def test_more_files_never_need_less(some: list[FileChange], others: list[FileChange]) -> None:
    """What a few files need is needed with more of them, too."""
    paths = {one.path for one in some}
    few, many = decided(some), decided(some + [one for one in others if one.path not in paths])
    for part in ("applications", "services"):
        for name, item in getattr(few, part).items():
            assert item.action in ("nothing", getattr(many, part)[name].action)
