"""The node's secret key, from which its noise and its contact tokens are derived."""

from __future__ import annotations

import os
from pathlib import Path

from rehearsal.errors import InputError

KEY_FILE = "privacy.key"
KEY_SIZE = 32  # bytes


def secret_key(folder: Path | str) -> bytes:
    """Read the node's secret key, or create it.

    Only the owner may read the file.

    Args:
        folder: The folder of the key file.

    Returns:
        32 bytes.

    Raises:
        InputError: Others may read the file, or it has another length.
    """
    path = Path(folder) / KEY_FILE
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(KEY_SIZE))
    if path.stat().st_mode & 0o077:
        expected = "a file that only its owner may read (chmod 600)"
        raise InputError(path, "permissions", expected, f"mode {path.stat().st_mode & 0o777:o}")
    key = path.read_bytes()
    if len(key) != KEY_SIZE:
        raise InputError(path, "length", f"{KEY_SIZE} bytes", f"{len(key)} bytes")
    return key
