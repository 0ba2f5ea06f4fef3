"""What one node seals for another: seeds of check words, and what the opener of a total needs."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from rehearsal.masked_sums.pair_keys import KEY_BYTES, WORD_BYTES, mask_stream

NONCE = bytes(12)  # each key seals one message
CHECK_WORDS = 2
SEED_BYTES = CHECK_WORDS * KEY_BYTES


def new_seed() -> bytes:
    """Draw a seed of check words."""
    return secrets.token_bytes(SEED_BYTES)


def check_words(seed: bytes, vector: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Weigh a vector with numbers that only those know who have the seed.

    The words of a sum are the sums of the words. Another vector has the same words with the
    probability ``2**(-2 * (64 - v))``, where ``2**v`` is the largest power of two that divides all
    differences.

    Args:
        seed: As of :func:`new_seed`.
        vector: Shape (n,).

    Returns:
        Shape (2,), modulo 2^64.
    """
    keys = (seed[start : start + KEY_BYTES] for start in range(0, SEED_BYTES, KEY_BYTES))
    return np.array([np.dot(mask_stream(key, len(vector)), vector) for key in keys], np.uint64)


@dataclass(frozen=True, slots=True)
class Revealed:
    """What a node tells the opener of a total, and nobody else."""

    keys: Mapping[str, bytes]  # of masks that are left in the total; its own by its own name
    check: NDArray[np.uint64]  # check words of its vector, with masks that cancel in their sum
    smallest_count: int  # of people that its values may tell of

    def seal(self, key: bytes) -> bytes:
        """Write it for the holder of a key.

        Args:
            key: 32 bytes, used for one message only.
        """
        told = {
            "keys": {name: one.hex() for name, one in self.keys.items()},
            "check": self.check.astype("<u8").tobytes().hex(),
            "smallest_count": self.smallest_count,
        }
        return seal(key, json.dumps(told).encode())

    @classmethod
    def unseal(cls, key: bytes, content: bytes) -> Revealed:
        """Read what :meth:`seal` wrote.

        Args:
            key: The key.
            content: The message.

        Raises:
            ValueError: It is another message.
        """
        told = json.loads(unseal(key, content))
        try:
            keys = {name: bytes.fromhex(one) for name, one in told["keys"].items()}
            check = bytes.fromhex(told["check"])
            least = told["smallest_count"]
        except (AttributeError, KeyError, TypeError):
            raise ValueError from None
        if len(check) != CHECK_WORDS * WORD_BYTES or type(least) is not int:
            raise ValueError
        return cls(keys, np.frombuffer(check, "<u8"), least)


def seal(key: bytes, content: bytes) -> bytes:
    """Seal a message (AES-256-GCM).

    Args:
        key: 32 bytes, used for one message only.
        content: The message.
    """
    return AESGCM(key).encrypt(NONCE, content, None)


def unseal(key: bytes, content: bytes) -> bytes:
    """Open a sealed message.

    Args:
        key: The key.
        content: What :func:`seal` returned.

    Raises:
        ValueError: It was sealed with another key, or was changed.
    """
    try:
        return AESGCM(key).decrypt(NONCE, content, None)
    except InvalidTag:
        raise ValueError from None
