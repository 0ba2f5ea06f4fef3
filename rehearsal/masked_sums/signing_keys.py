"""Keys with which nodes and coordinators sign (Ed25519, RFC 8032), in files of their owners."""

from __future__ import annotations

import stat
from base64 import b64encode
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from rehearsal.errors import InputError, cause, unreadable_file
from rehearsal.files import write_durably


def make_signing_key(path: Path) -> Ed25519PrivateKey:
    """Make a key in a file that only its owner may read, or read the one that is there.

    Args:
        path: The file, PEM of PKCS #8. Its folder is made if needed.

    Returns:
        The key.

    Raises:
        InputError: The file is no such key, or others may read it, or it cannot be written.
    """
    if path.exists():
        return read_signing_key(path)
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durably(path, content)
    except OSError as error:
        found = f"an error ({cause(error)})"
        raise InputError(path, "file", "a place for a new key", found) from error
    return key


def read_signing_key(path: Path) -> Ed25519PrivateKey:
    """Read a key.

    Args:
        path: The file that :func:`make_signing_key` made.

    Returns:
        The key.

    Raises:
        InputError: The file is no such key, or others may read it.
    """
    expected = "an Ed25519 private key in PEM"
    try:
        mode, content = stat.S_IMODE(path.stat().st_mode), path.read_bytes()
    except OSError as error:
        raise InputError(path, "file", expected, unreadable_file(error)) from error
    if mode & 0o077:
        needed = "a file that only its owner may read (chmod 600)"
        raise InputError(path, "permissions", needed, f"mode {mode:o}")
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise InputError(path, "content", expected, "something else") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise InputError(path, "content", expected, "another key")
    return key


def public_text(key: Ed25519PrivateKey) -> str:
    """Write the public key as people exchange it: 32 bytes in base64.

    Args:
        key: The private key.
    """
    return b64encode(key.public_key().public_bytes_raw()).decode()


def is_signed(public_key: bytes, signature: bytes, message: bytes) -> bool:
    """Check a signature.

    Args:
        public_key: The key of who should have signed, 32 bytes.
        signature: The signature, 64 bytes.
        message: What was signed.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True
