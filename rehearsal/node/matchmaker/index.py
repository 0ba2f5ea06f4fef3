"""The index for patient matching, read-only.

An idle node holds none of it in memory. Terms are looked up in SQLite, and the most recently used
ones are cached.
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

from rehearsal.errors import InputError, cause, mismatch, shown
from rehearsal.stores.store_checksum import check_complete, verify_checksum

FILE_NAME = "matchmaker.sqlite"
SCHEMA_VERSION = 2
KEPT_TERMS = 512  # cached, with their people: at most 12 kB each at 100,000 people
KEPT_NAMES = 4096  # cached


@dataclass(frozen=True, slots=True)
class Term:
    """A term of HPO, with the node's people who have it."""

    id: str  # for example HP:0001250
    label: str
    content: int  # information content, in millionths
    ancestors: frozenset[int]  # numbers of the ancestor terms, and its own
    people: BitMap  # people with the term or a descendant
    excluding: BitMap  # people in whom the term was excluded


class MatchmakerIndex:
    """Reads ``matchmaker.sqlite``, over one connection, for one thread.

    Args:
        path: The file, for messages.
        connection: A connection to it. Use :meth:`open`.

    Attributes:
        hpo: Release of HPO.
        size: Number of people.
        term: Returns the :class:`Term` of a number.
        number: Returns the number of a term's identifier, or None.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        """Read the index's metadata. Use :meth:`open`.

        Args:
            path: The file, for messages.
            connection: A connection to it.

        Raises:
            InputError: The index has another version.
        """
        self.path = path
        self._connection = connection
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        if meta.get("schema") != str(SCHEMA_VERSION):
            expected = f"version {SCHEMA_VERSION} (build the node again)"
            raise InputError(path, "schema", expected, shown(meta.get("schema")))
        self.hpo = meta["hpo"]
        self.size = int(meta["people"])
        self.term = lru_cache(maxsize=KEPT_TERMS)(self._read_term)
        self.number = lru_cache(maxsize=KEPT_NAMES)(self._read_number)

    @classmethod
    def open(cls, path: Path | str, people: int) -> MatchmakerIndex:
        """Open an index.

        Args:
            path: The file.
            people: Number of people in the node.

        Returns:
            The index.

        Raises:
            InputError: The file is missing or damaged, or has another version or other people.
        """
        path = Path(path)
        check_complete(path, "an index for matching")
        verify_checksum(path)
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        try:
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            index = cls(path, connection)
        except (sqlite3.DatabaseError, KeyError, ValueError) as error:
            found = f"an unusable file ({cause(error)})"
            raise InputError(path, "file", "an index for matching", found) from None
        if index.size != people:
            expected, found = f"the node's {people} people", f"{index.size} people"
            raise InputError(path, "people", expected, found)
        return index

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _read_number(self, name: str) -> int | None:
        row = self._connection.execute("SELECT number FROM names WHERE id = ?", (name,)).fetchone()
        return row[0] if row else None

    def _read_term(self, number: int) -> Term:
        """Read the term of a number. Raises KeyError."""
        row = self._connection.execute(
            "SELECT id, label, content, ancestors, people, excluding FROM terms WHERE number = ?",
            (number,),
        ).fetchone()
        if row is None:
            raise KeyError(mismatch("term", "a number of the index", shown(number)))
        name, label, content, ancestors, people, excluding = row
        return Term(name, label, content, _numbers(ancestors), _bitmap(people), _bitmap(excluding))

    def closure(self, numbers: Iterable[int]) -> frozenset[int]:
        """Return terms with all their ancestors.

        Args:
            numbers: Numbers of terms.

        Returns:
            Numbers of terms.
        """
        return frozenset[int]().union(*(self.term(number).ancestors for number in numbers))

    @cached_property
    def totals(self) -> NDArray[np.int64]:
        """Summed content of each person's terms with ancestors, millionths, shape (n_people,)."""
        (values,) = self._connection.execute('SELECT "values" FROM totals').fetchone()
        return np.frombuffer(values, np.int64)

    @cached_property
    def terms_of_people(self) -> dict[int, frozenset[int]]:
        """The terms that somebody has, directly or by a descendant, each with its ancestors."""
        rows = self._connection.execute(
            "SELECT number, ancestors FROM terms WHERE people IS NOT NULL"
        )
        return {number: _numbers(ancestors) for number, ancestors in rows}

    def gene_symbol(self, name: str) -> str | None:
        """Find a gene among those of HPO's diseases and of the people's candidates.

        Args:
            name: Its symbol, in any case, or its identifier of NCBI Gene.

        Returns:
            The symbol, or None for an unknown gene.
        """
        row = self._connection.execute(
            "SELECT gene FROM gene_names WHERE name = ?", (name.strip().lower(),)
        ).fetchone()
        return row[0] if row else None

    def people_by_gene(self) -> dict[str, BitMap]:
        """Return the people who have a gene among their recorded candidates, by gene symbol."""
        rows = self._connection.execute("SELECT gene, people FROM genes")
        return {gene: _bitmap(people) for gene, people in rows}

    def with_gene(self, gene: str) -> BitMap:
        """Return the people who have the gene among their recorded candidates.

        Args:
            gene: Gene symbol.

        Returns:
            Numbers of the people.
        """
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
