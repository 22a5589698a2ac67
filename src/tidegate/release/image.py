"""The image that a service of a release runs: pinned by digest, with what it declares."""

from __future__ import annotations

from dataclasses import dataclass, field

from tidegate.images.facts import ImageFacts


@dataclass(frozen=True, slots=True)
class ImageRef:
    """``ref`` is ``registry/path@sha256:…``; ``via`` is controller or registry.

    ``tag`` is what the compose file said ('' for a build), ``size`` bytes to transfer (0: not
    known), ``facts`` what the image's configuration declares; None when nobody has looked. ``key``
    is what a build is known by on every machine ('' for what was not built here).
    """

    ref: str
    via: str = "registry"
    tag: str = ""
    size: int = 0
    key: str = ""
    facts: ImageFacts | None = field(default=None, compare=False)
