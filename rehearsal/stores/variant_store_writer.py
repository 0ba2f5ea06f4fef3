"""Build a node's variant store: from the parts of its blocks, or row by row.

The tables are described in :mod:`rehearsal.stores.variant_store`, which reads them. This module
imports pandas and Arrow, which a running node must not load.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import pandas as pd
import pyarrow.parquet as pq

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import listed_contigs
from rehearsal.logs import in_progress
from rehearsal.model import SEXES
from rehearsal.stores.long_variants import INSERT, INSERT_CLASSES, long_rows
from rehearsal.stores.new_store import new_store
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


def build_store(
    parts: list[Path],
    individuals: pd.DataFrame,
    out: Path,
    effects: Iterable[tuple[str, pd.DataFrame]] = (),
) -> int:
    """Build a node's store from the parts of its blocks.

    The same content gives the same bytes (with the same SQLite).

    Args:
        parts: Parts of the store, in any order.
        individuals: The country's people in their order, with ``id`` and ``sex``.
        out: The file to write.
        effects: Contigs, and consequences of their alleles as ``annotate_block`` returns them.

    Returns:
        The number of variants.

    Raises:
        InputError: A file is not a part, parts are of other people or overlap, or two parts give a
            contig different lengths.
    """
    people = individuals_digest(individuals["id"].tolist(), individuals["sex"].tolist())
    files = [(part, *open_part(part)) for part in parts]
    for part, _, about in files:
        if about["individuals"] != people:
            expected = "the node's people in the same order"
            raise InputError(part, "individuals", expected, "other people or another order")
    contigs = merge_contigs(
        (part, listed_contigs(about["contig"], about["length"])) for part, _, about in files
    )
    with StoreWriter(out, individuals, contigs) as writer:
        in_order = sorted(
            files, key=lambda item: (writer.number[item[2]["contig"]], _first_start(item[1]))
        )
        for part, file, about in in_progress(in_order, "blocks"):
            for batch in file.iter_batches(BATCH):
                columns = [column.to_pylist() for column in batch.columns]
                number = [writer.number[about["contig"]]] * batch.num_rows
                writer.write(part, list(zip(number, *columns, strict=True)))
        for contig, table in effects:
            if contig in writer.number:
                writer.write_effects(contig, table)
        return writer.rows


def merge_contigs(sources: Iterable[tuple[Path, dict[str, int]]]) -> dict[str, int]:
    """Merge the contigs of several files.

    Args:
        sources: Each file with the lengths of its contigs in bases.

    Returns:
        Lengths by contig, in karyotype order.

    Raises:
        InputError: Two files give a contig different lengths.
    """
    merged: dict[str, int] = {}
    for path, contigs in sources:
        for name, length in contigs.items():
            if merged.setdefault(name, length) != length:
                expected = f"{merged[name]} bases, as in the other files"
                raise InputError(path, f"contig {name}", expected, f"{length} bases")
    return {name: merged[name] for name in sorted(merged, key=_karyotype_order)}


def _karyotype_order(name: str) -> tuple[int, int, str]:
    """Return a sort key: chr1 to chr22, X, Y, M, then others by name."""
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
    """Write a store row by row. Use it as a context manager.

    Args:
        out: The file to write. It appears whole or not at all.
        individuals: The people in the order of their numbers, with ``id`` and ``sex``.
        contigs: Lengths in bases by contig, in the order of their numbers.

    Raises:
        InputError: A sex is unknown, or an identifier occurs twice.
    """

    def __init__(self, out: Path, individuals: pd.DataFrame, contigs: dict[str, int]) -> None:
        unknown = individuals["sex"][~individuals["sex"].isin(SEXES)]
        if len(unknown):
            raise InputError("individuals", "sex", " or ".join(SEXES), shown(unknown.iloc[0]))
        twice = individuals["id"][individuals["id"].duplicated()]
        if len(twice):
            found = f"{shown(twice.iloc[0])} twice"
            raise InputError("individuals", "id", "unique identifiers", found)
        self.number = {name: number for number, name in enumerate(contigs)}
        self.rows = 0
        self._individuals, self._contigs = individuals, contigs
        self._longest_ref = dict.fromkeys(self.number.values(), 0)
        self._longest_shift = dict.fromkeys(self.number.values(), 0)
        self._digest = ContentDigest()
        self._last: dict[int, tuple] = {}  # last key of each contig
        self._new_store = new_store(out)

    def __enter__(self) -> StoreWriter:
        self._connection = self._new_store.__enter__()
        self._connection.execute(f"PRAGMA page_size = {_page_size(len(self._individuals))}")
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
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
        self._new_store.__exit__(kind, error, trace)

    def write(self, source: Path, rows: list[tuple]) -> None:
        """Add rows of one contig.

        Contigs may come in any order. The keys (start, ref, alt, svlen) of a contig must ascend
        strictly, within and between calls.

        Args:
            source: The file that the error names.
            rows: Rows ``(contig number, start, ref, alt, svlen, reach, shift, *COUNTS, carriers,
                homozygotes)``, with 0-based starts.

        Raises:
            InputError: Keys do not ascend.
        """
        if not rows:
            return
        number = rows[0][0]
        keys = [row[1:5] for row in rows]
        for before, key in zip([self._last.get(number, ()), *keys[:-1]], keys, strict=True):
            if not before < key:
                where = f"{list(self._contigs)[number]}:{key[0] + 1} {key[1]}>{key[2]}"
                expected = "variants in ascending order, each once"
                raise InputError(source, where, expected, "a variant after an equal or later one")
        self._last[number] = keys[-1]
        longest = max(len(key[1]) for key in keys)
        self._longest_ref[number] = max(self._longest_ref[number], longest)
        shift = max(row[6] for row in rows)
        self._longest_shift[number] = max(self._longest_shift[number], shift)
        places = ", ".join("?" * len(rows[0]))
        self._connection.executemany(f"INSERT INTO variants VALUES ({places})", rows)
        self._connection.executemany(INSERT, long_rows(rows))
        self._digest.update(rows)
        self.rows += len(rows)

    def write_effects(self, contig: str, effects: pd.DataFrame) -> None:
        """Add what the alleles of a contig change, as far as the store has them.

        Args:
            contig: The contig.
            effects: Consequences as ``annotate_block`` returns them.
        """
        columns = ("position", "ref", "alt", "gene", "transcript", "consequence_id", "consequence")
        rows = effects[[*columns, "hgvs_c", "hgvs_p"]].itertuples(index=False, name=None)
        number = self.number[contig]
        self._connection.executemany(_INSERT_EFFECT, ((number, *row) for row in rows))

    def _write_the_rest(self) -> None:
        people, longest = self._individuals, self._longest_ref
        self._connection.executemany(
            "INSERT INTO individuals VALUES (?, ?, ?)",
            zip(range(len(people)), people["id"].tolist(), people["sex"].tolist(), strict=True),
        )
        self._connection.executemany(
            "INSERT INTO contigs VALUES (?, ?, ?, ?, ?)",
            [
                (number, name, self._contigs[name], longest[number], self._longest_shift[number])
                for name, number in self.number.items()
            ],
        )
        self._connection.execute(INSERT_CLASSES)
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


_INSERT_EFFECT = """INSERT OR IGNORE INTO effects SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10
WHERE EXISTS (SELECT 1 FROM variants WHERE contig = ?1 AND start = ?2 AND ref = ?3 AND alt = ?4)"""


def _page_size(individuals: int) -> int:
    """Choose the smallest page size of which a quarter holds the longest row, or 4 kB if none does.

    SQLite moves longer rows to pages of their own, and half of the file may end up empty (270,000
    people: 1.3 MB per country with such pages, 2.4 MB with half the size). With more than 65,000
    people in a country no page is large enough, and small ones waste least: 5 Mb of 154,000 people
    take 0.57 GB in pages of 4 kB and 1.10 GB in pages of 64 kB.
    """
    longest = 2 * (individuals // 8 + 1) + 100  # two bitmaps and the rest
    size = SMALLEST_PAGE
    while size < 4 * longest:
        size *= 2
    return size if size <= LARGEST_PAGE else SMALLEST_PAGE
