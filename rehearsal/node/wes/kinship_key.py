"""The key of sketches, which the operators of nodes share and no network has."""

from __future__ import annotations

from pathlib import Path

from rehearsal.errors import InputError, cause
from rehearsal.node.wes.algorithms import Algorithm

IN_VIEW = "run.key"  # its name among the files that an algorithm sees
RUN_IN_VIEW = "run.id"  # the id of the run, by which each run has another order of people
LEAST = 32  # bytes


def has_sketches(algorithm: Algorithm) -> bool:
    """Tell whether an algorithm sends a sketch of each person.

    Args:
        algorithm: The algorithm.
    """
    return "sketch" in algorithm.arrays.values()


def read_kinship_key(node: Path, name: str) -> bytes:
    """Read the key.

    Args:
        node: Folder of the node.
        name: Path of the key's file, from that folder.

    Raises:
        InputError: The file is missing, too short or of equal bytes, or others may read it.
    """
    path = node / name
    try:
        mode, key = path.stat().st_mode & 0o777, path.read_bytes()
    except (OSError, ValueError) as error:  # such as a name with NUL
        expected = "the file that analyses.kinship_key names"
        found = getattr(error, "strerror", None) or cause(error)
        raise InputError(repr(str(path))[1:-1], "file", expected, found) from None
    if mode & 0o077:
        expected = "a file that only its owner may read (chmod 600)"
        raise InputError(path, "permissions", expected, f"mode {mode:o}")
    if len(key) < LEAST:
        raise InputError(path, "length", f"at least {LEAST} bytes", f"{len(key)} bytes")
    if len(set(key)) == 1:
        raise InputError(path, "content", "bytes that nobody can guess", "equal ones")
    return key
