"""A node's variants: one SQLite file, clustered by position, read without a lock.

    individuals  number (0, 1, ...), id, sex
    contigs      number, name, length, longest_ref and longest_shift (of its variants, bases)
    variants     contig, start, ref, alt, svlen (the key), reach, shift, ten counts, carriers,
                 homozygotes
    long_...     long variants again, to find those that reach into a range
                 (:mod:`rehearsal.stores.long_variants`)
    effects      contig, start, ref, alt, gene, transcript (the key), term, label, hgvs_c, hgvs_p:
                 what alleles change, in stores of a run with a gene model
    meta         key, value: format, counts and digests

``carriers`` and ``homozygotes`` are lists of individuals' numbers
(:mod:`rehearsal.stores.carrier_lists`). Starts are 0-based. REF and ALT are kept as they were
written to the store: nothing is trimmed or left-aligned here. ``svlen`` is the length of a
structural variant, and ``reach`` the number of bases of the reference that it affects behind REF;
both are 0 for all others. ``shift`` is the number of bases by which an insertion or deletion can be
moved to the right (:mod:`rehearsal.genomes.indel_shifts`). The file has a checksum
(:mod:`rehearsal.stores.store_checksum`), so that a damaged store is refused before it gives wrong
answers.
"""

from __future__ import annotations

import hashlib
import sqlite3
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import numpy as np
from pyroaring import BitMap

from rehearsal.errors import InputError, shown
from rehearsal.model import AlleleCounts
from rehearsal.stores.carrier_lists import decode
from rehearsal.stores.long_variants import SCHEMA as LONG_SCHEMA
from rehearsal.stores.long_variants import long_variants_before
from rehearsal.stores.store_checksum import check_complete, verify_checksum

FORMAT = "rehearsal variant store 2"
APPLICATION_ID = 0x52485253  # "RHRS"

COUNTS = tuple(
    f"{count}_{sex}" for sex in ("female", "male") for count in ("an", "ac", "hom", "het", "hemi")
)
SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE individuals (number INTEGER PRIMARY KEY, id TEXT NOT NULL, sex TEXT NOT NULL);
CREATE TABLE contigs (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, length INTEGER NOT NULL,
    longest_ref INTEGER NOT NULL, longest_shift INTEGER NOT NULL
);
CREATE TABLE variants (
    contig INTEGER NOT NULL, start INTEGER NOT NULL, ref TEXT NOT NULL, alt TEXT NOT NULL,
    svlen INTEGER NOT NULL, reach INTEGER NOT NULL, shift INTEGER NOT NULL,
    {"".join(f"{name} INTEGER NOT NULL, " for name in COUNTS)}
    carriers BLOB NOT NULL, homozygotes BLOB NOT NULL,
    PRIMARY KEY (contig, start, ref, alt, svlen)
) WITHOUT ROWID;
CREATE TABLE effects (
    contig INTEGER, start INTEGER, ref TEXT, alt TEXT, gene TEXT, transcript TEXT,
    term TEXT NOT NULL, label TEXT NOT NULL, hgvs_c TEXT NOT NULL, hgvs_p TEXT NOT NULL,
    PRIMARY KEY (contig, start, ref, alt, gene, transcript)
) WITHOUT ROWID;
CREATE INDEX effects_on_proteins ON effects (hgvs_p) WHERE hgvs_p != '';
{LONG_SCHEMA}"""

BATCH = 1 << 14  # rows that are read or written at a time
_NAMES = ("start", "ref", "alt", "svlen", "reach", "shift", *COUNTS, "carriers", "homozygotes")
_COLUMNS = ", ".join(_NAMES)
_APPLICATION_AT = 68


class VariantRow(NamedTuple):
    """One alternate allele among one node's people. Lists are decoded only on demand."""

    contig: str
    start: int  # 0-based
    ref: str
    alt: str
    svlen: int  # bases deleted, duplicated, inserted or inverted; 0: no structural variant
    reach: int  # bases of the reference that a structural variant affects behind REF
    shift: int  # bases by which an insertion or deletion can be moved to the right
    an_female: int  # alleles called in women
    ac_female: int  # copies of the allele
    hom_female: int  # women with two copies
    het_female: int  # women with one copy of two
    hemi_female: int  # women with one copy of one
    an_male: int
    ac_male: int
    hom_male: int
    het_male: int
    hemi_male: int
    carriers_data: bytes  # a list as :mod:`rehearsal.stores.carrier_lists` describes
    homozygotes_data: bytes

    @property
    def end(self) -> int:
        """End of the affected bases of the reference, 0-based, exclusive."""
        return self.start + len(self.ref) + self.reach

    @property
    def female(self) -> AlleleCounts:
        """Counts in women."""
        return AlleleCounts(*self[7:12])

    @property
    def male(self) -> AlleleCounts:
        """Counts in men."""
        return AlleleCounts(*self[12:17])

    @property
    def total(self) -> AlleleCounts:
        """Counts in women and men together."""
        return self.female + self.male

    def carriers(self) -> BitMap:
        """Decode the numbers of the individuals with at least one copy."""
        return decode(self.carriers_data)

    def homozygotes(self) -> BitMap:
        """Decode the numbers of the individuals with two copies, without hemizygous ones."""
        return decode(self.homozygotes_data)


class AlleleEffect(NamedTuple):
    """What an allele changes in one transcript."""

    gene: str  # symbol
    transcript: str  # accession
    term: str  # of the Sequence Ontology
    label: str
    hgvs_c: str  # empty where not known
    hgvs_p: str


class VariantStore:
    """A reader of a store. All methods may be called from any thread, one at a time.

    Open a store with :meth:`open`.

    Args:
        path: The file.
        connection: A connection to it, read-only.

    Raises:
        InputError: The file has another format.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._path = path
        self._connection = connection
        self._meta = dict(connection.execute("SELECT key, value FROM meta"))
        if (its_format := self._meta.get("format")) != FORMAT:
            expected = f"{FORMAT} (build older stores again)"
            raise InputError(path, "format", expected, shown(its_format))
        contigs = connection.execute(
            "SELECT name, number, length, longest_ref, longest_shift FROM contigs ORDER BY number"
        ).fetchall()
        self._numbers = {name: number for name, number, _, _, _ in contigs}
        self._longest_ref = {name: longest for name, _, _, longest, _ in contigs}
        self.contigs: dict[str, int] = {name: length for name, _, length, _, _ in contigs}
        self.longest_shift: dict[str, int] = {name: most for name, _, _, _, most in contigs}
        long = connection.execute("SELECT DISTINCT contig FROM long_classes")
        self._with_long = frozenset(number for (number,) in long)
        self._with_effects = frozenset(name for (name,) in connection.execute(_CHANGED))
        people = "SELECT {} FROM individuals ORDER BY number"
        self.individuals: list[str] = [name for (name,) in connection.execute(people.format("id"))]
        self.sexes: list[str] = [  # interned: saves memory at a node of 100,000 people
            sys.intern(sex) for (sex,) in connection.execute(people.format("sex"))
        ]
        self.count = int(self._meta["variants"])

    @classmethod
    def open(cls, path: Path | str, *, verify: bool = True) -> VariantStore:
        """Open a store for reading.

        Args:
            path: The file.
            verify: Whether to read the whole file once and compare its checksum (0.3 ms per
                megabyte that is in memory).

        Returns:
            The store.

        Raises:
            InputError: The file is missing, cut off, damaged or of another kind.
        """
        path = Path(path)
        _refuse_foreign_or_truncated(path)
        if verify:
            verify_checksum(path)
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            connection.execute(f"PRAGMA mmap_size = {path.stat().st_size}")
            store = cls(path, connection)
        except InputError:
            connection.close()
            raise
        except (sqlite3.DatabaseError, KeyError) as error:
            connection.close()
            found = f"others ({error})"
            raise InputError(path, "tables", f"the tables of a {FORMAT}", found) from error
        return store

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> VariantStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def get(self, contig: str, start: int, ref: str, alt: str) -> VariantRow | None:
        """Look up a variant.

        Args:
            contig: Name of the contig.
            start: Position of the first REF base, 0-based.
            ref: REF as it was written.
            alt: ALT as it was written, a sequence of bases.

        Returns:
            The variant's row, or None if nobody carries it.
        """
        number = self._numbers.get(contig)
        if number is None or not 0 <= start <= self.contigs[contig]:
            return None
        row = self._connection.execute(_GET, (number, start, ref, alt)).fetchone()
        return None if row is None else VariantRow(contig, *row)

    def overlapping(self, contig: str, start: int, end: int) -> Iterator[VariantRow]:
        """Iterate over the variants that affect bases of a range.

        Args:
            contig: Name of the contig.
            start: First base, 0-based.
            end: One past the last base.

        Yields:
            Rows ordered by (start, ref, alt).
        """
        number = self._numbers.get(contig)
        if number is None:
            return
        start, end = max(start, 0), min(end, self.contigs[contig])
        if start >= end:
            return
        # a variant that begins earlier may reach in, but not from farther than the longest REF
        earliest = start - self._longest_ref[contig] + 1
        if number in self._with_long:
            for row in self._connection.execute(_LONG, (number, earliest, start)):
                yield VariantRow(contig, *row)
        for row in self._connection.execute(_RANGE, (number, earliest, end)):
            if row[0] + len(row[1]) + row[4] > start:
                yield VariantRow(contig, *row)

    def effects(self, row: VariantRow) -> list[AlleleEffect]:
        """Look up what an allele changes.

        Args:
            row: The variant.

        Returns:
            One effect per transcript, in order of gene and transcript.
        """
        if row.contig not in self._with_effects:
            return []
        key = (self._numbers[row.contig], row.start, row.ref, row.alt)
        return [AlleleEffect(*found) for found in self._connection.execute(_EFFECTS, key)]

    def changing_protein(self, name: str, gene: str | None) -> list[tuple[str, int, str, str]]:
        """Look up the alleles that change a protein in one way.

        Args:
            name: A pattern (GLOB) of the change in HGVS, such as ``p.Val600Glu``.
            gene: Symbol of the gene. None: any.

        Returns:
            Contig, 0-based start, REF and ALT, in order.
        """
        return self._connection.execute(_PROTEIN, (name, gene or "")).fetchall()

    def carriers_of(
        self, contig: str
    ) -> Iterator[tuple[tuple[int, str, str, int, int, int], BitMap]]:
        """Iterate over the variants of a contig and their carriers.

        Args:
            contig: Name of the contig.

        Yields:
            Start (0-based), REF, ALT, length, reach and shift, and the numbers of the carriers,
            ordered by (start, ref, alt, length).
        """
        number = self._numbers.get(contig)
        for *allele, carriers in self._connection.execute(_CARRIERS, (number,)):
            yield tuple(allele), decode(carriers)

    def __iter__(self) -> Iterator[VariantRow]:
        """Iterate over all variants, by contig and then in order."""
        for contig, length in self.contigs.items():
            yield from self.overlapping(contig, 0, length)

    def check(self) -> None:
        """Compare every row with the digest of the content.

        This finds what :meth:`open` cannot: a store that was changed with SQLite and given a new
        checksum.

        Raises:
            InputError: The rows or the people differ from those that were built.
        """
        digest = ContentDigest()
        for number in self._numbers.values():
            rows = self._connection.execute(
                f"SELECT contig, {_COLUMNS} FROM variants WHERE contig = ?", (number,)
            )
            while batch := rows.fetchmany(BATCH):
                digest.update(batch)
        if digest.hexdigest() != self._meta["content_digest"]:
            raise InputError(self._path, "content", "the rows that were built", "other rows")
        if self._meta["individuals_digest"] != individuals_digest(self.individuals, self.sexes):
            expected = "the people for whom the store was built"
            raise InputError(self._path, "individuals", expected, "others")


_CARRIERS = """SELECT start, ref, alt, svlen, reach, shift, carriers FROM variants WHERE contig = ?
ORDER BY start, ref, alt, svlen"""
_GET = f"SELECT {_COLUMNS} FROM variants WHERE contig = ? AND start = ? AND ref = ? AND alt = ?"
_LONG = long_variants_before("variants", ", ".join(f"v.{name}" for name in _NAMES))
_PROTEIN = """SELECT DISTINCT c.name, start, ref, alt FROM effects
JOIN contigs c ON c.number = contig WHERE hgvs_p GLOB ?1 AND hgvs_p != '' AND ?2 IN (gene, '')
ORDER BY contig, start, ref, alt"""
_CHANGED = "SELECT name FROM contigs WHERE EXISTS (SELECT 1 FROM effects WHERE contig = number)"
_EFFECTS = """SELECT gene, transcript, term, label, hgvs_c, hgvs_p FROM effects
WHERE contig = ? AND start = ? AND ref = ? AND alt = ?"""
_RANGE = f"SELECT {_COLUMNS} FROM variants WHERE contig = ? AND start >= ? AND start < ?"


def individuals_digest(ids: Iterable[str], sexes: Iterable[str]) -> str:
    """Compute a digest of the people and their order.

    Args:
        ids: Ids of the people, in order.
        sexes: Their sexes.

    Returns:
        SHA-256 as 64 hex digits.
    """
    text = "".join(f"{name}\0{sex}\n" for name, sex in zip(ids, sexes, strict=True))
    return hashlib.sha256(text.encode()).hexdigest()


class ContentDigest:
    """A digest of rows, by contig and column. It does not depend on how rows are batched."""

    def __init__(self) -> None:
        self._contigs: dict[int, tuple] = {}

    def update(self, rows: list[tuple]) -> None:
        """Add rows of one contig.

        Args:
            rows: Rows ``(contig number, start, ref, alt, svlen, reach, shift, *COUNTS, carriers,
                homozygotes)`` that follow those added before.
        """
        contig, start, ref, alt, *numeric, carriers, homozygotes = zip(*rows, strict=True)
        fresh = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        numbers, letters, lists = self._contigs.setdefault(contig[0], fresh)
        sizes = ([len(data) for data in column] for column in (carriers, homozygotes))
        numbers.update(np.array([contig, start, *numeric, *sizes], "<i8").T.tobytes())
        letters.update("".join(f"{r}\0{a}\n" for r, a in zip(ref, alt, strict=True)).encode())
        lists.update(b"".join(a + b for a, b in zip(carriers, homozygotes, strict=True)))

    def hexdigest(self) -> str:
        """Return the digest as 64 hex digits."""
        whole = hashlib.sha256()
        for _, digests in sorted(self._contigs.items()):
            whole.update(b"".join(digest.digest() for digest in digests))
        return whole.hexdigest()


def _refuse_foreign_or_truncated(path: Path) -> None:
    head = check_complete(path, "a variant store")
    (application,) = struct.unpack_from(">I", head, _APPLICATION_AT)
    if application != APPLICATION_ID:
        raise InputError(path, "file", "a variant store", "another SQLite file")
