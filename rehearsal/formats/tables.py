"""Tab-separated tables and their cells, as people and their programs write them."""

from __future__ import annotations

import re
from pathlib import Path

from rehearsal.errors import InputError, mismatch, shown, unreadable_file


def read_lines(path: Path | str, content: str = "a tab-separated table") -> list[str]:
    """Read the lines of a text file in UTF-8, with a byte order mark or without.

    Args:
        path: The file.
        content: What the file must be, for messages.

    Returns:
        The lines, without their ends.

    Raises:
        InputError: The file cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:  # ValueError: of its name or its encoding
        raise InputError(path, "file", content, unreadable_file(error)) from None


def whole_number(text: str) -> int:
    """Read a whole number of ASCII digits only. Python also reads 1_000 and digits of any script.

    Args:
        text: The cell of a table.

    Raises:
        ValueError: The text is something else.
    """
    if not re.fullmatch("-?[0-9]{1,18}", text):
        raise ValueError(mismatch("text", "a whole number", shown(text)))
    return int(text)


def number(text: str) -> float:
    """Read a number of ASCII characters only, without spaces and underscores.

    Args:
        text: The cell of a table.

    Raises:
        ValueError: The text is something else.
    """
    if not re.fullmatch("[-+.0-9A-Za-z]+", text):
        raise ValueError(mismatch("text", "a number", shown(text)))
    return float(text)
