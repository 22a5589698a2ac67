"""What ``tidegate init --preset`` writes besides one environment: ways that many teams go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tidegate.edges.process import Command, run
from tidegate.errors import InputError

# Addresses for documentation: RFC 5737.
EXAMPLES = ("deploy@203.0.113.10", "deploy@203.0.113.11", "deploy@203.0.113.12")
STAGES = ("development", "staging", "production")
PRESETS = {"stages": STAGES}
TESTS = "entrypoint_e2e.sh"
FOLDERS = ("", "entrypoints/", "*/", "*/entrypoints/", "*/*/", "*/*/entrypoints/")


def stages(name: str) -> tuple[str, ...]:
    """The environments of a preset; ``InputError`` for one that there is not."""
    if name not in PRESETS:
        raise InputError(
            f"there is no preset {name!r}", code="usage", hint=f"there are: {', '.join(PRESETS)}"
        )
    return PRESETS[name]


def environments(root: Path, hosts: Sequence[str]) -> str:
    """Development by itself, then staging and production with an approval before each.

    Tests decide where an application has any; people are whoever sits here, to begin with.
    """
    who, line = _me()
    verify = "    verify: [e2e]\n" if tested(root) else ""
    text = (
        "people:                # who may approve: a name, and the line of their ~/.ssh/id_*.pub\n"
        f"  {who}: {json.dumps(line)}\n"
        "environments:          # a commit goes through them in this order: tidegate run\n"
    )
    for index, stage in enumerate(STAGES):
        host = hosts[index] if index < len(hosts) else EXAMPLES[index]
        text += f"  {stage}:\n    hosts: {{{stage}-1: {{ssh: {json.dumps(host)}}}}}\n"
        text += "    gates: [{approval: {count: 1}}]\n" if index else "    deploy: automatic\n"
        text += verify
    return text


def tested(root: Path) -> bool:
    """Whether any application here has end-to-end tests."""
    return any(any(root.glob(f"{folder}{TESTS}")) for folder in FOLDERS)


def _me() -> tuple[str, str]:
    """A name for whoever sits here, and the line of their SSH key."""
    for name in ("id_ed25519", "id_ecdsa", "id_rsa", "id_ed25519_sk", "id_ecdsa_sk"):
        public = Path.home() / ".ssh" / f"{name}.pub"
        if public.is_file():
            line = public.read_text(encoding="utf-8", errors="replace").strip()
            mail = line.split()[2:] or [run(Command(("git", "config", "user.email"))).text.strip()]
            letters = [c for c in mail[0].partition("@")[0].lower() if c.isalnum() and c.isascii()]
            return "".join(letters)[:40] or "me", line
    raise InputError(
        "approvals are signed with SSH keys, and ~/.ssh has none",
        code="key-missing",
        hint='ssh-keygen -t ed25519 -C "$(git config user.email)"',
    )
