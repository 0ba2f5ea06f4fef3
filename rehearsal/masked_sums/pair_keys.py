"""Keys that two participants share, and the streams of masks that they derive."""

from __future__ import annotations

import hashlib
import hmac

import numpy as np
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CTR
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

KEY_BYTES = 32
WORD_BYTES = 8


def pair_secret(own: X25519PrivateKey, other: bytes) -> bytes:
    """Agree on a secret with another participant (Diffie-Hellman on Curve25519, RFC 7748).

    Args:
        own: The private key of this participant.
        other: The public key of the other one, 32 bytes.

    Returns:
        32 bytes, the same at both.

    Raises:
        ValueError: The public key has another length, or is a point of low order.
    """
    return own.exchange(X25519PublicKey.from_public_bytes(other))


def derived_key(secret: bytes, run: str, round_number: int, purpose: str) -> bytes:
    """Derive the key of one purpose in one round (HKDF with SHA-256, RFC 5869).

    Args:
        secret: The secret of a pair.
        run: The identifier of the run.
        round_number: The round. Its keys tell nothing of those of other rounds.
        purpose: What the key is for.

    Returns:
        32 bytes.
    """
    info = f"{purpose}\0{round_number}".encode()
    return HKDF(hashes.SHA256(), KEY_BYTES, salt=run.encode(), info=info).derive(secret)


def mask_stream(key: bytes, length: int) -> NDArray[np.uint64]:
    """Draw the masks of a key (AES-256 in counter mode).

    Args:
        key: 32 bytes, used for one stream only.
        length: Number of words.

    Returns:
        Shape (length,), every value equally likely.
    """
    stream = Cipher(AES256(key), CTR(bytes(16))).encryptor()
    return np.frombuffer(stream.update(bytes(length * WORD_BYTES)), "<u8")


def confirmation(key: bytes, sender: str, participants: frozenset[str]) -> bytes:
    """Confirm to another participant who takes part in a total (HMAC with SHA-256, RFC 2104).

    Args:
        key: The key of the pair for this purpose.
        sender: Who confirms.
        participants: Those whose values are in the total.

    Returns:
        32 bytes.
    """
    return hmac.digest(key, "\0".join([sender, *sorted(participants)]).encode(), hashlib.sha256)
