"""The node's secret, on which its noise and its contact tokens rest."""

from __future__ import annotations

import os
from pathlib import Path

from rehearsal.errors import InputError

KEY_FILE = "privacy.key"
KEY_SIZE = 32  # bytes


def secret_key(folder: Path | str) -> bytes:
    """The node's 32 secret bytes, made at the first call; only the owner may read the file.

    Raises InputError for a file that others may read or that has another length.
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
        raise InputError(path, "permissions", "a secret that only its owner may read (chmod 600)")
    key = path.read_bytes()
    if len(key) != KEY_SIZE:
        raise InputError(path, "length", f"{KEY_SIZE} bytes")
    return key
