"""What a variant store and its parts agree on: the counts of a row and who the people are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

COUNTS = tuple(
    f"{count}_{sex}" for sex in ("female", "male") for count in ("an", "ac", "hom", "het", "hemi")
)


def individuals_digest(ids: Iterable[str], sexes: Iterable[str]) -> str:
    """SHA-256 of who the people are and in which order, as 64 hex digits."""
    text = "".join(f"{name}\0{sex}\n" for name, sex in zip(ids, sexes, strict=True))
    return hashlib.sha256(text.encode()).hexdigest()
