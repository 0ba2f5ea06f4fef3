"""A node's variants: one SQLite file, clustered by place, read without a lock.

    individuals  number (0, 1, ...), id, sex
    contigs      number, name, length, longest_ref (of its variants, bases)
    variants     contig, start, ref, alt (the key), ten counts, carriers, homozygotes
    meta         key, value: format, counts and digests

``carriers`` and ``homozygotes`` are lists of individuals' numbers
(:mod:`rehearsal.export.carrier_lists`). REF and ALT are kept as they were written: nothing is
trimmed or moved to the left. SQLite's free header field ``user_version`` holds a CRC-32 of the
rest of the file, so that a damaged store is refused before it answers wrongly.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import re
import sqlite3
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import isal.isal_zlib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyroaring import BitMap

from rehearsal.export import carrier_lists
from rehearsal.export.store_part import COUNTS, METADATA_KEY, individuals_digest
from rehearsal.files import written_aside
from rehearsal.model import SEXES, AlleleCounts, InputError

FORMAT = "rehearsal variant store 1"
APPLICATION_ID = 0x52485253  # "RHRS"

_BATCH = 1 << 14  # rows that are read or written at a time
_COLUMNS = ", ".join(("start", "ref", "alt", *COUNTS, "carriers", "homozygotes"))
_SCHEMA = f"""
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
_CHECKSUM_AT = 60  # user_version in SQLite's file header
_APPLICATION_AT = 68


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
        return carrier_lists.decode(self.carriers_data)

    def homozygotes(self) -> BitMap:
        """Numbers of the individuals with two copies; hemizygous ones are not among them."""
        return carrier_lists.decode(self.homozygotes_data)


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
        people = connection.execute("SELECT id, sex FROM individuals ORDER BY number").fetchall()
        self.individuals: list[str] = [name for name, _ in people]
        self.sexes: list[str] = [sex for _, sex in people]
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
        if verify and _file_checksum(path) != _stored_checksum(path):
            raise InputError(path, "checksum", "the one it was built with: the file is damaged")
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
        digest = _ContentDigest()
        for number in self._numbers.values():
            rows = self._connection.execute(
                f"SELECT contig, {_COLUMNS} FROM variants WHERE contig = ?", (number,)
            )
            while batch := rows.fetchmany(_BATCH):
                digest.update(batch)
        if digest.hexdigest() != self._meta["content_digest"]:
            raise InputError(self._path, "content", "the rows that it was built with")
        if self._meta["individuals_digest"] != individuals_digest(self.individuals, self.sexes):
            raise InputError(self._path, "individuals", "those that it was built with")


_GET = f"SELECT {_COLUMNS} FROM variants WHERE contig = ? AND start = ? AND ref = ? AND alt = ?"
_RANGE = f"SELECT {_COLUMNS} FROM variants WHERE contig = ? AND start >= ? AND start < ?"


def build_store(parts: list[Path], individuals: pd.DataFrame, out: Path) -> int:
    """Build a node's store from the parts that its blocks left; returns the number of variants.

    ``individuals`` (``id``, ``sex``) are the country's people in their order. The order of
    ``parts`` does not matter; the same content gives the same bytes (with the same SQLite). Raises
    InputError for a file that is no part, for parts of other people, of contigs with two lengths,
    or that overlap.
    """
    people = individuals_digest(individuals["id"].tolist(), individuals["sex"].tolist())
    files = [_open_part(part) for part in parts]
    for part, (_, about) in zip(parts, files, strict=True):
        if about["individuals"] != people:
            raise InputError(part, "individuals", "the same people in the same order as the node's")
    contigs = merge_contigs(
        (part, {about["contig"]: about["length"]})
        for part, (_, about) in zip(parts, files, strict=True)
    )
    with StoreWriter(out, individuals, contigs) as writer:
        for part, file, about in sorted(
            ((part, file, about) for part, (file, about) in zip(parts, files, strict=True)),
            key=lambda item: (writer.number[item[2]["contig"]], _first_start(item[1])),
        ):
            for batch in file.iter_batches(_BATCH):
                columns = [column.to_pylist() for column in batch.columns]
                number = [writer.number[about["contig"]]] * batch.num_rows
                writer.write(part, list(zip(number, *columns, strict=True)))
        return writer.rows


def merge_contigs(sources: Iterable[tuple[Path, dict[str, int]]]) -> dict[str, int]:
    """The contigs of all sources in karyotype order. Raises InputError for two lengths of one."""
    merged: dict[str, int] = {}
    for path, contigs in sources:
        for name, length in contigs.items():
            if merged.setdefault(name, length) != length:
                raise InputError(path, f"contig {name}", f"length {merged[name]}, as elsewhere")
    return {name: merged[name] for name in sorted(merged, key=_karyotype_order)}


def _karyotype_order(name: str) -> tuple[int, int, str]:
    """chr1 to chr22, X, Y, M, then others by name."""
    short = re.sub("^chr", "", name)
    if short.isdigit():
        return 0, int(short), name
    known = ["X", "Y", "M", "MT"]
    return (1, known.index(short), name) if short in known else (2, 0, name)


def _open_part(part: Path) -> tuple[pq.ParquetFile, dict]:
    try:
        file = pq.ParquetFile(part)
        return file, json.loads(file.schema_arrow.metadata[METADATA_KEY])
    except (OSError, pa.ArrowException, KeyError, TypeError) as error:
        raise InputError(
            part, "file", "a part of a variant store, as the shards write it"
        ) from error


def _first_start(file: pq.ParquetFile) -> int:
    for batch in file.iter_batches(1, columns=["start"]):
        return batch.column(0)[0].as_py()
    return -1


class StoreWriter:
    """Writes a store whose rows come in order; use it as a context manager."""

    def __init__(self, out: Path, individuals: pd.DataFrame, contigs: dict[str, int]) -> None:
        if not individuals["sex"].isin(SEXES).all():
            raise InputError("individuals", "sex", "one of " + ", ".join(SEXES))
        if individuals["id"].duplicated().any():
            raise InputError("individuals", "id", "no id twice")
        self.number = {name: number for number, name in enumerate(contigs)}
        self.rows = 0
        self._individuals, self._contigs = individuals, contigs
        self._longest_ref = dict.fromkeys(self.number.values(), 0)
        self._digest = _ContentDigest()
        self._last: dict[int, tuple] = {}  # by contig: the last key
        self._aside = written_aside(out)

    def __enter__(self) -> StoreWriter:
        self._file = self._aside.__enter__()
        self._file.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._file, isolation_level=None)
        self._connection.execute(f"PRAGMA page_size = {_page_size(len(self._individuals))}")
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute("PRAGMA journal_mode = OFF")  # the file is thrown away on failure
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA cache_size = -65536")
        self._connection.executescript(_SCHEMA)
        self._connection.execute("BEGIN")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._write_the_rest()
        self._connection.close()
        if kind is None:
            checksum = _file_checksum(self._file)
            with self._file.open("r+b") as file:
                file.seek(_CHECKSUM_AT)
                file.write(struct.pack(">I", checksum))
        self._aside.__exit__(kind, error, trace)

    def write(self, source: Path, rows: list[tuple]) -> None:
        """Add rows ``(contig number, start, ref, alt, *COUNTS, carriers, homozygotes)``.

        A call brings rows of one contig. Its keys must ascend strictly, within and between calls;
        else InputError names ``source``. Contigs may come in any order.
        """
        if not rows:
            return
        number = rows[0][0]
        keys = [row[1:4] for row in rows]
        for before, key in zip([self._last.get(number, ()), *keys[:-1]], keys, strict=True):
            if not before < key:
                where = f"{list(self._contigs)[number]}:{key[0] + 1} {key[1]}>{key[2]}"
                raise InputError(source, where, "variants in order, each once")
        self._last[number] = keys[-1]
        longest = max(len(ref) for _, ref, _ in keys)
        self._longest_ref[number] = max(self._longest_ref[number], longest)
        places = ", ".join("?" * len(rows[0]))
        self._connection.executemany(f"INSERT INTO variants VALUES ({places})", rows)
        self._digest.update(rows)
        self.rows += len(rows)

    def _write_the_rest(self) -> None:
        people = self._individuals
        self._connection.executemany(
            "INSERT INTO individuals VALUES (?, ?, ?)",
            zip(range(len(people)), people["id"].tolist(), people["sex"].tolist(), strict=True),
        )
        self._connection.executemany(
            "INSERT INTO contigs VALUES (?, ?, ?, ?)",
            [
                (number, name, self._contigs[name], self._longest_ref[number])
                for name, number in self.number.items()
            ],
        )
        meta = {
            "format": FORMAT,
            "variants": self.rows,
            "individuals": len(people),
            "content_digest": self._digest.hexdigest(),
            "individuals_digest": individuals_digest(people["id"].tolist(), people["sex"].tolist()),
        }
        self._connection.executemany(
            "INSERT INTO meta VALUES (?, ?)", [(key, str(value)) for key, value in meta.items()]
        )
        self._connection.execute("COMMIT")


def _page_size(individuals: int) -> int:
    """The smallest page a quarter of which holds the longest row.

    SQLite moves rows that are longer than that to pages of their own, and half of the file may
    end up empty (270,000 people: 1.3 MB a country with such pages, 2.4 MB with half the size).
    """
    longest = 2 * (individuals // 8 + 1) + 100  # two bitmaps and the rest
    size = 4096
    while size < 4 * longest and size < 65536:
        size *= 2
    return size


class _ContentDigest:
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
    if not path.is_file():
        raise InputError(path, "file", "a variant store, but there is none")
    with path.open("rb") as file:
        head = file.read(100)
    if len(head) < 100 or head[:16] != b"SQLite format 3\0":
        raise InputError(path, "file", "a variant store, but it is no SQLite file or an empty one")
    (application,) = struct.unpack_from(">I", head, _APPLICATION_AT)
    if application != APPLICATION_ID:
        raise InputError(path, "file", "a variant store, but it is another SQLite file")
    (page_size,) = struct.unpack_from(">H", head, 16)
    page_size = 65536 if page_size == 1 else page_size
    (pages,) = struct.unpack_from(">I", head, 28)
    expected, found = page_size * pages, path.stat().st_size
    if found != expected:
        raise InputError(path, "size", f"{expected} bytes, but it has {found}: it is truncated")


def _file_checksum(path: Path) -> int:
    """CRC-32 of the file without the field that holds it."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        view = memoryview(data)
        with view[:_CHECKSUM_AT] as head, view[_CHECKSUM_AT + 4 :] as rest:
            checksum = isal.isal_zlib.crc32(rest, isal.isal_zlib.crc32(head))
        view.release()
        return checksum


def _stored_checksum(path: Path) -> int:
    with path.open("rb") as file:
        file.seek(_CHECKSUM_AT)
        return struct.unpack(">I", file.read(4))[0]
