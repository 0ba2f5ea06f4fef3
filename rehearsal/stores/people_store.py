"""A node's people: one SQLite file with terms, numbers in order, and one record per person.

    individuals  position (0, 1, ...), id, record (JSON)
    terms        id, label, kind, people who have it
    ancestors    ancestor, term: what people have, and all that is more general
    similar      query, term, score in (0, 1]
    numbers      field, label, unit, values in ascending order, people (whose value each is)
    consent      basis, uses, withdrawn, people with this record
    samples      kind, position, record (JSON): biosamples, runs, analyses
    sampled      kind, people who have one
    meta         key, value: schema version and reference year

People are numbered as in the variant store. ``people`` is a roaring bitmap of those numbers. In
``numbers`` it is an array of 32-bit numbers beside one of doubles. The file has a checksum
(:mod:`rehearsal.stores.store_checksum`). :mod:`rehearsal.stores.people_store_writer` writes it and
needs pandas. Reading needs SQLite and roaring bitmaps only, so that an idle node stays small.
"""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import orjson
from pyroaring import BitMap

from rehearsal.errors import InputError, mismatch, shown
from rehearsal.stores.store_checksum import check_complete, verify_checksum

SCHEMA_VERSION = 3
# Suffix of the identifier by kind. Each person has one sample, sequenced and called once.
SAMPLES = {"biosamples": "-BS", "runs": "-RUN", "analyses": "-AN"}
AGE, BIRTH_YEAR, ONSET = "age", "birthYear", "ageOfOnset"

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE individuals (position INTEGER PRIMARY KEY, id TEXT NOT NULL, record BLOB NOT NULL);
CREATE TABLE terms (id TEXT PRIMARY KEY, label TEXT NOT NULL, kind TEXT NOT NULL,
                    people BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE ancestors (ancestor TEXT, term TEXT, PRIMARY KEY (ancestor, term)) WITHOUT ROWID;
CREATE TABLE similar (query TEXT, term TEXT, score REAL NOT NULL,
                      PRIMARY KEY (query, term)) WITHOUT ROWID;
CREATE TABLE numbers (field TEXT PRIMARY KEY, label TEXT NOT NULL, unit TEXT NOT NULL,
                      "values" BLOB NOT NULL, people BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE consent (basis TEXT, uses TEXT, withdrawn INTEGER, people BLOB NOT NULL,
                      PRIMARY KEY (basis, uses, withdrawn)) WITHOUT ROWID;
CREATE TABLE samples (kind TEXT, position INTEGER, record BLOB NOT NULL,
                      PRIMARY KEY (kind, position)) WITHOUT ROWID;
CREATE TABLE sampled (kind TEXT PRIMARY KEY, people BLOB NOT NULL) WITHOUT ROWID;
"""
INDEXES = "CREATE UNIQUE INDEX individuals_id ON individuals (id);"


@dataclass(frozen=True, slots=True)
class Term:
    """A term that people of this node have."""

    id: str  # a CURIE
    label: str
    kind: str  # sex, disease, feature or treatment


@dataclass(frozen=True, slots=True)
class NumberField:
    """A field with one number per person."""

    id: str
    label: str
    unit: str  # UCUM, for example ``a`` for years


@dataclass(frozen=True, slots=True)
class ConsentRecord:
    """What some people consented to.

    ``uses`` are terms of the Data Use Ontology: permitted uses, or conditions. A use for one
    disease is written ``DUO:0000007 MONDO:0007254``.
    """

    uses: tuple[str, ...]
    withdrawn: bool
    people: BitMap  # numbers of the people


class PeopleStore:
    """A node's people, read-only. One connection, for one thread.

    Open a store with :meth:`open`.

    Args:
        path: The file.
        connection: A connection to it, read-only.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self.size: int = connection.execute("SELECT count(*) FROM individuals").fetchone()[0]
        self.everyone = BitMap(range(self.size))
        self._number_rows = lru_cache(maxsize=8)(self._read_number_rows)
        self._term_people = lru_cache(maxsize=64)(self._read_term_people)

    @classmethod
    def open(cls, path: Path | str) -> PeopleStore:
        """Open a store for reading.

        Args:
            path: The file.

        Returns:
            The store.

        Raises:
            InputError: The file is missing, cut off, damaged, or of another kind or version.
        """
        path = Path(path)
        check_complete(path, "a people store")
        verify_checksum(path)
        try:
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            meta = dict(connection.execute("SELECT key, value FROM meta"))
            if meta.get("schema") != str(SCHEMA_VERSION):
                expected = f"version {SCHEMA_VERSION} (build the node again)"
                raise InputError(path, "schema", expected, shown(meta.get("schema")))
            return cls(path, connection)
        except sqlite3.DatabaseError as error:
            found = f"another SQLite file ({error})"
            raise InputError(path, "file", "a people store", found) from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        return self._connection.execute(sql, values).fetchone()

    # terms

    @cached_property
    def terms(self) -> dict[str, Term]:
        """All terms that people here have, by identifier, in order."""
        rows = self._connection.execute("SELECT id, label, kind FROM terms ORDER BY id")
        return {row[0]: Term(*row) for row in rows}

    def with_term(self, term: str, descendants: bool = True) -> BitMap:
        """Find the people who have a term.

        Args:
            term: A term as a CURIE.
            descendants: Whether a more specific term counts too.

        Returns:
            Numbers of the people.
        """
        found = self._term_people(term)
        if not descendants:
            return found
        return BitMap.union(found, *map(self._term_people, self.under(term)))

    @property
    def ancestors(self) -> list[str]:
        """The terms above any that people here have, in order."""
        rows = self._connection.execute("SELECT DISTINCT ancestor FROM ancestors ORDER BY ancestor")
        return [row[0] for row in rows]

    def under(self, term: str) -> list[str]:
        """List the terms that people here have and that are more specific than a term.

        Args:
            term: A term as a CURIE.

        Returns:
            Terms as CURIEs.
        """
        rows = self._connection.execute("SELECT term FROM ancestors WHERE ancestor = ?", (term,))
        return [row[0] for row in rows]

    @cached_property
    def ontologies(self) -> frozenset[str]:
        """Prefixes of the terms that people have."""
        return frozenset(term.partition(":")[0] for term in self.terms)

    def like(self, term: str, threshold: float) -> list[str]:
        """List the terms that people here have and that are similar to a term.

        Args:
            term: A term as a CURIE.
            threshold: Least similarity, 0 to 1.

        Returns:
            Terms as CURIEs.
        """
        sql = "SELECT term FROM similar WHERE query = ? AND score >= ?"
        return [row[0] for row in self._connection.execute(sql, (term, threshold))]

    def _read_term_people(self, term: str) -> BitMap:
        row = self._one("SELECT people FROM terms WHERE id = ?", term)
        return BitMap.deserialize(row[0]) if row else BitMap()

    # consent

    def consents(self) -> Iterator[ConsentRecord]:
        """Iterate over the distinct consent records, each with all people who have it."""
        rows = self._connection.execute("SELECT uses, withdrawn, people FROM consent")
        for uses, withdrawn, people in rows:
            yield ConsentRecord(
                tuple(uses.split(", ")), bool(withdrawn), BitMap.deserialize(people)
            )

    # numbers

    @cached_property
    def numbers(self) -> dict[str, NumberField]:
        """All fields with numbers, by identifier, in order."""
        rows = self._connection.execute("SELECT field, label, unit FROM numbers ORDER BY field")
        return {row[0]: NumberField(*row) for row in rows}

    def with_number(self, field: str, operator: str, value: float) -> BitMap:
        """Find the people with a value for which ``value operator given value`` is true.

        A person with several values is found by any of them.

        Args:
            field: Identifier of the field.
            operator: ``=``, ``!``, ``<``, ``<=``, ``>`` or ``>=``. ``!`` finds people who have
                values, none of them equal.
            value: The value to compare with, in the field's unit.

        Returns:
            Numbers of the people.

        Raises:
            KeyError: The field is unknown.
        """
        values, people = self._number_rows(field)
        low, high = bisect_left(values, value), bisect_right(values, value)
        bounds = {
            "=": (low, high),
            "!": (low, high),
            "<": (0, low),
            "<=": (0, high),
            ">": (high, len(values)),
            ">=": (low, len(values)),
        }
        first, last = bounds[operator]
        found = BitMap(people[first:last])
        return BitMap(people) - found if operator == "!" else found

    def numbers_of(self, field: str) -> tuple[array[float], array[int]]:
        """Return all values of a field. Do not change the arrays: they are cached.

        Args:
            field: Identifier of the field.

        Returns:
            The values in ascending order, doubles in the field's unit, and the number of the person
            of each value.

        Raises:
            KeyError: The field is unknown.
        """
        return self._number_rows(field)

    def _read_number_rows(self, field: str) -> tuple[array[float], array[int]]:
        row = self._one('SELECT "values", people FROM numbers WHERE field = ?', field)
        if row is None:
            raise KeyError(mismatch("field", "a field with numbers", shown(field)))
        values, people = array("d"), array("I")
        values.frombytes(row[0])
        people.frombytes(row[1])
        return values, people

    # records

    def position(self, individual: str) -> int | None:
        """Look up a person's number.

        Args:
            individual: The person's identifier.

        Returns:
            The number, or None if nobody here has this identifier.
        """
        row = self._one("SELECT position FROM individuals WHERE id = ?", individual)
        return row[0] if row else None

    def all_identifiers(self) -> Iterator[str]:
        """Iterate over all people's identifiers, in order."""
        rows = self._connection.execute("SELECT id FROM individuals ORDER BY position")
        return (row[0] for row in rows)

    def record(self, position: int) -> dict[str, Any]:
        """Read one person's record.

        Args:
            position: The person's number.

        Returns:
            The columns of ``people.parquet`` (without country) and, under the name of each table
            about people, a list of rows as in docs/reference/files.md.

        Raises:
            KeyError: No person has this number.
        """
        row = self._one("SELECT record FROM individuals WHERE position = ?", position)
        if row is None:
            raise KeyError(mismatch("position", f"a number below {self.size}", shown(position)))
        return orjson.loads(row[0])

    def with_sample(self, kind: str) -> BitMap:
        """Find the people who have a biosample, a run or an analysis.

        In a store without a table of biosamples everybody has one about which nothing is known,
        since there are genomes.

        Args:
            kind: ``biosamples``, ``runs`` or ``analyses``.

        Returns:
            Numbers of the people.
        """
        default = self.everyone if kind == "biosamples" else BitMap()
        return self._sampled.get(kind, default)

    @cached_property
    def _sampled(self) -> dict[str, BitMap]:
        rows = self._connection.execute("SELECT kind, people FROM sampled")
        return {kind: BitMap.deserialize(people) for kind, people in rows}

    def sample(self, kind: str, position: int) -> dict[str, Any] | None:
        """Read a person's biosample, run or analysis.

        Args:
            kind: ``biosamples``, ``runs`` or ``analyses``.
            position: The person's number.

        Returns:
            The columns of its table, or None if the person has none.
        """
        sql = "SELECT record FROM samples WHERE kind = ? AND position = ?"
        row = self._one(sql, kind, position)
        return None if row is None else orjson.loads(row[0])
