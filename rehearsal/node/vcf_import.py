"""Builds a node's folder from VCF or BCF files made elsewhere.

The variant store equals a store built from the parts of the same genotypes without a reference.

A record with several ALTs has the REF of its longest allele, which may be another person's, and
tools that split records keep it. Alleles are therefore trimmed of the bases that they share with
REF: what the store tells of one allele must not depend on the carriers of another. Structural
variants keep their symbolic alleles, with the length and end that INFO states. Nothing is
left-aligned. Normalise first (``bcftools norm --fasta-ref``) when callers wrote the same variant in
different ways.
"""

from __future__ import annotations

import os
import re
import sys
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
from numpy.typing import NDArray

from rehearsal.errors import InputError, cause, shown
from rehearsal.formats.bgzf import END_OF_FILE
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.model import SEXES
from rehearsal.node.privacy.public_facts_writer import write_size_facts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_alleles import StoredAllele, stored_alleles
from rehearsal.node.vcf_genotypes_kernel import (
    BAD_ALLELE,
    BAD_COLUMNS,
    BAD_PLOIDY,
    count_allele,
    parse_genotypes,
)
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store_writer import StoreWriter, merge_contigs

_BATCH = 1 << 12  # rows written at a time
_FAULTS = {  # expected, found
    BAD_PLOIDY: ("genotypes of one or two alleles", "one with more"),
    BAD_ALLELE: ("genotypes with alleles of the record", "one with a higher allele number"),
    BAD_COLUMNS: ("one genotype per sample", "another number of genotypes"),
}


_INDIVIDUAL_COLUMNS = ("id", "sex", "birth_year")
_FAMILY_COLUMNS = ("family", "father", "mother")


@dataclass(frozen=True, slots=True)
class _Source:
    """An opened VCF: its contigs and samples, and the place of its first record."""

    path: Path
    contigs: dict[str, int]
    columns: NDArray[np.int64]  # number of the individual of each sample
    first: tuple[str, int]  # contig and start of the first record; ("", -1) without one


def build_node(
    vcfs: list[Path], individuals: pd.DataFrame, settings: NodeSettings, folder: Path
) -> int:
    """Build a folder that can be served as a node.

    Writes ``variants.sqlite``, ``people.sqlite``, ``public_facts.sqlite`` and, last, ``node.yaml``.

    Args:
        vcfs: VCF or BCF files.
        individuals: The table of people, from :func:`read_individuals`.
        settings: The node's settings.
        folder: The node's folder, which must exist.

    Returns:
        The number of variants.

    Raises:
        InputError: As in :func:`build_from_vcf`.
    """
    variants = build_from_vcf(vcfs, individuals, folder / "variants.sqlite")
    build_people(individuals, {}, folder / "people.sqlite", settings.reference_year)
    write_size_facts(folder)
    settings.write(folder)
    return variants


def read_individuals(path: Path) -> pd.DataFrame:
    """Read the people of a node.

    Args:
        path: Parquet (by its suffix) or tab-separated text, with the columns ``id`` (text), ``sex``
            (female or male) and ``birth_year``. The columns ``family``, ``father`` and ``mother``
            are optional.

    Returns:
        These six columns, one row per person. Missing values are None.

    Raises:
        InputError: The file cannot be read, a column is missing, a value is invalid, or an id
            occurs twice.
    """
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, index_col=False)
    except (OSError, ValueError) as error:
        expected = "a readable Parquet or TSV file"
        raise InputError(path, "file", expected, f"an unreadable one ({cause(error)})") from None
    for column in _INDIVIDUAL_COLUMNS:
        if column not in table:
            found = ", ".join(map(str, table.columns)) or "no columns"
            raise InputError(path, "columns", f"a column {column}", found)
    for column in _FAMILY_COLUMNS:
        table[column] = table[column].replace("", None) if column in table else None
    table = table[[*_INDIVIDUAL_COLUMNS, *_FAMILY_COLUMNS]].reset_index(drop=True)
    _check_individuals(path, table)
    return table.astype({"birth_year": int})


def _check_individuals(path: Path, table: pd.DataFrame) -> None:
    if table.empty:
        raise InputError(path, "rows", "at least one person", "none")
    for row, (name, sex, born, *_) in enumerate(table.itertuples(index=False), start=1):
        if not isinstance(name, str) or not name:
            raise InputError(path, f"row {row}: id", "a text that is not empty", shown(name))
        if sex not in SEXES:
            raise InputError(path, f"row {row}: sex", "female or male", shown(sex))
        if not re.fullmatch("[12][0-9]{3}", str(born)):
            raise InputError(path, f"row {row}: birth_year", "a year like 1970", shown(born))
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise InputError(path, "id", "each id once", f"{shown(twice.iloc[0])} twice")


def build_from_vcf(vcfs: list[Path], individuals: pd.DataFrame, out: Path) -> int:
    """Build a node's variant store from VCF or BCF files.

    Multi-allelic records are decomposed and their alleles trimmed. Monomorphic records are left
    out, and symbolic alleles that :func:`stored_alleles` leaves out. Phase is ignored. A missing
    allele does not count in AN. A genotype with one known allele counts as hemizygous, as in
    ``bcftools +fill-tags``. Files may hold different parts of a contig, without overlap.

    Args:
        vcfs: The files. Their samples are found by id, in any order.
        individuals: A table with ``id`` and ``sex``, in the node's order.
        out: The store to write.

    Returns:
        The number of variants.

    Raises:
        InputError: A file cannot be read, a sample is unknown, a contig is none of GRCh38's primary
            assembly, has another length or has no ``##contig`` line with a length, positions are
            out of order or outside their contig, an ALT equals REF, a variant occurs twice, records
            have no GT, or a genotype has more than two alleles.
    """
    verbosity = pysam.set_verbosity(0)  # htslib's messages are part of our own errors
    try:
        return _build(vcfs, individuals, out)
    finally:
        pysam.set_verbosity(verbosity)


def _build(vcfs: list[Path], individuals: pd.DataFrame, out: Path) -> int:
    number = {name: row for row, name in enumerate(individuals["id"])}
    sources = [_open(Path(path), number) for path in vcfs]
    contigs = merge_contigs((source.path, source.contigs) for source in sources)
    order = {name: row for row, name in enumerate(contigs)}
    sources.sort(key=lambda source: (order.get(source.first[0], -1), source.first[1]))
    male = individuals["sex"].to_numpy() == "male"
    with StoreWriter(out, individuals, contigs) as writer:
        for path, rows in _batches(_rows_of_files(sources, writer.number, male)):
            writer.write(path, rows)
        return writer.rows


def _open(path: Path, number: dict[str, int]) -> _Source:
    """Read a file's header and the place of its first record, and check the header."""
    try:
        _refuse_truncated(path)
        with pysam.VariantFile(str(path)) as file:
            contigs = _contigs_with_length(file.header)
            samples = list(file.header.samples)
            first = next(((record.contig, record.start) for record in file), ("", -1))
    except InputError:
        raise
    except (OSError, ValueError) as error:
        found = f"an unreadable one ({cause(error)})"
        raise InputError(path, "file", "a readable VCF or BCF file", found) from error
    _refuse_other_lengths(path, contigs)
    return _Source(path, contigs, _columns(path, samples, number), first)


def _contigs_with_length(header: pysam.VariantHeader) -> dict[str, int]:
    """Return the length in bases of each contig whose header line states one."""
    lengths = {str(name): header.contigs[name].length for name in header.contigs}
    return {name: length for name, length in lengths.items() if length}


def _refuse_other_lengths(path: Path, contigs: dict[str, int]) -> None:
    """Check that contigs of the assembly have their length in it."""
    for name, length in contigs.items():
        if length != CONTIG_LENGTHS.get(name, length):
            expected = f"{CONTIG_LENGTHS[name]} bases, the length in {ASSEMBLY}"
            raise InputError(path, f"header: contig {name}", expected, f"{length} bases")


def _columns(path: Path, samples: list[str], number: dict[str, int]) -> NDArray[np.int64]:
    """Return the number of the individual of each sample."""
    for sample in samples:
        if sample not in number:
            expected = "samples that are ids of the individuals table"
            raise InputError(path, "header", expected, f"the unknown sample {shown(sample)}")
    return np.array([number[sample] for sample in samples], np.int64)


def _refuse_truncated(path: Path) -> None:
    """Check for the empty block that ends BGZF. htslib only warns when it is missing."""
    with path.open("rb") as file:
        if file.read(14)[12:14] != b"BC":
            return
        file.seek(-len(END_OF_FILE), os.SEEK_END)
        if file.read() != END_OF_FILE:
            raise InputError(path, "file", "a complete VCF or BCF", "a file that is cut off")


def _batches(rows: Iterator[tuple[Path, int, tuple]]) -> Iterator[tuple[Path, list[tuple]]]:
    """Yield sorted batches of rows of one contig, each with the file that was read last.

    Trimming moves rows behind later records. A row waits until no record can come before it.

    Args:
        rows: File, start of the record, and row. Starts ascend within a contig of a file.

    Yields:
        File and rows.
    """
    waiting: list[tuple] = []
    path, last = Path(), (-1, -1)
    for next_path, start, row in rows:
        goes_on = row[0] == last[0] and start >= last[1]
        if waiting and (not goes_on or len(waiting) >= _BATCH):
            ready, waiting = _divided(waiting, start if goes_on else sys.maxsize)
            yield path, ready
        waiting.append(row)
        path, last = next_path, (row[0], start)
    yield path, _divided(waiting, sys.maxsize)[0]


def _divided(rows: list[tuple], start: int) -> tuple[list[tuple], list[tuple]]:
    """Sort rows of one contig, and divide them into those before ``start`` and the others."""
    rows = sorted(rows, key=lambda row: row[1:4])
    end = bisect_left(rows, start, key=lambda row: row[1])
    return rows[:end], rows[end:]


def _rows_of_files(
    sources: list[_Source], numbers: dict[str, int], male: NDArray[np.bool_]
) -> Iterator[tuple[Path, int, tuple]]:
    for source in sources:
        for start, row in _rows_of_file(source, numbers, male):
            yield source.path, start, row


def _rows_of_file(
    source: _Source, numbers: dict[str, int], male: NDArray[np.bool_]
) -> Iterator[tuple[int, tuple]]:
    """Yield the start of each row's record, and the row."""
    alleles = np.full((male.size, 2), -1, np.int16)
    ploidy = np.zeros(male.size, np.int8)
    last: tuple[str, int] = ("", -1)
    try:
        with pysam.VariantFile(str(source.path)) as file:
            for record in file:
                _refuse_misplaced(record, source, last)
                last = record.contig, record.start
                _read_genotypes(record, source, alleles, ploidy)
                place = numbers[record.contig], stored_alleles(record)
                rows = _rows_of_record(*place, alleles, ploidy, male)
                yield from ((record.start, row) for row in rows)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        where = f"after {last[0]}:{last[1] + 1}" if last[0] else "first record"
        found = f"an unreadable one ({cause(error)})"
        raise InputError(source.path, where, "a readable record", found) from error


def _refuse_misplaced(record: pysam.VariantRecord, source: _Source, last: tuple[str, int]) -> None:
    """Check a record's contig, position and alleles. ``last`` is the place of the one before it."""
    where = f"{record.contig}:{record.start + 1}"
    _refuse_contig(record, source, where)
    _refuse_position(record, source, where, last)
    reference = (record.ref or "").upper()
    if any(alt.upper() == reference for alt in record.alts or ()):
        expected = "an ALT that differs from REF"
        raise InputError(source.path, where, expected, f"REF and ALT {shown(record.ref)}")


def _refuse_contig(record: pysam.VariantRecord, source: _Source, where: str) -> None:
    """Check that a record's contig is in the assembly and in the file's header."""
    if record.contig not in CONTIG_LENGTHS:
        expected = f"a contig of {ASSEMBLY} (chr1 to chr22, chrX, chrY or chrM)"
        raise InputError(source.path, where, expected, shown(record.contig))
    if record.contig not in source.contigs:
        expected = "a contig with a ##contig line that states its length"
        raise InputError(source.path, where, expected, shown(record.contig))


def _refuse_position(
    record: pysam.VariantRecord, source: _Source, where: str, last: tuple[str, int]
) -> None:
    """Check that a record is in order and inside its contig."""
    if record.contig == last[0] and record.start < last[1]:
        expected = f"a position from {last[1] + 1} on, as records are sorted"
        raise InputError(source.path, where, expected, str(record.start + 1))
    if not 0 <= record.start <= source.contigs[record.contig] - len(record.ref or ""):
        expected = f"a record inside the contig's {source.contigs[record.contig]} bases"
        raise InputError(source.path, where, expected, f"one at {record.start + 1}")


def _read_genotypes(
    record: pysam.VariantRecord,
    source: _Source,
    alleles: NDArray[np.int16],
    ploidy: NDArray[np.int8],
) -> None:
    """Write the record's genotypes into ``alleles`` and ``ploidy``, by individual."""
    where = f"{record.contig}:{record.start + 1}"
    # parse htslib's text of the record: one Python object per sample would take 100 times longer
    fields = str(record).rstrip("\n").split("\t", 9)
    if len(fields) < 10 or fields[8].split(":")[0] != "GT":
        raise InputError(source.path, where, "genotypes (GT as the first FORMAT field)", "none")
    text = np.frombuffer(fields[9].encode(), np.uint8)
    wrong = parse_genotypes(text, source.columns, len(record.alleles or ()), alleles, ploidy)
    if wrong:
        raise InputError(source.path, where, *_FAULTS[wrong])


def _rows_of_record(
    contig: int,
    stored: dict[int, StoredAllele],
    alleles: NDArray[np.int16],
    ploidy: NDArray[np.int8],
    male: NDArray[np.bool_],
) -> Iterator[tuple]:
    for allele, key in stored.items():
        counts, carriers, homozygotes = count_allele(allele, alleles, ploidy, male)
        if carriers.size:
            yield (
                contig,
                *key,
                *counts[0].tolist(),
                *counts[1].tolist(),
                encode(carriers),
                encode(homozygotes),
            )
