"""The short form of a volume, `SOURCE:TARGET:OPTIONS`.

Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/format/volume.go.
"""

from __future__ import annotations

from tidegate.compose.nodes import Node, Path, dotted, fail
from tidegate.shapes import record

_PROPAGATION = frozenset(["rprivate", "private", "rshared", "shared", "rslave", "slave"])
_SELINUX = frozenset("zZ")


@record(slots=True)
class Mount:
    """A parsed volume; empty text means not given."""

    type: str = "volume"
    source: str = ""
    target: str = ""
    read_only: bool = False
    propagation: str = ""
    selinux: str = ""
    nocopy: bool = False
    tiny: bool = False  # one or two characters: docker compose adds no options to these

    def long(self, node: Node) -> Node:
        """The long form."""

        def leaf(value: str | bool) -> Node:
            return Node(value, node.at, None, node.used)

        found: dict[str, Node] = {"type": leaf(self.type), "target": leaf(self.target)}
        if self.source:
            found["source"] = leaf(self.source)
        if self.read_only:
            found["read_only"] = leaf(True)
        bind = {"selinux": self.selinux, "propagation": self.propagation}
        options = {key: leaf(value) for key, value in bind.items() if value}
        if self.type == "bind":
            options["create_host_path"] = leaf(True)
        if options or self.type == "bind":
            found["bind"] = node.become(options)
        if self.nocopy or (self.type == "volume" and not self.tiny):
            found["volume"] = node.become({"nocopy": leaf(True)} if self.nocopy else {})
        return node.become(found)


def parse_mount(node: Node, path: Path) -> Mount:
    """The volume that a text describes; InputError for an empty part or too many parts."""
    text = node.text()
    if not text:
        fail(f"{dotted(path)}: empty volume", node, code="compose-volume")
    if len(text.encode()) <= 2:
        return Mount(target=text, tiny=True)
    mount = Mount()
    parts = _split(text)
    for position, part in enumerate(parts):
        last = position == len(parts) - 1
        if not part:
            _bad(node, path, "an empty section between colons")
        if not mount.source and last:
            mount.target = part
        elif not mount.source:
            mount.source = part
        elif not mount.target:
            mount.target = part
        elif not last:
            _bad(node, path, "too many colons")
        else:
            _options(mount, part)
    mount.type = "bind" if _is_path(mount.source) else "volume"
    return mount


def _bad(node: Node, path: Path, problem: str) -> None:
    fail(
        f"{dotted(path)}: invalid volume {node.text()!r}: {problem}",
        node,
        code="compose-volume",
        hint="write SOURCE:TARGET or SOURCE:TARGET:ro, or use the long form",
    )


def _options(mount: Mount, text: str) -> None:
    """Unknown options are ignored, as docker compose does."""
    for option in text.split(","):
        if option in ("ro", "rw"):
            mount.read_only = option == "ro"
        elif option == "nocopy":
            mount.nocopy = True
        elif option in _PROPAGATION:
            mount.propagation = option
        elif option in _SELINUX:
            mount.selinux = option


def _split(text: str) -> list[str]:
    """At colons, but not in `C:` or inside `${…}`."""
    parts = [""]
    depth = 0
    for position, character in enumerate(text):
        if character == "$" and text[position + 1 : position + 2] == "{":
            depth += 1
        elif character == "}" and depth:
            depth -= 1
        elif character == ":" and not depth and not _is_drive(parts[-1]):
            parts.append("")
            continue
        parts[-1] += character
    return parts


def _is_drive(text: str) -> bool:
    return len(text) == 1 and text.isalpha()


def _is_path(source: str) -> bool:
    if source[:1] in (".", "/", "~") or source.startswith("\\\\"):
        return bool(source)
    return len(source) > 1 and _is_drive(source[0]) and source[1] == ":"
