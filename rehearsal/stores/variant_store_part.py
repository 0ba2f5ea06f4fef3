"""Parts of a node's variant store: what one block adds to it, as Parquet.

A part holds a row for each alternate allele that somebody of the country carries, ordered by
(start, ref, alt); the node's store is the parts of all blocks put together.
"""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rehearsal.errors import InputError
from rehearsal.stores.variant_store import COUNTS

SCHEMA = pa.schema(
    [
        ("start", pa.int64()),
        ("ref", pa.string()),
        ("alt", pa.string()),
        *((name, pa.int32()) for name in COUNTS),
        ("carriers", pa.binary()),
        ("homozygotes", pa.binary()),
    ]
)
METADATA_KEY = b"rehearsal_store_part"

_ROWS, _BYTES = 1 << 16, 8 << 20  # a row group is written when it has reached either


class StorePartWriter:
    """Writes batches of rows in row groups of bounded size; use it as a context manager."""

    def __init__(self, path: Path, contig: str, contig_length: int, individuals: str) -> None:
        """``individuals`` is their digest: the store refuses parts of other people."""
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
        """Add rows, as arrays in the order of ``SCHEMA``."""
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
    """The rows of a part, and its ``contig``, ``length`` (bases) and ``individuals`` (a digest).

    Raises InputError for a file that is no part.
    """
    try:
        file = pq.ParquetFile(part)
        return file, json.loads(file.schema_arrow.metadata[METADATA_KEY])
    except (OSError, pa.ArrowException, KeyError, TypeError) as error:
        raise InputError(
            part, "file", "a part of a variant store, as the shards write it"
        ) from error
