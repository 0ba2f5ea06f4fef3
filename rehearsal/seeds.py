"""A seed for every job, from one root seed."""

from __future__ import annotations

import hashlib


def derive_seed(root: int, *parts: object) -> int:
    """A seed in ``[1, 2**31)`` that depends on the root seed and the job's name and wildcards.

    SHA-256 of the parts joined by NUL: the same on every machine, independent of the order of
    jobs. msprime wants seeds of 32 bits that are not zero.
    """
    text = "\0".join(str(part) for part in (root, *parts))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return number % (2**31 - 1) + 1
