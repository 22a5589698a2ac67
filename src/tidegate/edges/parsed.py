"""YAML that was read before: trees of nodes kept by the id that git gives a file's content.

The same bytes are the same tree, so a file that no commit changed is neither parsed again nor
is the parser imported, which is a third of what a short command costs.
"""

from __future__ import annotations

from tidegate.compose.files import Allowance
from tidegate.compose.nodes import Node, Timestamp
from tidegate.edges import kept

FORMAT = 1
MOST = 2_000  # files kept; with one more all of them are dropped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_fresh: dict[str, tuple[int, list[Any]]] = {}  # read, and not yet written


def roots(text: str, file: str, blob: str, allowance: Allowance) -> list[Node]:
    """The documents of a file; ``blob`` is the id of its content, "" where it has none."""
    if not blob:
        return _read(text, file, allowance)
    known = kept.read(f"{_folder()}/{blob}")
    if known is not None:
        values, trees = known
        allowance.take_values(values, (file, 0, 0))
        return [_node(tree, file) for tree in trees]
    before = allowance.values
    found = _read(text, file, allowance)
    memo: dict[int, Any] = {}
    _fresh[blob] = before - allowance.values, [_plain(root, memo) for root in found]
    return found


def keep() -> None:
    """Write what was read; a cache that cannot be written is none.

    Whoever reads calls it in the end, so that bad input leaves nothing behind.
    """
    if not _fresh:
        return
    kept.write(_folder(), _fresh, MOST)
    _fresh.clear()


def _read(text: str, file: str, allowance: Allowance) -> list[Node]:
    from tidegate.compose.document import read
    from tidegate.compose.files import Source

    return [one.root for one in read(Source(file, text), allowance)]


def _folder() -> str:
    return kept.folder("yaml", FORMAT)


def _plain(node: Node, memo: dict[int, Any]) -> Any:
    """A tree as tuples, without the file's name; what an alias shares stays shared."""
    found = memo.get(id(node))
    if found is None:
        value: Any = node.value
        kind = 0
        if isinstance(value, dict):
            kind, value = 1, [(key, _plain(child, memo)) for key, child in value.items()]
        elif isinstance(value, list):
            kind, value = 2, [_plain(child, memo) for child in value]
        elif isinstance(value, Timestamp):
            kind, value = 3, value.text
        found = memo[id(node)] = (kind, value, node.at[1:], node.key_at and node.key_at[1:])
    return found


def _node(tree: Any, file: str) -> Node:
    kind, value, at, key_at = tree
    if kind == 1:
        value = {key: _node(child, file) for key, child in value}
    elif kind == 2:
        value = [_node(child, file) for child in value]
    elif kind == 3:
        value = Timestamp(value)
    return Node(value, (file, *at), (file, *key_at) if key_at else None)
