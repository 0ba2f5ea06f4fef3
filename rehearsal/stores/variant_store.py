"""A node's variants: one SQLite file, clustered by place, read without a lock.

    individuals  number (0, 1, ...), id, sex
    contigs      number, name, length, longest_ref (of its variants, bases)
    variants     contig, start, ref, alt (the key), ten counts, carriers, homozygotes
    meta         key, value: format, counts and digests

``carriers`` and ``homozygotes`` are lists of individuals' numbers
(:mod:`rehearsal.stores.carrier_lists`). REF and ALT are kept as they were written: nothing is
trimmed or moved to the left. The file has a checksum
(:mod:`rehearsal.stores.store_checksum`), so that a damaged store is refused before it answers
wrongly.
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

from rehearsal.errors import InputError
from rehearsal.model import AlleleCounts, Variant
from rehearsal.stores.carrier_lists import SHORT, decode
from rehearsal.stores.store_checksum import check_complete, verify_checksum

FORMAT = "rehearsal variant store 1"
APPLICATION_ID = 0x52485253  # "RHRS"

COUNTS = tuple(
    f"{count}_{sex}" for sex in ("female", "male") for count in ("an", "ac", "hom", "het", "hemi")
)
SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE individuals (number INTEGER PRIMARY KEY, id TEXT NOT NULL, sex TEXT NOT NULL);
CREATE TABLE contigs (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, length INTEGER NOT NULL,
    longest_ref INTEGER NOT NULL
);
CREATE TABLE variants (
    contig INTEGER NOT NULL, start INTEGER NOT NULL, ref TEXT NOT NULL, alt TEXT NOT NULL,
    {"".join(f"{name} INTEGER NOT NULL, " for name in COUNTS)}
    carriers BLOB NOT NULL, homozygotes BLOB NOT NULL,
    PRIMARY KEY (contig, start, ref, alt)
) WITHOUT ROWID;
"""

BATCH = 1 << 14  # rows that are read or written at a time
_COLUMNS = ", ".join(("start", "ref", "alt", *COUNTS, "carriers", "homozygotes"))
_APPLICATION_AT = 68


_ONE_CARRIER = bytes((SHORT, 0, 0))


class VariantRow(NamedTuple):
    """One alternate allele in one node's people. Lists are decoded only when asked for."""

    contig: str
    start: int  # 0-based
    ref: str
    alt: str
    an_female: int
    ac_female: int
    hom_female: int
    het_female: int
    hemi_female: int
    an_male: int
    ac_male: int
    hom_male: int
    het_male: int
    hemi_male: int
    carriers_data: bytes
    homozygotes_data: bytes

    @property
    def female(self) -> AlleleCounts:
        return AlleleCounts(*self[4:9])

    @property
    def male(self) -> AlleleCounts:
        return AlleleCounts(*self[9:14])

    @property
    def total(self) -> AlleleCounts:
        return self.female + self.male

    def carriers(self) -> BitMap:
        """Numbers of the individuals with at least one copy."""
        return decode(self.carriers_data)

    def homozygotes(self) -> BitMap:
        """Numbers of the individuals with two copies; hemizygous ones are not among them."""
        return decode(self.homozygotes_data)


class AbsentAlleleRow(VariantRow):
    """The row of an allele that nobody carries. It is worked with like one that somebody does."""

    __slots__ = ()

    @classmethod
    def of(cls, variant: Variant) -> AbsentAlleleRow:
        place = (variant.contig, variant.start, variant.ref, variant.alt)
        return cls(*place, *(0,) * 10, _ONE_CARRIER, b"")

    def carriers(self) -> BitMap:
        """Nobody, after as much work as for one carrier."""
        decode(self.carriers_data)
        return BitMap()


class VariantStore:
    """Reads a store. All methods may be called from any thread, one at a time."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use :meth:`open`."""
        self._path = path
        self._connection = connection
        self._meta = dict(connection.execute("SELECT key, value FROM meta"))
        contigs = connection.execute(
            "SELECT name, number, length, longest_ref FROM contigs ORDER BY number"
        ).fetchall()
        self._numbers = {name: number for name, number, _, _ in contigs}
        self._longest_ref = {name: longest for name, _, _, longest in contigs}
        self.contigs: dict[str, int] = {name: length for name, _, length, _ in contigs}
        people = "SELECT {} FROM individuals ORDER BY number"
        self.individuals: list[str] = [name for (name,) in connection.execute(people.format("id"))]
        self.sexes: list[str] = [  # one text for all of a sex: a node of 100,000 stays small
            sys.intern(sex) for (sex,) in connection.execute(people.format("sex"))
        ]
        self.count = int(self._meta["variants"])

    @classmethod
    def open(cls, path: Path | str, *, verify: bool = True) -> VariantStore:
        """Open a store for reading.

        Reads the whole file once to compare its checksum (0.3 ms a megabyte that is in memory);
        ``verify=False`` leaves that out. Raises InputError for a missing, truncated,
        damaged or foreign file, saying which.
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
        except (sqlite3.DatabaseError, KeyError) as error:
            connection.close()
            raise InputError(path, "tables", f"those of a {FORMAT} ({error})") from error
        if store._meta.get("format") != FORMAT:
            store.close()
            raise InputError(path, "format", FORMAT)
        return store

    def close(self) -> None:
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
        """The variant at a 0-based start, if anybody carries it."""
        number = self._numbers.get(contig)
        if number is None or not 0 <= start <= self.contigs[contig]:
            return None
        row = self._connection.execute(_GET, (number, start, ref, alt)).fetchone()
        return None if row is None else VariantRow(contig, *row)

    def read(self, variant: Variant) -> VariantRow:
        """The variant's row, found in the same steps whether or not anybody carries it.

        What is read is the first row at or behind the variant's place: its own, or the next one,
        which is not looked into.
        """
        number = self._numbers.get(variant.contig)
        if number is None or not 0 <= variant.start <= self.contigs[variant.contig]:
            return AbsentAlleleRow.of(variant)
        key = (number, variant.start, variant.ref, variant.alt)
        row = self._connection.execute(_FROM, key).fetchone()
        if row is not None and row[:3] == key[1:]:
            return VariantRow(variant.contig, *row)
        return AbsentAlleleRow.of(variant)

    def overlapping(self, contig: str, start: int, end: int) -> Iterator[VariantRow]:
        """Variants whose reference bases touch ``[start, end)``, ordered by (start, ref, alt)."""
        number = self._numbers.get(contig)
        if number is None:
            return
        start, end = max(start, 0), min(end, self.contigs[contig])
        if start >= end:
            return
        # a variant that begins earlier may reach in, but not from further than the longest REF
        earliest = start - self._longest_ref[contig] + 1
        for row in self._connection.execute(_RANGE, (number, earliest, end)):
            if row[0] + len(row[1]) > start:
                yield VariantRow(contig, *row)

    def __iter__(self) -> Iterator[VariantRow]:
        """All variants, by contig and then in order."""
        for contig, length in self.contigs.items():
            yield from self.overlapping(contig, 0, length)

    def check(self) -> None:
        """Compare every row with the digest of the content.

        Raises InputError when they differ. This finds what :meth:`open` cannot: a store that was
        changed with SQLite and given a new checksum.
        """
        digest = ContentDigest()
        for number in self._numbers.values():
            rows = self._connection.execute(
                f"SELECT contig, {_COLUMNS} FROM variants WHERE contig = ?", (number,)
            )
            while batch := rows.fetchmany(BATCH):
                digest.update(batch)
        if digest.hexdigest() != self._meta["content_digest"]:
            raise InputError(self._path, "content", "the rows that it was built with")
        if self._meta["individuals_digest"] != individuals_digest(self.individuals, self.sexes):
            raise InputError(self._path, "individuals", "those that it was built with")


_GET = f"SELECT {_COLUMNS} FROM variants WHERE contig = ? AND start = ? AND ref = ? AND alt = ?"
_FROM = f"""SELECT {_COLUMNS} FROM variants WHERE contig = ? AND (start, ref, alt) >= (?, ?, ?)
ORDER BY start, ref, alt LIMIT 1"""
_RANGE = f"SELECT {_COLUMNS} FROM variants WHERE contig = ? AND start >= ? AND start < ?"


def individuals_digest(ids: Iterable[str], sexes: Iterable[str]) -> str:
    """SHA-256 of who the people are and in which order, as 64 hex digits."""
    text = "".join(f"{name}\0{sex}\n" for name, sex in zip(ids, sexes, strict=True))
    return hashlib.sha256(text.encode()).hexdigest()


class ContentDigest:
    """A digest of rows, by contig and column: the same however the rows are batched."""

    def __init__(self) -> None:
        self._contigs: dict[int, tuple] = {}

    def update(self, rows: list[tuple]) -> None:
        """Add rows of one contig, after those that were added before."""
        contig, start, ref, alt, *counts, carriers, homozygotes = zip(*rows, strict=True)
        fresh = hashlib.sha256(), hashlib.sha256(), hashlib.sha256()
        numbers, letters, lists = self._contigs.setdefault(contig[0], fresh)
        sizes = ([len(data) for data in column] for column in (carriers, homozygotes))
        numbers.update(np.array([contig, start, *counts, *sizes], "<i8").T.tobytes())
        letters.update("".join(f"{r}\0{a}\n" for r, a in zip(ref, alt, strict=True)).encode())
        lists.update(b"".join(a + b for a, b in zip(carriers, homozygotes, strict=True)))

    def hexdigest(self) -> str:
        whole = hashlib.sha256()
        for _, digests in sorted(self._contigs.items()):
            whole.update(b"".join(digest.digest() for digest in digests))
        return whole.hexdigest()


def _refuse_foreign_or_truncated(path: Path) -> None:
    head = check_complete(path, "a variant store")
    (application,) = struct.unpack_from(">I", head, _APPLICATION_AT)
    if application != APPLICATION_ID:
        raise InputError(path, "file", "a variant store, but it is another SQLite file")
