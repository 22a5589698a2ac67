"""`extra_hosts`: names and their addresses, as a sorted list of `name=address`.

Source: https://github.com/compose-spec/compose-go/blob/v2.9.1/types/hostList.go.
"""

from __future__ import annotations

from tidegate.compose.gotext import sprint
from tidegate.compose.nodes import Mark, Names, Node, Path, dotted, fail

_CODE = "compose-extra-hosts"


def extra_hosts(node: Node, path: Path) -> Node | None:
    """The hosts of a mapping or a list of `name=address` or `name:address`."""
    if node.value is None:
        return None
    found: list[tuple[str, str, Mark, Names]] = []
    if isinstance(node.value, list):
        for item in node.value:
            text = sprint(item.value)
            host, equals, addresses = text.partition("=")
            if not equals:
                host, equals, addresses = text.partition(":")
            if not equals:
                fail(
                    f"{dotted(path)}: {text!r} has no address",
                    item,
                    code=_CODE,
                    hint="write name=address",
                )
            found += [(host, one, item.at, item.used) for one in addresses.split(",")]
    else:
        for host, child in node.children().items():
            values = child.value if isinstance(child.value, list) else [child]
            for one in values:
                address = "" if one.value is None else sprint(one.value)
                found.append((host, address, one.at, one.used))
    hosts = []
    for host, address, at, used in found:
        if not host or set(host) & set(":="):
            fail(f"{dotted(path)}: bad host name {host!r}", at, code=_CODE)
        if len(address) > 2 and address[0] == "[" and address[-1] == "]":
            address = address[1:-1]
        hosts.append(Node(f"{host}={address}", at, None, used))
    hosts.sort(key=Node.text)
    return node.become(hosts) if hosts else None
