"""The lines of a GFF3 file, plain or compressed, of the right assembly."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from rehearsal.errors import InputError, shown, unreadable_file
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.genomes.contig_names import find_contig

_GZIP = b"\x1f\x8b"
# attributes such as gene_id "ENSG00000012048";
_GTF = re.compile(r'\s*\w+ +("|[^=;]*(;|$))')
_OWN_ASSEMBLY = re.compile(r"GRCh38|hg38", re.IGNORECASE)
_OTHER_ASSEMBLY = re.compile(r"GRCh37|hg19|hg18|NCBI36|CHM13", re.IGNORECASE)


def base_range(path: Path | str, number: int, first: str, last: str) -> tuple[int, int]:
    """Convert 1-based inclusive coordinates.

    Args:
        path: The file, for messages.
        number: The 1-based line.
        first: Text of the first base.
        last: Text of the last base.

    Returns:
        Start and end, 0-based half-open.

    Raises:
        InputError: They are no such coordinates.
    """
    if not (
        f"{first}{last}".isascii()
        and first.isdigit()
        and last.isdigit()
        and 1 <= int(first) <= int(last)
    ):
        expected = "start and end, 1-based, start at most end"
        raise InputError(path, f"line {number}", expected, shown(f"{first} {last}"))
    return int(first) - 1, int(last)


def gff3_lines(path: Path | str) -> Iterator[tuple[int, str]]:
    """Read the lines that are no comments, with their 1-based numbers.

    Args:
        path: The file, plain or compressed.

    Yields:
        Number and text of each line.

    Raises:
        InputError: The file cannot be read, or says to be of another assembly.
    """
    try:
        with Path(path).open("rb") as raw, _unpacked(raw) as text:
            for number, line in enumerate(text, start=1):
                if line.startswith("##FASTA"):
                    return
                if line.startswith("#"):
                    _check_directive(path, number, line)
                elif line.strip():
                    yield number, line.rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError, zlib.error) as error:
        found = unreadable_file(error) if isinstance(error, OSError) else "another kind of file"
        raise InputError(path, "file", "a GFF3 file", found) from None


def _unpacked(raw: io.BufferedReader) -> io.TextIOWrapper:
    packed = raw.peek(2)[:2] == _GZIP
    return io.TextIOWrapper(gzip.GzipFile(fileobj=raw) if packed else raw, encoding="utf-8")


def _check_directive(path: Path | str, number: int, line: str) -> None:
    """Refuse a file that says to be of another assembly (GFF3 1.26, and comments of Ensembl)."""
    words = line.lstrip("#!").split()
    name, values = (words[0], words[1:]) if words else ("", [])
    if name == "sequence-region" and len(values) == 3:
        _check_region(path, number, values)
    elif name in ("genome-build", "description:") and not _OWN_ASSEMBLY.search(line):
        other = _OTHER_ASSEMBLY.search(line)
        if other or (name == "genome-build" and values):
            found = shown(other[0] if other else " ".join(values))
            raise InputError(path, f"line {number}", f"a GFF3 file of {ASSEMBLY}", found)


def _check_region(path: Path | str, number: int, values: Sequence[str]) -> None:
    """Refuse a contig from its first base to another last one than the assembly's."""
    contig, first, last = values
    length = CONTIG_LENGTHS.get(find_contig(contig) or "")
    if length and first == "1" and last != str(length):
        expected = f"{contig} of {ASSEMBLY}, 1 to {length}"
        raise InputError(path, f"line {number}", expected, f"{first} to {last}")


def gff3_fields(path: Path | str, number: int, line: str) -> list[str]:
    """Split a line into its nine fields.

    Args:
        path: The file, for messages.
        number: The 1-based line.
        line: Its text.

    Returns:
        The fields.

    Raises:
        InputError: There are fewer or more, or the attributes are those of GTF.
    """
    fields = line.split("\t")
    if len(fields) != 9:
        expected = "nine columns with tabs between them"
        raise InputError(path, f"line {number}", expected, f"{len(fields)} columns")
    if _GTF.match(fields[8]):
        expected = "attributes of GFF3 (ID=...;Parent=...)"
        found = "GTF; convert the file, for example by gffread own.gtf -o own.gff3"
        raise InputError(path, f"line {number}", expected, found)
    return fields
