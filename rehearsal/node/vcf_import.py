"""A node's folder from VCF or BCF: how a country loads genotypes that we did not make.

The content of its variant store equals that of a store built from the parts of the same genotypes.
Records are taken as they are written: REF and ALT are neither trimmed nor moved to the left, so
normalise first (``bcftools norm``) where callers wrote the same variant in different ways.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pysam
from numpy.typing import NDArray

from rehearsal.errors import InputError
from rehearsal.formats.bgzf import END_OF_FILE
from rehearsal.model import SEXES
from rehearsal.node.settings.node_settings import NodeSettings
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

_BATCH = 1 << 12  # rows that are written at a time
_SEQUENCE = re.compile("[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]+")
_COMPLAINTS = {
    BAD_PLOIDY: "genotypes of one or two alleles",
    BAD_ALLELE: "genotypes of alleles that the record has",
    BAD_COLUMNS: "a genotype for every sample",
}


_INDIVIDUAL_COLUMNS = ("id", "sex", "birth_year")
_FAMILY_COLUMNS = ("family", "father", "mother")


@dataclass(frozen=True, slots=True)
class _Source:
    """An opened VCF: what its header says, and where it begins."""

    path: Path
    contigs: dict[str, int]
    columns: NDArray[np.int64]  # by sample of the file: the individual's number
    first: tuple[str, int]  # contig and start of the first record; ("", -1) without one


def build_node(
    vcfs: list[Path], individuals: pd.DataFrame, settings: NodeSettings, folder: Path
) -> int:
    """Make a folder that a node can serve; returns the number of variants.

    Writes ``variants.sqlite``, ``people.sqlite`` and, last, ``node.yaml``. ``individuals`` as
    ``read_individuals`` gives them. Raises InputError as ``build_from_vcf`` does.
    """
    variants = build_from_vcf(vcfs, individuals, folder / "variants.sqlite")
    build_people(individuals, {}, folder / "people.sqlite", settings.reference_year)
    settings.write(folder)
    return variants


def read_individuals(path: Path) -> pd.DataFrame:
    """The people of a node from Parquet (by its suffix) or a tab-separated table.

    Columns ``id`` (text), ``sex`` (female or male) and ``birth_year``; ``family``, ``father`` and
    ``mother`` may be there and are None where they are not. Raises InputError for a file that
    cannot be read, a missing column, other values, and an id that stands there twice.
    """
    try:
        if path.suffix == ".parquet":
            table = pd.read_parquet(path)
        else:
            table = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, index_col=False)
    except (OSError, ValueError) as error:
        raise InputError(path, "file", f"a readable Parquet or TSV file ({error})") from None
    for column in _INDIVIDUAL_COLUMNS:
        if column not in table:
            raise InputError(path, column, "a column with this name")
    for column in _FAMILY_COLUMNS:
        table[column] = table[column].replace("", None) if column in table else None
    table = table[[*_INDIVIDUAL_COLUMNS, *_FAMILY_COLUMNS]].reset_index(drop=True)
    _check_individuals(path, table)
    return table.astype({"birth_year": int})


def _check_individuals(path: Path, table: pd.DataFrame) -> None:
    if table.empty:
        raise InputError(path, "id", "at least one person")
    for row, (name, sex, born, *_) in enumerate(table.itertuples(index=False), start=1):
        if not isinstance(name, str) or not name:
            raise InputError(path, f"row {row}: id", f"text, not {name!r}")
        if sex not in SEXES:
            raise InputError(path, f"row {row}: sex", f"female or male, not {sex!r}")
        if not re.fullmatch("[12][0-9]{3}", str(born)):
            raise InputError(path, f"row {row}: birth_year", f"a year like 1970, not {born!r}")
    twice = table["id"][table["id"].duplicated()]
    if len(twice):
        raise InputError(path, "id", f"each person once, but {twice.iloc[0]} stands there twice")


def build_from_vcf(vcfs: list[Path], individuals: pd.DataFrame, out: Path) -> int:
    """Build a node's store from VCF or BCF files; returns the number of variants.

    ``individuals`` has ``id`` and ``sex`` in the node's order; samples of the files are found by
    id, in any order. Multi-allelic records are decomposed, monomorphic and symbolic alternate
    alleles left out, phase does not matter. A missing allele is not counted in AN; a genotype of
    which only one allele is known counts as hemizygous, as ``bcftools +fill-tags`` has it. Files
    may hold different stretches of a contig, not overlapping ones.

    Raises InputError for a file that cannot be read, an unknown sample, a record of a contig
    without a ``##contig`` line with a length, positions out of order or outside their contig,
    records without GT, and more than two alleles a genotype.
    """
    verbosity = pysam.set_verbosity(0)  # what htslib has to say is in our own complaints
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
        for source in sources:
            for rows in _batches(_rows_of_file(source, writer.number, male)):
                writer.write(source.path, rows)
        return writer.rows


def _open(path: Path, number: dict[str, int]) -> _Source:
    try:
        _refuse_truncated(path)
        with pysam.VariantFile(str(path)) as file:
            header = file.header
            lengths = {str(name): header.contigs[name].length for name in header.contigs}
            contigs = {name: length for name, length in lengths.items() if length}
            samples = list(header.samples)
            first = next(((record.contig, record.start) for record in file), ("", -1))
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(path, "file", f"a readable VCF or BCF ({error})") from error
    for sample in samples:
        if sample not in number:
            raise InputError(path, f"sample {sample}", "an id of the individuals table")
    columns = np.array([number[sample] for sample in samples], np.int64)
    return _Source(path, contigs, columns, first)


def _refuse_truncated(path: Path) -> None:
    """BGZF ends with an empty block; htslib only warns where it is missing."""
    with path.open("rb") as file:
        if file.read(14)[12:14] != b"BC":
            return
        file.seek(-len(END_OF_FILE), os.SEEK_END)
        if file.read() != END_OF_FILE:
            raise InputError(path, "file", "a whole VCF or BCF, but its end is missing")


def _batches(rows: Iterator[tuple]) -> Iterator[list[tuple]]:
    """Rows in sorted batches that neither split a start nor mix contigs."""
    batch: list[tuple] = []
    for row in rows:
        if batch and (row[0] != batch[-1][0] or (len(batch) >= _BATCH and row[1] != batch[-1][1])):
            yield sorted(batch, key=lambda known: known[:4])
            batch = []
        batch.append(row)
    if batch:
        yield sorted(batch, key=lambda known: known[:4])


def _rows_of_file(
    source: _Source, numbers: dict[str, int], male: NDArray[np.bool_]
) -> Iterator[tuple]:
    alleles = np.full((male.size, 2), -1, np.int16)
    ploidy = np.zeros(male.size, np.int8)
    last: tuple[str, int] = ("", -1)
    try:
        with pysam.VariantFile(str(source.path)) as file:
            for record in file:
                _refuse_misplaced(record, source, last)
                last = record.contig, record.start
                _read_genotypes(record, source, alleles, ploidy)
                names = record.alleles or ()
                contig = numbers[record.contig]
                yield from _rows_of_record(contig, record.start, names, alleles, ploidy, male)
    except InputError:
        raise
    except (OSError, ValueError) as error:
        where = f"after {last[0]}:{last[1] + 1}" if last[0] else "first record"
        raise InputError(source.path, where, f"a readable record ({error})") from error


def _refuse_misplaced(record: pysam.VariantRecord, source: _Source, last: tuple[str, int]) -> None:
    where = f"{record.contig}:{record.start + 1}"
    if record.contig not in source.contigs:
        raise InputError(source.path, where, "a contig with a ##contig line that has its length")
    if record.contig == last[0] and record.start < last[1]:
        raise InputError(source.path, where, f"positions in order, after {last[1] + 1}")
    if not 0 <= record.start <= source.contigs[record.contig] - len(record.ref or ""):
        raise InputError(source.path, where, "a position inside the contig")


def _read_genotypes(
    record: pysam.VariantRecord,
    source: _Source,
    alleles: NDArray[np.int16],
    ploidy: NDArray[np.int8],
) -> None:
    """Put the record's genotypes into ``alleles`` and ``ploidy``, by individual."""
    where = f"{record.contig}:{record.start + 1}"
    # the text that htslib makes of the record: a Python object a sample would take 100 times longer
    fields = str(record).rstrip("\n").split("\t", 9)
    if len(fields) < 10 or fields[8].split(":")[0] != "GT":
        raise InputError(source.path, where, "genotypes (GT)")
    text = np.frombuffer(fields[9].encode(), np.uint8)
    wrong = parse_genotypes(text, source.columns, len(record.alleles or ()), alleles, ploidy)
    if wrong:
        raise InputError(source.path, where, _COMPLAINTS[wrong])


def _rows_of_record(
    contig: int,
    start: int,
    names: tuple[str, ...],
    alleles: NDArray[np.int16],
    ploidy: NDArray[np.int8],
    male: NDArray[np.bool_],
) -> Iterator[tuple]:
    for allele, alt in enumerate(names[1:], start=1):
        if not _SEQUENCE.fullmatch(alt):
            continue
        counts, carriers, homozygotes = count_allele(allele, alleles, ploidy, male)
        if carriers.size:
            yield (
                contig,
                start,
                names[0],
                alt,
                *counts[0].tolist(),
                *counts[1].tolist(),
                encode(carriers),
                encode(homozygotes),
            )
