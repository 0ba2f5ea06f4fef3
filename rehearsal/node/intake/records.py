"""Turns the records of one VCF file into rows of a variant store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import CONTIG_LENGTHS, PSEUDO_AUTOSOMAL, ploidy
from rehearsal.model import SEXES
from rehearsal.node.intake.alleles import (
    FARTHEST,
    RecordAlleles,
    ReferenceBases,
    StoredAllele,
    read_allele,
)
from rehearsal.node.intake.genotypes_kernel import (
    BAD_ALLELE,
    BAD_COLUMNS,
    BAD_PLOIDY,
    BAD_TEXT,
    EXTRA_COPIES,
    HAPLOID,
    HETEROZYGOUS,
    Counted,
    Samples,
    count_alleles,
)
from rehearsal.node.intake.header import VcfHeader
from rehearsal.node.intake.lines import Lines, lines_by_contig
from rehearsal.node.intake.lines_kernel import (
    ALT,
    CHROM,
    COLUMNS,
    GENOTYPES,
    HAS_GENOTYPES,
    INFO,
    IS_SNV,
    PASSES,
    REF,
)
from rehearsal.node.intake.report import (
    DUPLICATE,
    FAILED_FILTER,
    MORE_COPIES,
    NO_ALTERNATE,
    NO_CARRIER,
    NO_GENOTYPES,
    OTHER_CONTIG,
    REPEATED,
    TELOMERE,
    IntakeReport,
)
from rehearsal.node.intake.source import LineSource

Row = tuple  # of :class:`rehearsal.stores.variant_store_writer.StoreWriter`

_FAULTS = {  # expected, found
    BAD_ALLELE: ("genotypes with alleles of the record", "one with a higher allele number"),
    BAD_COLUMNS: ("one genotype per sample", "another number of genotypes"),
    BAD_TEXT: ("genotypes such as 0/1", "one of another form"),
}
_NO_BYTES = np.empty(0, np.uint8)
_MOST_KEPT = 1 << 14  # keys of rows that are compared with those of later records


class Rows(NamedTuple):
    """Rows of records that follow each other on one contig."""

    path: Path
    contig: int  # its number in the store
    first: int  # start of the first record, less how far an allele may move to the left
    floor: int  # no later row of this file and contig starts before
    rows: list[Row]


@dataclass(slots=True)
class _Chosen:
    """The alleles of some records that may be stored, and why others are left out."""

    alleles: list[StoredAllele]
    asked: list[tuple[int, int]]  # number of a record among those with such alleles, of its allele
    lines: list[int]  # number of the line of each of those records
    numbers: list[int]  # of alleles of each of those records, REF included
    reasons: dict[int, str]  # by line: why the first of its alleles, or all, are left out
    same: list[tuple[int, int, int]]  # number of a record, of an allele, and of one that repeats it


@dataclass
class FileIntake:
    """The intake of one file.

    Args:
        path: The file.
        header: Its header.
        numbers: Numbers of contigs in the store.
        samples: The columns of the samples.
        report: Where to count.
        reference: The reference, or None.
    """

    path: Path
    header: VcfHeader
    numbers: dict[str, int]
    samples: Samples
    report: IntakeReport
    reference: ReferenceBases | None

    def __post_init__(self) -> None:
        self.names: dict[str, str] = {}  # of contigs: in the file, and inside
        self._contig = ""
        self._last = -1  # start of the last record
        self._seen: dict[tuple, None] = {}  # keys of rows of the contig
        self._margin = FARTHEST if self.reference else 0

    def rows(self, source: LineSource) -> Iterator[Rows]:
        """Read records.

        Args:
            source: The open file.

        Yields:
            The rows of some records of one contig, unsorted.

        Raises:
            InputError: A record cannot be read, is out of order or outside its contig.
        """
        lines = None
        for lines in lines_by_contig(source):
            name = lines.column(0, CHROM)
            contig = self.header.find_contig(name)
            self.report.records += lines.starts.size
            if contig is None:
                self._leave_out_all(lines)
                continue
            self.names[name] = contig
            self._check_places(contig, lines)
            rows = self._rows(contig, lines)
            first, last = int(lines.starts[0]), int(lines.starts[-1])
            number = self.numbers[contig]
            yield Rows(self.path, number, first - self._margin, last - self._margin, rows)
        if lines is not None:  # the last one, which may be cut off, and may be left out
            self._check_columns(lines, lines.starts.size - 1)

    def _check_columns(self, lines: Lines, line: int) -> None:
        """Check that a record has a genotype for each sample, where genotypes are not read."""
        begin, end = lines.borders[line, GENOTYPES], lines.borders[line, COLUMNS] - 1
        if lines.text.count(b"\t", begin, end) != self.samples.person.size - 1:
            raise InputError(self.path, lines.place(line), *_FAULTS[BAD_COLUMNS])

    def _leave_out_all(self, lines: Lines) -> None:
        for line in range(lines.starts.size):
            self._leave_out(lines, line, OTHER_CONTIG)
        self.report.records_left_out[OTHER_CONTIG] += lines.starts.size

    def _leave_out(self, lines: Lines, line: int, reason: str) -> None:
        """Count the alleles of a record that is left out as a whole."""
        alts = _alts(lines.column(line, ALT))
        self.report.alleles += len(alts)
        if alts:
            self.report.alleles_left_out[reason] += len(alts)

    def _check_places(self, contig: str, lines: Lines) -> None:
        """Check that records are on a contig with a length, in order, and inside of it."""
        if contig not in self.header.contigs:
            expected = "a contig with a ##contig line that states its length"
            where, found = lines.place(0), shown(lines.column(0, CHROM))
            raise InputError(
                self.path, where, expected, f"{found} (bcftools reheader --fai adds it)"
            )
        if contig != self._contig:
            self._contig, self._last = contig, -1
            self._seen.clear()
        # positions 0 and one more than the length are those of telomeres (VCF 4.3, section 1.6.1)
        outside = (lines.starts < -1) | (_ends(lines) > CONTIG_LENGTHS[contig] + 1)
        if outside.any():
            line = int(np.argmax(outside))
            expected = f"a record inside the contig's {CONTIG_LENGTHS[contig]} bases"
            found = f"one at {lines.starts[line] + 1}"
            if -1 <= lines.starts[line] < CONTIG_LENGTHS[contig]:
                found += f" whose REF ends behind them, at {_ends(lines)[line]}"
            raise InputError(self.path, lines.place(line), expected, found)
        before = np.concatenate(([self._last], lines.starts[:-1]))
        if (lines.starts < before).any():
            line = int(np.argmax(lines.starts < before))
            expected = f"a position from {before[line] + 1} on, as records are sorted"
            found = f"{lines.starts[line] + 1} (bcftools sort sorts them)"
            raise InputError(self.path, lines.place(line), expected, found)
        self._last = int(lines.starts[-1])

    def _rows(self, contig: str, lines: Lines) -> list[Row]:
        chosen = self._choose(contig, lines)
        counted = self._count(contig, lines, chosen)
        for fault, line in zip(counted.faults.tolist(), chosen.lines, strict=True):
            if fault in _FAULTS:
                raise InputError(self.path, lines.place(line), *_FAULTS[fault])
        rows = self._stored(self.numbers[contig], chosen, counted)
        if self.reference is None:
            lengths = ((len(row[2]), len(row[3])) for row in rows if not row[4])
            self.report.indels += sum(ref != alt for ref, alt in lengths)
        self.report.records_left_out += Counter(chosen.reasons.values())
        return rows

    def _choose(self, contig: str, lines: Lines) -> _Chosen:
        """Choose the alleles to count."""
        chosen = _Chosen([], [], [], [], {}, [])
        refs, alts = (
            lines.data[lines.borders[:, column]].tobytes().decode("latin-1")
            for column in (REF, ALT)
        )
        wanted = IS_SNV | HAS_GENOTYPES | (0 if self.report.include_filtered else PASSES)
        inside = (lines.starts >= 0) & (_ends(lines) <= CONTIG_LENGTHS[contig])
        usual = (lines.marks & wanted == wanted) & inside
        bases = self.reference
        places = zip(lines.starts.tolist(), usual.tolist(), strict=True)
        for line, (start, is_usual) in enumerate(places):
            if is_usual and (bases is None or bases.has(contig, start, refs[line])):
                self.report.alleles += 1
                chosen.asked.append((len(chosen.lines), 1))
                chosen.alleles.append(StoredAllele(start, refs[line], alts[line]))
                chosen.lines.append(line)
                chosen.numbers.append(2)
            else:
                self._choose_of_record(contig, lines, line, chosen)
        return chosen

    def _choose_of_record(self, contig: str, lines: Lines, line: int, chosen: _Chosen) -> None:
        reason = self._reason(contig, lines, line)
        if reason:
            chosen.reasons[line] = reason
            self._leave_out(lines, line, reason)
            return
        alts = _alts(lines.column(line, ALT).upper())
        ref, start = lines.column(line, REF).upper(), int(lines.starts[line])
        record = RecordAlleles(contig, start, ref, alts, lines.column(line, INFO))
        self.report.alleles += len(alts)
        before = len(chosen.alleles)
        numbers: dict[StoredAllele, int] = {}
        for number in range(1, len(alts) + 1):
            found = read_allele(record, number, self.reference)
            if not isinstance(found, str) and numbers.setdefault(found, number) != number:
                chosen.same.append((len(chosen.lines), numbers[found], number))
                found = REPEATED
            if isinstance(found, str):
                self.report.alleles_left_out[found] += 1
                chosen.reasons.setdefault(line, found)
            else:
                self.report.moved += found.start < start
                chosen.asked.append((len(chosen.lines), number))
                chosen.alleles.append(found)
        if len(chosen.alleles) > before:
            chosen.lines.append(line)
            chosen.numbers.append(len(alts) + 1)

    def _reason(self, contig: str, lines: Lines, line: int) -> str:
        """Say why a record is left out as a whole, if it is."""
        marks = lines.marks[line]
        if not marks & PASSES and not self.report.include_filtered:
            return FAILED_FILTER
        if lines.column(line, ALT) == ".":
            return NO_ALTERNATE
        size = int(lines.borders[line, REF + 1] - 1 - lines.borders[line, REF])
        if not 0 <= lines.starts[line] <= CONTIG_LENGTHS[contig] - size:
            return TELOMERE
        if marks & HAS_GENOTYPES:
            return ""
        self._check_columns(lines, line)
        return NO_GENOTYPES

    def _count(self, contig: str, lines: Lines, chosen: _Chosen) -> Counted:
        begins, ends = lines.borders[chosen.lines, GENOTYPES], lines.borders[chosen.lines, COLUMNS]
        places = np.column_stack((begins, ends - 1, chosen.numbers)).astype(np.int64)
        asked = np.array(chosen.asked, np.int64).reshape(-1, 2)
        copies = _copies(contig, lines.starts[chosen.lines])
        fix = self.report.fix_ploidy
        same = np.array(chosen.same, np.int64).reshape(-1, 3)
        counted = count_alleles(lines.data, places, asked, same, copies, self.samples, fix)
        self.report.extra_copies += int(counted.told[EXTRA_COPIES])
        self.report.heterozygous += int(counted.told[HETEROZYGOUS])
        self.report.haploid += int(counted.told[HAPLOID])
        return counted

    def _stored(self, contig: int, chosen: _Chosen, counted: Counted) -> list[Row]:
        """Make the rows of alleles that somebody carries and no earlier record has."""
        rows: list[Row] = []
        faults, borders = counted.faults.tolist(), counted.borders.tolist()
        lists = counted.lists.tobytes()
        taken = set()
        stretches = zip(borders[:-1:2], borders[1::2], borders[2::2], strict=True)
        for allele, (record, _), counts, (begin, border, end) in zip(
            chosen.alleles, chosen.asked, counted.counts.tolist(), stretches, strict=True
        ):
            key = allele[:4]
            if begin == border:
                reason = MORE_COPIES if faults[record] == BAD_PLOIDY else NO_CARRIER
            elif key in self._seen:
                reason = DUPLICATE
            else:
                self._seen[key] = None
                rows.append((contig, *allele, *counts, lists[begin:border], lists[border:end]))
                taken.add(record)
                continue
            self.report.alleles_left_out[reason] += 1
            chosen.reasons.setdefault(chosen.lines[record], reason)
        if chosen.reasons:
            for record in taken:
                chosen.reasons.pop(chosen.lines[record], None)
        self._forget()
        return rows

    def _forget(self) -> None:
        """Drop keys of rows that no later record can have."""
        if len(self._seen) > _MOST_KEPT:
            floor = self._last - self._margin
            self._seen = {key: None for key in self._seen if key[0] >= floor}


def _ends(lines: Lines) -> NDArray[np.int64]:
    """Return the ends of the records' REFs, 0-based and exclusive."""
    return lines.starts + lines.borders[:, REF + 1] - 1 - lines.borders[:, REF]


def _alts(text: str) -> list[str]:
    return [] if text == "." else text.split(",")


def _copies(contig: str, starts: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Return how many copies women and men have at some places, shape (n, 2)."""
    ends = sorted(end for region in PSEUDO_AUTOSOMAL.get(contig, {}).values() for end in region)
    stretch = np.searchsorted(ends, starts, side="right")
    copies = [[ploidy(contig, sex, start) for sex in SEXES] for start in (0, *ends)]
    return np.array(copies, np.uint8)[stretch]
