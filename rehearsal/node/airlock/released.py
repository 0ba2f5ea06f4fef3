"""About whom results were released, so that the difference of two results tells of nobody.

Two results about people who differ by one tell about that one. So a result is held if its people
differ from those of an earlier release by fewer than the smallest count. Algorithm, parameters,
variables, purpose and caller do not matter: a step may use none of the variables that a request
names, several algorithms count the same, and callers can talk to each other.
"""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

from pyroaring import BitMap

from rehearsal.errors import InputError, cause
from rehearsal.files import create_private_file

FILE_NAME = "released.sqlite"  # in the state folder
_SCHEMA = "CREATE TABLE IF NOT EXISTS released_sets (people BLOB PRIMARY KEY) WITHOUT ROWID;"


class Released:
    """The sets of people about whom results were released.

    Args:
        path: SQLite file. None keeps them in memory.

    Raises:
        InputError: The file is not such a file.
    """

    def __init__(self, path: Path | None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            create_private_file(path)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        try:
            self._connection.executescript(_SCHEMA)
        except sqlite3.DatabaseError as error:
            self._connection.close()
            found = f"an unusable file ({cause(error)})"
            raise InputError(path or "", "file", "an SQLite file of releases", found) from error

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def is_near_earlier(self, people: BitMap, smallest_count: int) -> bool:
        """Tell whether people differ by too few from those of an earlier release.

        Args:
            people: Numbers of the people.
            smallest_count: The fewest people who may differ, if any do.
        """
        with self._lock:
            rows = self._connection.execute("SELECT people FROM released_sets").fetchall()
        differences = (len(people ^ BitMap.deserialize(row[0])) for row in rows)
        return any(0 < one < smallest_count for one in differences)

    def add(self, people: BitMap) -> None:
        """Note a release.

        Args:
            people: Numbers of the people.
        """
        with self._lock:
            self._connection.execute(
                "INSERT OR IGNORE INTO released_sets VALUES (?)", (people.serialize(),)
            )
