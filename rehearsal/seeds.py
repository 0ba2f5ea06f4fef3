"""A seed for every job, from one root seed."""

from __future__ import annotations

import hashlib


def derive_seed(root: int, *parts: object) -> int:
    """Derive the seed of a job from the root seed and the job's name and wildcards.

    The seed comes from SHA-256 of the parts joined by NUL. It is the same on every machine and
    does not depend on the order of jobs. msprime requires 32-bit seeds other than zero.

    Args:
        root: The root seed of the run.
        *parts: What names the job; their texts count.

    Returns:
        A seed in ``[1, 2**31)``.
    """
    text = "\0".join(str(part) for part in (root, *parts))
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return number % (2**31 - 1) + 1
