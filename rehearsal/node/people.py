"""The people store of a node: who has which term, measured values in order, a record each.

``build_people`` wants pandas; reading wants SQLite and roaring bitmaps only, so that an idle
node stays small. People are numbered as in the variant store; a set of people is a bitmap of
those numbers.
"""

from __future__ import annotations

import sqlite3
from array import array
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from pyroaring import BitMap

from rehearsal.files import written_aside
from rehearsal.model import InputError
from rehearsal.node.consent import Purpose, permits
from rehearsal.node.ontology import CodeHierarchy, Ontology
from rehearsal.node.seal import check_seal, check_whole, seal

if TYPE_CHECKING:
    from pandas import DataFrame

SCHEMA_VERSION = 2
SEX_TERMS = {"female": "NCIT:C16576", "male": "NCIT:C20197"}
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
"""
INDEXES = "CREATE UNIQUE INDEX individuals_id ON individuals (id);"

COLUMNS = {
    "individuals": ("id", "sex", "birth_year", "family", "father", "mother"),
    "diseases": ("individual", "code", "label", "mondo", "age_of_onset"),
    "measurements": ("individual", "code", "label", "value", "unit", "age"),
    "features": ("individual", "code", "label", "age_of_onset"),
    "consent": ("individual", "basis", "uses", "withdrawn"),
}


@dataclass(frozen=True, slots=True)
class Term:
    """A term that people of this node have. ``kind``: sex, disease or feature."""

    id: str
    label: str
    kind: str


@dataclass(frozen=True, slots=True)
class NumberField:
    """A field with a number a person. ``unit``: UCUM, e.g. ``a`` for years."""

    id: str
    label: str
    unit: str


# --- building ---------------------------------------------------------------------------------


def build_people(
    individuals: DataFrame,
    phenotypes: Mapping[str, DataFrame],
    out: Path | str,
    reference_year: int = 2026,
    ontology: Ontology | None = None,
) -> None:
    """Write ``people.sqlite``.

    ``individuals``: the columns of ``people.parquet``, in the order of the variant store.
    ``phenotypes``: ``diseases``, ``measurements``, ``features``, ``consent`` (any may be absent),
    with the columns of docs/architecture.md. Ages are told for ``reference_year``. ``ontology``
    gives ancestors and similar terms beyond ICD-10's own hierarchy.
    Raises InputError for a missing column, an unknown sex, or a phenotype of somebody unknown.
    """
    tables = {"individuals": individuals, **phenotypes}
    for name, table in tables.items():
        _check_columns(out, name, table)
    positions = {name: i for i, name in enumerate(individuals["id"])}
    if len(positions) != len(individuals):
        raise InputError(out, "individuals.id", "unique identifiers")
    rows = {
        name: _rows(out, name, phenotypes.get(name), positions)
        for name in ("diseases", "measurements", "features")
    }
    people = individuals[list(COLUMNS["individuals"])].to_dict("records")
    with written_aside(out) as aside:
        connection = sqlite3.connect(aside)
        try:
            connection.executescript(SCHEMA)
            _write_individuals(connection, out, people, rows)
            _write_terms(connection, people, rows, (CodeHierarchy(), ontology))
            _write_numbers(connection, people, rows, reference_year)
            _write_consent(connection, _rows(out, "consent", phenotypes.get("consent"), positions))
            connection.executescript(INDEXES)
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("schema", str(SCHEMA_VERSION)), ("reference_year", str(reference_year))],
            )
            connection.commit()
        finally:
            connection.close()
        seal(aside)


Row = dict[str, Any]


def _check_columns(out: Path | str, name: str, table: DataFrame) -> None:
    if name not in COLUMNS:
        raise InputError(out, name, f"one of {', '.join(COLUMNS)}")
    missing = set(COLUMNS[name]) - set(table.columns)
    if missing:
        raise InputError(out, name, f"the columns {', '.join(sorted(missing))}")


def _rows(
    out: Path | str, name: str, table: DataFrame | None, positions: Mapping[str, int]
) -> list[tuple[int, Row]]:
    """(position of the person, row) in the table's order; nulls become None."""
    if table is None:
        return []
    pairs = []
    for row in table[list(COLUMNS[name])].to_dict("records"):
        row = {key: None if value != value else value for key, value in row.items()}  # NaN
        position = positions.get(row.pop("individual"))
        if position is None:
            raise InputError(out, name, "phenotypes of the node's own individuals only")
        pairs.append((position, row))
    return pairs


def _write_individuals(
    connection: sqlite3.Connection,
    out: Path | str,
    people: list[Row],
    rows: Mapping[str, list[tuple[int, Row]]],
) -> None:
    records = []
    for person in people:
        if person["sex"] not in SEX_TERMS:
            raise InputError(out, "individuals.sex", f"female or male, not {person['sex']!r}")
        kept = {key: None if value != value else value for key, value in person.items()}
        records.append({**kept, "birth_year": int(person["birth_year"]), **{n: [] for n in rows}})
    for name, pairs in rows.items():
        for position, row in pairs:
            records[position][name].append(row)
    connection.executemany(
        "INSERT INTO individuals VALUES (?, ?, ?)",
        (
            (i, record["id"], orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY))
            for i, record in enumerate(records)
        ),
    )


def _write_terms(
    connection: sqlite3.Connection,
    people: list[Row],
    rows: Mapping[str, list[tuple[int, Row]]],
    ontologies: Iterable[Ontology | None],
) -> None:
    members: dict[Term, list[int]] = defaultdict(list)
    for i, person in enumerate(people):
        members[Term(SEX_TERMS[person["sex"]], person["sex"], "sex")].append(i)
    for name, kind in (("diseases", "disease"), ("features", "feature")):
        for position, row in rows[name]:
            for code in (row["code"], row.get("mondo")):
                if code:
                    members[Term(code, row["label"], kind)].append(position)
    by_id = {term.id: (term, BitMap()) for term in members}
    for term, positions in members.items():
        by_id[term.id][1].update(positions)
    for term, bitmap in by_id.values():
        connection.execute(
            "INSERT INTO terms VALUES (?, ?, ?, ?)",
            (term.id, term.label, term.kind, bitmap.serialize()),
        )
        for ontology in filter(None, ontologies):
            connection.executemany(
                "INSERT OR IGNORE INTO ancestors VALUES (?, ?)",
                ((ancestor, term.id) for ancestor in ontology.ancestors(term.id)),
            )
            connection.executemany(
                "INSERT OR IGNORE INTO similar VALUES (?, ?, ?)",
                ((other, term.id, score) for other, score in ontology.similar(term.id)),
            )


def _write_numbers(
    connection: sqlite3.Connection,
    people: list[Row],
    rows: Mapping[str, list[tuple[int, Row]]],
    reference_year: int,
) -> None:
    born = [int(person["birth_year"]) for person in people]
    pairs: dict[NumberField, list[tuple[float, int]]] = {
        NumberField(AGE, "age in years", "a"): [
            (reference_year - y, i) for i, y in enumerate(born)
        ],
        NumberField(BIRTH_YEAR, "year of birth", ""): [(y, i) for i, y in enumerate(born)],
        NumberField(ONSET, "age of onset of any disease, in years", "a"): [
            (row["age_of_onset"], position)
            for position, row in rows["diseases"]
            if row["age_of_onset"] is not None
        ],
    }
    for position, row in rows["measurements"]:
        if row["value"] is not None:
            field = NumberField(row["code"], row["label"], row["unit"] or "")
            pairs.setdefault(field, []).append((row["value"], position))
    for field, values in pairs.items():
        values.sort()
        connection.execute(
            "INSERT OR REPLACE INTO numbers VALUES (?, ?, ?, ?, ?)",
            (
                field.id,
                field.label,
                field.unit,
                array("d", (value for value, _ in values)).tobytes(),
                array("I", (position for _, position in values)).tobytes(),
            ),
        )


def _write_consent(connection: sqlite3.Connection, rows: list[tuple[int, Row]]) -> None:
    """One row for all people with the same record: there are few different ones."""
    members: dict[tuple[str, str, int], BitMap] = defaultdict(BitMap)
    for position, row in rows:
        uses = ", ".join(sorted({use.strip() for use in (row["uses"] or "").split(",")} - {""}))
        members[row["basis"] or "", uses, int(bool(row["withdrawn"]))].add(position)
    connection.executemany(
        "INSERT INTO consent VALUES (?, ?, ?, ?)",
        ((*record, people.serialize()) for record, people in members.items()),
    )


# --- reading ----------------------------------------------------------------------------------


class PeopleStore:
    """A node's people, read-only. One connection, for one thread."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self.size = self._one("SELECT count(*) FROM individuals")[0]
        self.everyone = BitMap(range(self.size))
        self._number_rows = lru_cache(maxsize=8)(self._read_number_rows)
        self._term_people = lru_cache(maxsize=64)(self._read_term_people)
        self.not_permitting = lru_cache(maxsize=64)(self._read_not_permitting)

    @classmethod
    def open(cls, path: Path | str) -> PeopleStore:
        """Open a store. Raises InputError when it is missing, cut short, damaged or of another
        version."""
        path = Path(path)
        check_whole(path, "a people store")
        check_seal(path)
        try:
            uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
            connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
            meta = dict(connection.execute("SELECT key, value FROM meta"))
            if meta.get("schema") != str(SCHEMA_VERSION):
                raise InputError(path, "schema", f"version {SCHEMA_VERSION}; build the node again")
            return cls(path, connection)
        except sqlite3.DatabaseError as error:
            raise InputError(path, "file", f"a people store ({error})") from None

    def close(self) -> None:
        self._connection.close()

    def _one(self, sql: str, *values: object) -> tuple[Any, ...] | None:
        return self._connection.execute(sql, values).fetchone()

    # terms

    @cached_property
    def terms(self) -> dict[str, Term]:
        """All terms that somebody here has, by identifier, in order."""
        rows = self._connection.execute("SELECT id, label, kind FROM terms ORDER BY id")
        return {row[0]: Term(*row) for row in rows}

    def with_term(self, term: str, descendants: bool = True) -> BitMap:
        """The people who have the term or, with ``descendants``, a more special one."""
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
        """The terms that people here have and that are more special than ``term``."""
        rows = self._connection.execute("SELECT term FROM ancestors WHERE ancestor = ?", (term,))
        return [row[0] for row in rows]

    def like(self, term: str, threshold: float) -> list[str]:
        """The terms that people here have and that are at least so similar to ``term``."""
        sql = "SELECT term FROM similar WHERE query = ? AND score >= ?"
        return [row[0] for row in self._connection.execute(sql, (term, threshold))]

    def _read_term_people(self, term: str) -> BitMap:
        row = self._one("SELECT people FROM terms WHERE id = ?", term)
        return BitMap.deserialize(row[0]) if row else BitMap()

    # consent

    def _read_not_permitting(self, purpose: Purpose | None, unrecorded: bool = True) -> BitMap:
        """The people whose consent does not permit a purpose, or who withdrew it.

        ``unrecorded``: those without a record are among them. Do not change the bitmap: it is
        kept.
        """
        found, recorded = BitMap(), BitMap()
        for uses, withdrawn, members in self._connection.execute(
            "SELECT uses, withdrawn, people FROM consent"
        ):
            people = BitMap.deserialize(members)
            recorded |= people
            if withdrawn or not permits(uses.split(", "), purpose):
                found |= people
        return found | (self.everyone - recorded) if unrecorded else found

    # numbers

    @cached_property
    def numbers(self) -> dict[str, NumberField]:
        """All fields with numbers, by identifier, in order."""
        rows = self._connection.execute("SELECT field, label, unit FROM numbers ORDER BY field")
        return {row[0]: NumberField(*row) for row in rows}

    def with_number(self, field: str, operator: str, value: float) -> BitMap:
        """The people with a value of the field for which ``value-of-person operator value``.

        ``operator``: ``=``, ``!``, ``<``, ``<=``, ``>``, ``>=``. ``!`` gives those who have
        values, none of them equal. Somebody with several values is found by any of them.
        Raises KeyError for an unknown field.
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
        """All values of a field in rising order, and whose each is. Raises KeyError. Do not
        change the arrays: they are kept."""
        return self._number_rows(field)

    def _read_number_rows(self, field: str) -> tuple[array[float], array[int]]:
        row = self._one('SELECT "values", people FROM numbers WHERE field = ?', field)
        if row is None:
            raise KeyError(field)
        values, people = array("d"), array("I")
        values.frombytes(row[0])
        people.frombytes(row[1])
        return values, people

    # records

    def position(self, individual: str) -> int | None:
        """The person's number, or None when nobody here has this identifier."""
        row = self._one("SELECT position FROM individuals WHERE id = ?", individual)
        return row[0] if row else None

    def all_identifiers(self) -> Iterator[str]:
        """Everybody's identifier, in order."""
        rows = self._connection.execute("SELECT id FROM individuals ORDER BY position")
        return (row[0] for row in rows)

    def record(self, position: int) -> dict[str, Any]:
        """One person: the columns of ``people.parquet`` (without country) and lists ``diseases``,
        ``measurements``, ``features`` of rows as in docs/architecture.md."""
        row = self._one("SELECT record FROM individuals WHERE position = ?", position)
        if row is None:
            raise KeyError(position)
        return orjson.loads(row[0])
