"""What OpenSSH's exit status 255 and its words mean, as errors with a way out.

ssh(1): 255 is ssh's own failure, anything else is the far command's. OpenSSH tells its
failures apart in words only; the words are those of OpenSSH 8.4 to 10, in English always.
"""

from __future__ import annotations

from tidegate.errors import InfrastructureError, InputError, TidegateError

BROKEN = 255
NOT_FOUND = 127


def classify(name: str, address: str, returncode: int, words: str) -> TidegateError:
    """The error for one ended ssh; ``name`` is the host's name in tidegate.yaml.

    A host key that is unknown or another is an ``InputError``: nothing was changed.
    """
    last = words.strip().splitlines()[-1].strip() if words.strip() else ""
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in words:
        return _changed_key(name, address, words)
    if "Host key verification failed" in words or "host key is known for" in words:
        return InputError(
            f"the host key of {name} ({address}) is not known here",
            code="host-key-unknown",
            hint=f"compare it with the server's own, then: ssh-keyscan {_scan(address)} "
            ">> ~/.ssh/known_hosts",
        )
    if "Permission denied (" in words or "Too many authentication failures" in words:
        return InfrastructureError(
            f"{name} ({address}) does not accept our key: {last}",
            code="ssh-auth",
            hint=f"try: ssh {address} true; a key with a passphrase needs ssh-add first",
        )
    if returncode == NOT_FOUND:
        return InfrastructureError(
            f"{name}: command not found: {last}",
            code="remote-command-missing",
            hint="tidegate doctor says what the host lacks",
            log=tuple(words.strip().splitlines()[-5:]),
        )
    if returncode == BROKEN:
        return InfrastructureError(
            f"{name} ({address}) cannot be reached: {last or 'the connection was lost'}",
            code="ssh-unreachable",
            hint=f"is it up, and is sshd listening? try: ssh {address} true",
        )
    return InfrastructureError(
        f"{name}: the command ended with status {returncode}: {last}",
        code="remote-command",
        log=tuple(words.strip().splitlines()[-20:]),
    )


def _changed_key(name: str, address: str, words: str) -> InputError:
    command = next(
        (line.strip() for line in words.splitlines() if "ssh-keygen -f" in line),
        f"ssh-keygen -R {address.rpartition('@')[2]}",
    )
    return InputError(
        f"the host key of {name} ({address}) is not the one we know: it was reinstalled, or "
        "somebody is in between",
        code="host-key-changed",
        hint=f"if you are sure that it was reinstalled: {command}",
    )


def _scan(address: str) -> str:
    rest = address.removeprefix("ssh://")
    host, _, port = rest.rpartition("@")[2].partition(":")
    return f"-p {port} {host}" if port and address.startswith("ssh://") else host
