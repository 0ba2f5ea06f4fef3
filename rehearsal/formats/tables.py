"""Tab-separated tables and their cells, as people and their programs write them."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
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


def read_cells(path: Path | str, lines: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
    """Split the lines below the header of a tab-separated table; a quotation mark is a character.

    Args:
        path: The table, for messages.
        lines: All its lines, the header first.

    Yields:
        The 1-based number of a line that is not empty, and its cells.

    Raises:
        InputError: A line is no row, for example because a cell is too long.
    """
    rows = csv.reader(lines[1:], delimiter="\t", quoting=csv.QUOTE_NONE)
    try:
        for number, cells in enumerate(rows, 2):
            if cells:
                yield number, cells
    except csv.Error as error:
        raise not_a_row(path, rows.line_num + 1, error) from None


def not_a_row(path: Path | str, line: int, error: csv.Error) -> InputError:
    """Build the error of a line that ``csv`` cannot split.

    Args:
        path: The table.
        line: The 1-based number of the line.
        error: What ``csv`` says.
    """
    return InputError(path, f"line {line}", "a tab-separated row", f"an error ({error})")


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
