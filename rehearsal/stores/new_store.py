"""Write a new store: an SQLite file with its checksum, as a whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from rehearsal.files import atomic_path
from rehearsal.stores.store_checksum import write_checksum


@contextmanager
def new_store(path: Path | str) -> Iterator[sqlite3.Connection]:
    """Give a connection to an empty file, which becomes ``path`` at the end of the block.

    The file is deleted on failure. So SQLite need neither keep a journal nor wait for the disk at
    each statement that creates a table, which took half of the time of a small store.

    Args:
        path: The file to write.

    Yields:
        The connection. What is still open at the end is committed.
    """
    with atomic_path(path) as aside:
        aside.unlink(missing_ok=True)
        with closing(sqlite3.connect(aside)) as connection:
            connection.execute("PRAGMA journal_mode = OFF")
            connection.execute("PRAGMA synchronous = OFF")
            yield connection
            connection.commit()
        write_checksum(aside)
