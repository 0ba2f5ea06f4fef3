"""Read and write the header of a BCF file."""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterable, Set
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.node.htsget.bgzf_blocks import Cursor

_MAGIC = b"BCF\2\2"
_CONTIG = "##contig="
_FIXED_COLUMNS = 9  # before the samples


@dataclass(frozen=True, slots=True)
class Contig:
    """A contig of a header.

    Args:
        number: Its number in records.
        line: Its header line, without IDX.
    """

    number: int
    line: str


@dataclass(frozen=True, slots=True)
class BcfHeader:
    """The header of a BCF: its text in three parts, and the offset of the first record."""

    before: tuple[str, ...]  # lines before the contigs
    contigs: dict[str, Contig]  # by name
    after: tuple[str, ...]
    first_record: int  # virtual offset

    @classmethod
    def read(cls, file: BinaryIO, path: Path) -> BcfHeader:
        """Read the header of a file.

        Args:
            file: The file, decrypted.
            path: Its path, for messages.

        Returns:
            The header.

        Raises:
            InputError: The file is not BCF 2.2.
        """
        cursor = Cursor(file)
        lines = _read_lines(cursor, path)
        contig_lines = [line for line in lines if line.startswith(_CONTIG)]
        if not contig_lines:
            raise InputError(path, "header", "lines ##contig", "no such line")
        first = lines.index(contig_lines[0])
        after = tuple(line for line in lines[first:] if not line.startswith(_CONTIG))
        contigs = dict(_read_contig(line, i, path) for i, line in enumerate(contig_lines))
        return cls(tuple(lines[:first]), contigs, after, cursor.tell())

    @property
    def samples(self) -> list[str]:
        """Names of the samples, in order."""
        return self.after[-1].split("\t")[_FIXED_COLUMNS:]

    @property
    def gt_key(self) -> int | None:
        """The number of GT in the dictionary; None when the header has none."""
        return self._key("##FORMAT=<ID=GT,")

    def keys(self, kind: str, *names: str) -> NDArray[np.int64]:
        """Return the numbers of fields in the dictionary.

        Args:
            kind: INFO or FORMAT.
            names: Names of the fields.

        Returns:
            The numbers, -1 where the header has no such field. Shape (n_names,).
        """
        found = [self._key(f"##{kind}=<ID={name},") for name in names]
        return np.array([-1 if key is None else key for key in found], np.int64)

    def _key(self, beginning: str) -> int | None:
        lines = [one for one in (*self.before, *self.after) if one.startswith(beginning)]
        return _number(lines[0]) if lines else None

    @property
    def digest_without_contigs(self) -> str:
        """SHA-256 of all lines but the contigs'. Files can be joined only if it is the same."""
        return hashlib.sha256("\n".join((*self.before, "", *self.after)).encode()).hexdigest()

    def encode(self, contig_lines: Iterable[str], excluded: Set[str]) -> bytes:
        """Encode the beginning of a BCF, uncompressed.

        Args:
            contig_lines: Contig lines without IDX. They are numbered in this order.
            excluded: Names of samples to leave out.

        Returns:
            Magic number, length and text of the header.
        """
        numbered = [f"{line[:-1]},IDX={number}>" for number, line in enumerate(contig_lines)]
        columns = self.after[-1].split("\t")
        samples = [name for name in columns[_FIXED_COLUMNS:] if name not in excluded]
        last = "\t".join([*columns[:_FIXED_COLUMNS], *samples])
        lines = (*self.before, *numbered, *self.after[:-1], last)
        text = "\n".join(lines).encode() + b"\n\0"
        return _MAGIC + struct.pack("<I", len(text)) + text


def _read_lines(cursor: Cursor, path: Path) -> list[str]:
    start = cursor.read(len(_MAGIC) + 4)
    if len(start) < len(_MAGIC) + 4 or not start.startswith(_MAGIC):
        raise InputError(path, "file", "BCF 2.2", f"{shown(start)} at its start")
    text = cursor.read(struct.unpack_from("<I", start, len(_MAGIC))[0])
    return text.rstrip(b"\0\n").decode().split("\n")


def _read_contig(line: str, place: int, path: Path) -> tuple[str, Contig]:
    """Read name and contig of a line. ``place`` is its number when it has no IDX."""
    name = re.search(r"[<,]ID=([^,>]+)", line)
    if not name:
        raise InputError(path, "header", "an ID in each line ##contig", shown(line))
    number = _number(line)
    contig = Contig(place if number is None else number, re.sub(r",IDX=\d+", "", line))
    return name[1], contig


def _number(line: str) -> int | None:
    """Read the IDX of a line."""
    match = re.search(r",IDX=(\d+)", line)
    return int(match[1]) if match else None
