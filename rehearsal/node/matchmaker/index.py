"""The index that patients are matched by, read-only.

An idle node holds nothing of it in memory: terms are looked up in SQLite, and of the bitmaps of
who has a term the last ones used are kept.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.stores.store_checksum import check_complete, verify_checksum

FILE_NAME = "matchmaker.sqlite"
SCHEMA_VERSION = 1
KEPT_TERMS = 512  # with their people: 12 kB each at 100,000 people, at most
KEPT_NAMES = 4096


@dataclass(frozen=True, slots=True)
class Term:
    """A term of HPO. ``content``: information content in millionths; ``ancestors``: numbers of the
    more general terms and its own; ``people``: who has it or a term below, ``excluding``: who was
    found not to have it."""

    id: str
    label: str
    content: int
    ancestors: frozenset[int]
    people: BitMap
    excluding: BitMap


class MatchmakerIndex:
    """Reads ``matchmaker.sqlite``. One connection, for one thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Use :meth:`open`."""
        self.path = path
        self._connection = connection
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        if meta.get("schema") != str(SCHEMA_VERSION):
            raise InputError(path, "schema", f"version {SCHEMA_VERSION}; build the node again")
        self.hpo = meta["hpo"]
        self.size = int(meta["people"])
        self.term = lru_cache(maxsize=KEPT_TERMS)(self._read_term)
        self.number = lru_cache(maxsize=KEPT_NAMES)(self._read_number)

    @classmethod
    def open(cls, path: Path | str, people: int) -> MatchmakerIndex:
        """Open the index of so many people. Raises InputError when it is missing, damaged, of
        another version or of other people."""
        path = Path(path)
        check_complete(path, "an index for matching")
        verify_checksum(path)
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        try:
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            index = cls(path, connection)
        except (sqlite3.DatabaseError, KeyError, ValueError) as error:
            raise InputError(path, "file", f"an index for matching ({error})") from None
        if index.size != people:
            raise InputError(path, "people", f"the node's {people}, not {index.size}")
        return index

    def close(self) -> None:
        self._connection.close()

    def _read_number(self, name: str) -> int | None:
        row = self._connection.execute("SELECT number FROM names WHERE id = ?", (name,)).fetchone()
        return row[0] if row else None

    def _read_term(self, number: int) -> Term:
        """The term with this number. Raises KeyError."""
        row = self._connection.execute(
            "SELECT id, label, content, ancestors, people, excluding FROM terms WHERE number = ?",
            (number,),
        ).fetchone()
        if row is None:
            raise KeyError(number)
        name, label, content, ancestors, people, excluding = row
        return Term(name, label, content, _numbers(ancestors), _bitmap(people), _bitmap(excluding))

    def closure(self, numbers: Iterable[int]) -> frozenset[int]:
        """The terms and all more general ones."""
        return frozenset[int]().union(*(self.term(number).ancestors for number in numbers))

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """By person: the summed content of all terms that they have, more general ones too."""
        (values,) = self._connection.execute('SELECT "values" FROM totals').fetchone()
        return np.frombuffer(values, np.int64)

    @cached_property
    def terms_of_people(self) -> dict[int, frozenset[int]]:
        """The terms that somebody here has, themselves or below, with their ancestors."""
        rows = self._connection.execute(
            "SELECT number, ancestors FROM terms WHERE people IS NOT NULL"
        )
        return {number: _numbers(ancestors) for number, ancestors in rows}

    def with_gene(self, gene: str) -> BitMap:
        """Whose recorded candidate the gene is."""
        row = self._connection.execute(
            "SELECT people FROM genes WHERE gene = ?", (gene,)
        ).fetchone()
        return _bitmap(row and row[0])


def _numbers(blob: bytes) -> frozenset[int]:
    numbers = array("H")
    numbers.frombytes(blob)
    return frozenset(numbers)


def _bitmap(blob: bytes | None) -> BitMap:
    return BitMap.deserialize(blob) if blob else BitMap()
