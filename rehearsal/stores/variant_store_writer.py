"""Building a node's variant store: from the parts of its blocks, or row by row.

The tables are described in :mod:`rehearsal.stores.variant_store`, which reads them; this module
brings pandas and Arrow, which a node that answers must not carry.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import pandas as pd
import pyarrow.parquet as pq

from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.genomes.assembly import listed_contigs
from rehearsal.model import SEXES
from rehearsal.stores.store_checksum import write_checksum
from rehearsal.stores.variant_store import (
    APPLICATION_ID,
    BATCH,
    FORMAT,
    SCHEMA,
    ContentDigest,
    individuals_digest,
)
from rehearsal.stores.variant_store_part import open_part

SMALLEST_PAGE, LARGEST_PAGE = 4096, 65536  # bytes


def build_store(parts: list[Path], individuals: pd.DataFrame, out: Path) -> int:
    """Build a node's store from the parts that its blocks left; returns the number of variants.

    ``individuals`` (``id``, ``sex``) are the country's people in their order. The order of
    ``parts`` does not matter; the same content gives the same bytes (with the same SQLite). Raises
    InputError for a file that is no part, for parts of other people, of contigs with two lengths,
    or that overlap.
    """
    people = individuals_digest(individuals["id"].tolist(), individuals["sex"].tolist())
    files = [open_part(part) for part in parts]
    for part, (_, about) in zip(parts, files, strict=True):
        if about["individuals"] != people:
            raise InputError(part, "individuals", "the same people in the same order as the node's")
    contigs = merge_contigs(
        (part, listed_contigs(about["contig"], about["length"]))
        for part, (_, about) in zip(parts, files, strict=True)
    )
    with StoreWriter(out, individuals, contigs) as writer:
        for part, file, about in sorted(
            ((part, file, about) for part, (file, about) in zip(parts, files, strict=True)),
            key=lambda item: (writer.number[item[2]["contig"]], _first_start(item[1])),
        ):
            for batch in file.iter_batches(BATCH):
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
        self._digest = ContentDigest()
        self._last: dict[int, tuple] = {}  # by contig: the last key
        self._aside = atomic_path(out)

    def __enter__(self) -> StoreWriter:
        self._file = self._aside.__enter__()
        self._file.unlink(missing_ok=True)
        self._connection = sqlite3.connect(self._file, isolation_level=None)
        self._connection.execute(f"PRAGMA page_size = {_page_size(len(self._individuals))}")
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        self._connection.execute("PRAGMA journal_mode = OFF")  # the file is thrown away on failure
        self._connection.execute("PRAGMA synchronous = OFF")
        self._connection.execute("PRAGMA cache_size = -65536")
        self._connection.executescript(SCHEMA)
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
            write_checksum(self._file)
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
    """The smallest page a quarter of which holds the longest row; 4 kB where none does.

    SQLite moves rows that are longer than that to pages of their own, and half of the file may
    end up empty (270,000 people: 1.3 MB a country with such pages, 2.4 MB with half the size).
    With more than 65,000 people in a country no page is large enough and small ones waste least:
    5 Mb of 154,000 people take 0.57 GB in pages of 4 kB and 1.10 GB in pages of 64 kB.
    """
    longest = 2 * (individuals // 8 + 1) + 100  # two bitmaps and the rest
    size = SMALLEST_PAGE
    while size < 4 * longest:
        size *= 2
    return size if size <= LARGEST_PAGE else SMALLEST_PAGE
