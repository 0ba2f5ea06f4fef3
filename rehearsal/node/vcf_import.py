"""Builds a node's folder from VCF or BCF files made elsewhere.

The variant store equals a store built from the parts of the same genotypes, without a reference or
with the same one.

A record with several ALTs has the REF of its longest allele, which may be another person's, and
tools that split records keep it. Alleles are therefore trimmed of the bases that they share with
REF: what the store tells of one allele must not depend on the carriers of another. Structural
variants keep their symbolic alleles, with the length and end that INFO states. With a reference,
insertions and deletions are left-aligned. What cannot be served is left out, and the report says
why (:mod:`rehearsal.node.intake.report`).
"""

from __future__ import annotations

import gc
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache, partial
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.genomes.contig_names import note_renamed
from rehearsal.logs import note
from rehearsal.model import Block
from rehearsal.node.intake.alleles import ReferenceBases
from rehearsal.node.intake.genotypes_kernel import Samples
from rehearsal.node.intake.header import VcfHeader
from rehearsal.node.intake.lines import lines_by_contig
from rehearsal.node.intake.lines_kernel import CHROM
from rehearsal.node.intake.records import FileIntake, Row, Rows
from rehearsal.node.intake.report import OTHER_CONTIG, IntakeReport
from rehearsal.node.intake.source import open_source
from rehearsal.node.privacy.public_facts_writer import write_size_facts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store_writer import StoreWriter, merge_contigs


@dataclass(frozen=True, slots=True)
class IntakeOptions:
    """What is taken of files, and how.

    Args:
        include_filtered: Whether to take records whose FILTER is not PASS.
        fix_ploidy: Whether genotypes get the copies that people of their sex have: on chrX outside
            of the pseudo-autosomal regions and on chrY men one and women two or none, on chrM all
            one. A genotype of two equal alleles is cut to one, one of two different is missing.
        reference: An indexed FASTA, in which alleles are checked and left-aligned. None: no such.
    """

    include_filtered: bool = False
    fix_ploidy: bool = False
    reference: Path | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """A VCF: its header and samples, and the place of its first record."""

    path: Path
    header: VcfHeader
    people: NDArray[np.int32]  # number of the individual of each sample
    first: tuple[str, int]  # contig and start of the first record; ("", -1) without one


def build_node(
    vcfs: list[Path],
    individuals: pd.DataFrame,
    settings: NodeSettings,
    folder: Path,
    options: IntakeOptions = IntakeOptions(),
) -> IntakeReport:
    """Build a folder that can be served as a node.

    Writes ``variants.sqlite``, ``people.sqlite``, ``public_facts.sqlite``, ``vcf_report.json`` and,
    last, ``node.yaml``.

    Args:
        vcfs: VCF or BCF files.
        individuals: The table of people, as ``read_individuals`` reads it.
        settings: The node's settings.
        folder: The node's folder, which must exist.
        options: What is taken of the files, and how.

    Returns:
        What was taken and left out.

    Raises:
        InputError: As in :func:`build_from_vcf`.
    """
    report = build_from_vcf(vcfs, individuals, folder / "variants.sqlite", options)
    build_people(individuals, {}, folder / "people.sqlite", settings.reference_year)
    write_size_facts(folder)
    report.write(folder)
    knows_repeats = options.reference is not None
    replace(settings, genotypes_only=True, knows_repeats=knows_repeats).write(folder)
    return report


def build_from_vcf(
    vcfs: list[Path],
    individuals: pd.DataFrame,
    out: Path,
    options: IntakeOptions = IntakeOptions(),
) -> IntakeReport:
    """Build a node's variant store from VCF or BCF files.

    Multi-allelic records are decomposed and their alleles trimmed. Alleles that nobody carries or
    that :func:`~rehearsal.node.intake.alleles.read_allele` does not take are left out, and of equal
    ones in a file all but the first. Phase is ignored. A missing allele does not count in AN. A
    genotype with one known allele counts as hemizygous, as in ``bcftools +fill-tags``. Files may
    hold different parts of a contig, without overlap.

    Args:
        vcfs: The files. Their samples are found by id, in any order.
        individuals: A table with ``id`` and ``sex``, in the node's order.
        out: The store to write.
        options: What is taken of the files, and how.

    Returns:
        What was taken and left out.

    Raises:
        InputError: A file cannot be read, a sample is unknown, the header is of another assembly, a
            contig with records has no ``##contig`` line with a length, positions are out of order
            or outside their contig, files overlap or have different people, a genotype cannot be
            read, or all records are on contigs of unknown names.
    """
    number = {name: row for row, name in enumerate(individuals["id"])}
    sources = [_open(Path(path), number) for path in vcfs]
    _refuse_different_people(sources, individuals)
    contigs = merge_contigs((source.path, source.header.contigs) for source in sources)
    order = {name: row for row, name in enumerate(contigs)}
    sources.sort(key=lambda source: (order.get(source.first[0], -1), source.first[1]))
    fasta = options.reference
    report = IntakeReport(
        options.include_filtered, options.fix_ploidy, None if fasta is None else fasta.name
    )
    male = (individuals["sex"] == "male").to_numpy(np.uint8)
    with (
        ExitStack() as stack,
        _collector_paused(),
        StoreWriter(out, individuals, contigs) as writer,
    ):
        reference = None if fasta is None else ReferenceBases(stack.enter_context(_opened(fasta)))
        pieces = (
            piece
            for source in sources
            for piece in _rows_of_file(source, writer.number, male, report, reference)
        )
        for paths, rows in _batches(pieces):
            _write(writer, paths, rows)
        _judge_nothing(vcfs[0], report)
    return report


def _write(writer: StoreWriter, paths: Sequence[Path], rows: list[Row]) -> None:
    """Write rows of a contig, of which the files have been read; errors say what to do."""
    try:
        writer.write(paths[-1] if paths else Path(), rows)
    except InputError as error:
        *before, path = paths
        expected = "each variant once, and records sorted"
        found = "one after an equal or later one of the same file (bcftools sort sorts them)"
        if before:
            found = (
                f"one that {before[-1].name} has too, or that belongs before its last one (join "
                "the files with bcftools concat -a -D, which drops repeated records)"
            )
        raise InputError(path, error.key, expected, found) from None


def _judge_nothing(path: Path, report: IntakeReport) -> None:
    """Refuse files whose contigs are all unknown, and say that no record was taken."""
    if not report.records or report.taken:
        return
    reasons = "; ".join(line.strip() for line in report.reasons())
    if report.records_left_out[OTHER_CONTIG] == report.records:
        expected = "contigs of GRCh38 by one of their names"
        raise InputError(path, "records", expected, f"none in {report.records} records ({reasons})")
    note(f"{path}: none of {report.records} records is served: {reasons}")


@contextmanager
def _collector_paused() -> Iterator[None]:
    """Keep Python from searching rows for cycles, which they never have: a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def _opened(fasta: Path) -> Iterator[Callable[[Block], str]]:
    """Open the FASTA, and check the length of each contig that is read; errors name the option."""
    from rehearsal.genomes.reference import check_length, open_reference  # a large import

    check_once = cache(partial(check_length, fasta))

    def read_checked(block: Block) -> str:
        check_once(block.contig)
        return read(block)

    try:
        with open_reference(fasta) as read:
            yield read_checked
    except InputError as error:
        raise error.moved(key="--reference") if error.source == str(fasta) else error from None


def _open(path: Path, number: dict[str, int]) -> _Source:
    """Read and check a file's header, and find its first record on a contig of the assembly."""
    with open_source(path) as source:
        header = VcfHeader.read(path, source.header)
        places = (
            (contig, int(lines.starts[0]))
            for lines in lines_by_contig(source)
            if (contig := header.find_contig(lines.column(0, CHROM)))
        )
        first = next(places, ("", -1))
    return _Source(path, header, _people(path, header.samples, number), first)


def _people(path: Path, samples: list[str], number: dict[str, int]) -> NDArray[np.int32]:
    """Return the number of the individual of each sample."""
    for sample in samples:
        if sample not in number:
            expected = "samples that are ids of the individuals table"
            raise InputError(path, "header", expected, f"the unknown sample {shown(sample)}")
    return np.array([number[sample] for sample in samples], np.int32)


def _refuse_different_people(sources: list[_Source], individuals: pd.DataFrame) -> None:
    """Check that all files have the same people. A file of chrY may be without women."""
    everybody = {number for source in sources for number in source.people.tolist()}
    women = set(np.flatnonzero(individuals["sex"] == "female").tolist())
    for source in sources:
        missing = everybody.difference(source.people.tolist())
        if not missing or (source.first[0] == "chrY" and missing <= women):
            continue
        name = shown(individuals["id"].iloc[min(missing)])
        expected = "the same people in all files"
        found = f"no sample {name}, who is in another file (bcftools merge joins them)"
        raise InputError(source.path, "header", expected, found)


def _rows_of_file(
    source: _Source,
    numbers: dict[str, int],
    male: NDArray[np.uint8],
    report: IntakeReport,
    reference: ReferenceBases | None,
) -> Iterator[Rows]:
    samples = Samples(source.people, bool((np.diff(source.people) > 0).all()), male)
    intake = FileIntake(source.path, source.header, numbers, samples, report, reference)
    with open_source(source.path) as lines:
        yield from intake.rows(lines)
    note_renamed(source.path, intake.names)
    report.renamed |= {name: contig for name, contig in intake.names.items() if name != contig}


def _batches(pieces: Iterable[Rows]) -> Iterator[tuple[list[Path], list[Row]]]:
    """Yield sorted batches of rows of one contig, each with the files of it that have been read.

    Trimming moves rows behind later records, left-aligning before earlier ones. A row waits until
    no record can come before it.

    Args:
        pieces: Rows of records. Records of a file ascend within a contig.

    Yields:
        Files, the last one last, and rows.

    Raises:
        InputError: A file begins before the end of the one before it.
    """
    waiting: list[Row] = []
    last = Rows(Path(), -1, -1, -1, [])
    paths: dict[int, dict[Path, None]] = {}  # by contig
    for piece in pieces:
        if piece.contig != last.contig:
            yield [*paths.get(last.contig, ())], _divided(waiting, sys.maxsize)[0]
            waiting = []
        elif piece.first < last.floor:
            expected = "files that follow each other on a contig"
            found = (
                f"one that begins before the end of {last.path.name} (join parts of a contig with "
                "bcftools concat -a -D)"
            )
            raise InputError(piece.path, "first record", expected, found)
        waiting += piece.rows
        ready, waiting = _divided(waiting, piece.floor)
        of_contig = paths.setdefault(piece.contig, {})
        of_contig[piece.path] = None
        yield [*of_contig], ready
        last = piece
    yield [*paths.get(last.contig, ())], _divided(waiting, sys.maxsize)[0]


def _divided(rows: list[Row], start: int) -> tuple[list[Row], list[Row]]:
    """Sort rows of one contig, and divide them into those before ``start`` and the others."""
    rows = sorted(rows, key=itemgetter(1, 2, 3, 4))
    end = bisect_left(rows, start, key=itemgetter(1))
    return rows[:end], rows[end:]
