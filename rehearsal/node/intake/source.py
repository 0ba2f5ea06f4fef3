"""Reads VCF files of any compression, and BCF, as whole lines, some megabytes at a time."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import isal.isal_zlib
from isal import igzip

from rehearsal.errors import InputError, cause
from rehearsal.formats.bcf_header import HeaderNames
from rehearsal.formats.bgzf import END_OF_FILE
from rehearsal.formats.line_buffer import LineBuffer
from rehearsal.formats.vcf_text_kernel import Names
from rehearsal.logs import note
from rehearsal.node.intake.bcf_lines_kernel import BAD, Keys, to_lines

CHUNK = 1 << 22  # bytes that are read at a time
_GZIP, _BCF, _VCF, _BOM = b"\x1f\x8b", b"BCF\2\2", b"##fileformat=VCF", b"\xef\xbb\xbf"
_READABLE = "a readable VCF or BCF file"


@dataclass(slots=True)
class LineSource:
    """An open VCF or BCF: its header, and then its records as lines of VCF."""

    path: Path
    header: str  # to the line #CHROM, without its newline
    _stream: BinaryIO
    _rest: bytes  # read, but not yet handed out
    _keys: Keys | None  # of BCF

    def place(self, number: int) -> str:
        """Name a record in an error: by its line, or in BCF by its number.

        Args:
            number: Number of the record, 0 for the first. In text every line counts.
        """
        if self._keys is not None:
            return f"record {number + 1}"
        return f"line {self.header.count(chr(10)) + 2 + number}"

    def chunks(self) -> Iterator[bytes]:
        """Iterate over the records.

        Yields:
            Whole lines of VCF, the last one with a newline. Lines from BCF have INFO and FORMAT
            only as far as an intake reads them.

        Raises:
            InputError: A record of BCF does not match its header, or is cut off.
        """
        if self._keys is not None:
            yield from self._lines_of_bcf(self._keys)
            return
        rest = self._rest
        while piece := self._stream.read(CHUNK):
            border = piece.rfind(b"\n") + 1
            if border:
                yield rest + piece[:border]
                rest = piece[border:]
            else:
                rest += piece
        if rest.endswith(b"\n"):
            yield rest
        elif rest:
            yield rest + b"\n"
            note(f"{self.path}: the last line has no newline at its end: the file may be cut off")

    def _lines_of_bcf(self, keys: Keys) -> Iterator[bytes]:
        buffer = LineBuffer(lambda data, out: to_lines(data, out, keys), 8 * CHUNK)
        piece = self._rest
        while True:
            yield from buffer.lines_of(piece)
            if buffer.status == BAD:
                expected = "records that match their header"
                raise InputError(self.path, "records", expected, "one that does not")
            if not (piece := self._stream.read(CHUNK)):
                break
        if buffer.rest:
            raise InputError(self.path, "file", "a complete VCF or BCF", "a file that is cut off")


@contextmanager
def open_source(path: Path) -> Iterator[LineSource]:
    """Open a VCF as text, gzip or BGZF, or a BCF. No index is needed.

    Args:
        path: The file.

    Yields:
        The source. Errors of reading within the block become errors about the file.

    Raises:
        InputError: The file cannot be read or decompressed, is cut off, or is something else.
    """
    try:
        _refuse_truncated(path)
        with path.open("rb") as file, _decompressed(file) as stream:
            yield _source(path, stream)
    except InputError:
        raise
    except (OSError, EOFError, zlib.error, isal.isal_zlib.error) as error:  # type: ignore[misc]
        found = f"an unreadable one ({cause(error)})"
        raise InputError(path, "file", _READABLE, found) from error


@contextmanager
def _decompressed(file: BinaryIO) -> Iterator[BinaryIO]:
    """Decompress a file if it is gzip; BGZF is gzip of many members."""
    beginning = file.read(len(_GZIP))
    file.seek(0)
    if beginning == _GZIP:
        with igzip.IGzipFile(fileobj=file, mode="rb") as stream:
            yield stream  # type: ignore[misc]  # it is binary, though no BinaryIO
    else:
        yield file


def _refuse_truncated(path: Path) -> None:
    """Check for the empty block that ends BGZF: without it, the file may be cut off."""
    with path.open("rb") as file:
        if file.read(14)[12:14] != b"BC":
            return
        file.seek(-len(END_OF_FILE), os.SEEK_END)
        if file.read() != END_OF_FILE:
            raise InputError(path, "file", "a complete VCF or BCF", "a file that is cut off")


def _source(path: Path, stream: BinaryIO) -> LineSource:
    """Read the header."""
    beginning = stream.read(CHUNK)
    if beginning.startswith(_BCF):
        return _bcf_source(path, stream, beginning)
    beginning = beginning.removeprefix(_BOM)
    if not beginning.startswith(_VCF):
        raise InputError(path, "file", _READABLE, "an unreadable one (another format)")
    while (at := _columns_line(beginning)) < 0 or beginning.find(b"\n", at) < 0:
        piece = stream.read(CHUNK)
        if not piece and at >= 0:
            beginning += b"\n"
        elif not piece:
            raise InputError(path, "header", "a line #CHROM at its end", "no such line")
        beginning += piece
    end = beginning.index(b"\n", at)
    text = beginning[:end].decode("utf-8", "replace").replace("\r", "")
    return LineSource(path, text, stream, beginning[end + 1 :], None)


def _columns_line(text: bytes) -> int:
    """Find the line that ends the header: the first that does not begin with ``##``."""
    at = 0
    while text.startswith(b"##", at):
        at = text.find(b"\n", at) + 1
        if at == 0:
            return -1
    return at if at < len(text) else -1


def _bcf_source(path: Path, stream: BinaryIO, beginning: bytes) -> LineSource:
    """Read the header of a BCF, and what its records name by numbers."""
    size = 9 + int.from_bytes(beginning[5:9], "little")
    while len(beginning) < size:
        piece = stream.read(CHUNK)
        if not piece:
            raise InputError(path, "file", "a complete VCF or BCF", "a file that is cut off")
        beginning += piece
    names = HeaderNames.read(beginning[:size])
    contigs = Names.of(names.contigs)
    numbers = {name: number for number, name in enumerate(names.keys)}
    keys = Keys(
        contigs.text,
        contigs.offset,
        names.samples,
        *(numbers.get(name, -1) for name in ("END", "SVLEN", "GT")),
    )
    text = beginning[9:size].rstrip(b"\0\n").decode()
    return LineSource(path, text, stream, beginning[size:], keys)
