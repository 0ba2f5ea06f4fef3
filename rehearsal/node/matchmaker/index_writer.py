"""Write the index that patients are matched by: ``matchmaker.sqlite`` in a node's folder.

Everything that takes the ontology (a second and 200 MB to load) is worked out here, once: each
term's ancestors and information content, who has the term or one below it, who was found not to
have it, and whose candidate a gene or variant is.

Information content is that of HPO's own annotations of OMIM's diseases, never of a node's people,
so that scores of different nodes can be compared. It is kept in millionths: sums of whole numbers
are the same in any order.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.node.matchmaker.index import SCHEMA_VERSION
from rehearsal.stores.ontology import HumanPhenotypeOntology, PhenotypeTerm
from rehearsal.stores.store_checksum import write_checksum

if TYPE_CHECKING:
    from pandas import DataFrame

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE terms (number INTEGER PRIMARY KEY, id TEXT NOT NULL, label TEXT NOT NULL,
                    content INTEGER NOT NULL, ancestors BLOB NOT NULL,
                    people BLOB, excluding BLOB);
CREATE TABLE names (id TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE genes (gene TEXT PRIMARY KEY, people BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE totals ("values" BLOB NOT NULL);
"""
COLUMNS = {
    "features": ("individual", "code"),
    "excluded_features": ("individual", "code"),
    "candidate_genes": ("individual", "gene"),
}


def build_matchmaker_index(
    individuals: Iterable[str],
    tables: Mapping[str, DataFrame],
    out: Path | str,
    ontology: HumanPhenotypeOntology,
) -> None:
    """Write the index of a node's people, given in the order of its stores.

    ``tables``: ``features``, ``excluded_features``, ``candidate_genes`` with the columns of
    docs/reference/files.md; any may be absent. Terms that HPO lacks are left out. Raises
    InputError for a missing column, an unknown person, and a person with and without a term.
    """
    positions = {name: i for i, name in enumerate(individuals)}
    rows = {name: _rows(out, name, tables.get(name), positions) for name in COLUMNS}
    terms = ontology.phenotypes()
    having = _closures(rows["features"], terms)
    lacking: dict[str, BitMap] = defaultdict(BitMap)
    for position, code in rows["excluded_features"]:
        if code in terms:
            lacking[terms[code].id].add(position)
    for code, people in lacking.items():
        if both := having.get(code, BitMap()) & people:
            expected = f"nobody with and without {code}, as is number {both[0]}"
            raise InputError(out, "excluded_features.code", expected)
    with atomic_path(out) as aside:
        connection = sqlite3.connect(aside)
        try:
            connection.executescript(SCHEMA)
            _write_terms(connection, terms, having, lacking, len(positions))
            _write_genes(connection, rows["candidate_genes"])
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [
                    ("schema", str(SCHEMA_VERSION)),
                    ("hpo", ontology.version),
                    ("people", str(len(positions))),
                ],
            )
            connection.commit()
        finally:
            connection.close()
        write_checksum(aside)


def _rows(
    out: Path | str, name: str, table: DataFrame | None, positions: Mapping[str, int]
) -> list[tuple[int, str]]:
    """(position of the person, term or gene)."""
    if table is None:
        return []
    missing = set(COLUMNS[name]) - set(table.columns)
    if missing:
        raise InputError(out, name, f"the columns {', '.join(sorted(missing))}")
    rows = []
    for person, value in table[list(COLUMNS[name])].itertuples(index=False, name=None):
        if person not in positions:
            raise InputError(out, name, "the node's own individuals only")
        rows.append((positions[person], value))
    return rows


def _closures(rows: list[tuple[int, str]], terms: Mapping[str, PhenotypeTerm]) -> dict[str, BitMap]:
    """By term, who has it or a more special one."""
    exact: dict[str, list[int]] = defaultdict(list)
    for position, code in rows:
        if code in terms:
            exact[terms[code].id].append(position)
    having: dict[str, BitMap] = defaultdict(BitMap)
    for code, positions in exact.items():
        people = BitMap(positions)
        for name in (code, *terms[code].ancestors):
            having[name] |= people
    return having


def _write_terms(
    connection: sqlite3.Connection,
    terms: Mapping[str, PhenotypeTerm],
    having: Mapping[str, BitMap],
    lacking: Mapping[str, BitMap],
    people: int,
) -> None:
    """``names`` leads from every identifier, replaced ones too, to its term."""
    current = sorted({term.id for term in terms.values()})
    number = {name: i for i, name in enumerate(current)}
    totals = array("q", bytes(8 * people))
    rows = []
    for name in current:
        term = terms[name]
        content = round(term.content * 1_000_000)
        above = array("H", sorted(number[one] for one in (name, *term.ancestors)))
        for position in having.get(name, ()):
            totals[position] += content
        people_of = having[name].serialize() if name in having else None
        without = lacking[name].serialize() if name in lacking else None
        rows.append((number[name], name, term.label, content, above.tobytes(), people_of, without))
    connection.executemany("INSERT INTO terms VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    names = ((name, number[term.id]) for name, term in sorted(terms.items()))
    connection.executemany("INSERT INTO names VALUES (?, ?)", names)
    connection.execute("INSERT INTO totals VALUES (?)", (totals.tobytes(),))


def _write_genes(connection: sqlite3.Connection, rows: list[tuple[int, str]]) -> None:
    genes: dict[str, BitMap] = defaultdict(BitMap)
    for position, gene in rows:
        genes[gene].add(position)
    connection.executemany(
        "INSERT INTO genes VALUES (?, ?)",
        ((gene, people.serialize()) for gene, people in sorted(genes.items())),
    )
