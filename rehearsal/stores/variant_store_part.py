"""Parts of a node's variant store: what one block adds to it, as Parquet.

A part holds one row per alternate allele that at least one person of the country carries, ordered
by (start, ref, alt, svlen). The node's store is made of the parts of all blocks.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rehearsal.errors import InputError, unreadable_file
from rehearsal.stores.variant_store import COUNTS

SCHEMA = pa.schema(
    [
        ("start", pa.int64()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        ("svlen", pa.int32()),
        ("reach", pa.int32()),
        ("shift", pa.int32()),
        *((name, pa.int32()) for name in COUNTS),
        ("carriers", pa.binary()),
        ("homozygotes", pa.binary()),
    ]
)
METADATA_KEY = b"rehearsal_store_part"
CONSEQUENCES = "consequences.parquet"  # beside the parts of a block's countries

_ROWS, _BYTES = 1 << 16, 8 << 20  # a row group is written when it reaches either size


class StorePartWriter:
    """Write batches of rows in row groups of bounded size. Use it as a context manager.

    Args:
        path: The part to write.
        contig: Contig of all rows.
        contig_length: Its length in bases.
        individuals: Digest of the country's people (``individuals_digest``). The store refuses
            parts of other people.
    """

    def __init__(self, path: Path, contig: str, contig_length: int, individuals: str) -> None:
        about = {"contig": contig, "length": contig_length, "individuals": individuals}
        schema = SCHEMA.with_metadata({METADATA_KEY: json.dumps(about).encode()})
        blobs = {"carriers", "homozygotes"}
        self._writer = pq.ParquetWriter(
            path,
            schema,
            compression={n: "NONE" if n in blobs else "ZSTD" for n in SCHEMA.names},
            use_dictionary=[n for n in SCHEMA.names if n not in blobs | {"start"}],
            write_statistics=False,
        )
        self._schema = schema
        self._batches: list[pa.RecordBatch] = []
        self._rows = self._bytes = 0

    def __enter__(self) -> StorePartWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._flush()
        self._writer.close()

    def write(self, columns: list[pa.Array]) -> None:
        """Add rows.

        Args:
            columns: Arrays of equal length, in the order of ``SCHEMA``.
        """
        batch = pa.record_batch(columns, schema=self._schema)
        self._batches.append(batch)
        self._rows += batch.num_rows
        self._bytes += batch.nbytes
        if self._rows >= _ROWS or self._bytes >= _BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._rows:
            table = pa.Table.from_batches(self._batches, self._schema)
            self._writer.write_table(table, row_group_size=self._rows)
        self._batches = []
        self._rows = self._bytes = 0


def open_part(part: Path) -> tuple[pq.ParquetFile, dict[str, Any]]:
    """Open a part.

    Args:
        part: The file.

    Returns:
        The file to read rows from, and its ``contig``, ``length`` (bases) and ``individuals`` (a
        digest).

    Raises:
        InputError: The file is not a part.
    """
    try:
        file = pq.ParquetFile(part)
        if file.schema_arrow.names != SCHEMA.names:
            found = ", ".join(file.schema_arrow.names)
            raise InputError(part, "columns", "those of a part of a variant store", found)
        return file, json.loads(file.schema_arrow.metadata[METADATA_KEY])
    except (OSError, pa.ArrowException, KeyError, TypeError) as error:
        found = unreadable_file(error)
        raise InputError(part, "file", "a part of a variant store", found) from error
