"""Images come as quickly as their way allows."""

from __future__ import annotations

import threading

from tidegate.host import blobs


def test_ours_one_after_the_other_registries_beside_them() -> None:
    """Two of ours never come at once; one of a registry comes while one of ours does."""
    ours = threading.Lock()
    both = threading.Barrier(2, timeout=10)
    came: list[str] = []

    def pull(ref: str) -> None:
        if not blobs.is_own(ref):
            both.wait()
        else:
            assert ours.acquire(blocking=False)
            if ref.endswith("/a"):
                both.wait()
            ours.release()
        came.append(ref)

    refs = {f"{blobs.DOMAIN}/shop/{name}" for name in "abc"} | {"docker.io/library/nginx"}
    blobs.in_lanes(pull, refs)
    assert set(came) == refs
    assert [ref[-1] for ref in came if blobs.is_own(ref)] == ["a", "b", "c"]
