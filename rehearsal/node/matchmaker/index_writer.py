"""Writes the index for patient matching, ``matchmaker.sqlite`` in a node's folder.

Everything that needs the ontology (1 s and 200 MB to load) is computed here, once: each term's
ancestors and information content, the people with the term or a descendant, the people in whom it
was excluded, the people with a candidate gene, and the other names of genes.

Information content is that of HPO's own annotations of OMIM diseases, never of a node's people, so
that scores of different nodes are comparable. It is stored in millionths, because sums of integers
do not depend on their order.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.errors import InputError, shown
from rehearsal.node.matchmaker.index import SCHEMA_VERSION
from rehearsal.stores.new_store import new_store
from rehearsal.stores.ontology import HumanPhenotypeOntology, PhenotypeTerm

if TYPE_CHECKING:
    from pandas import DataFrame

SCHEMA = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE terms (number INTEGER PRIMARY KEY, id TEXT NOT NULL, label TEXT NOT NULL,
                    content INTEGER NOT NULL, ancestors BLOB NOT NULL,
                    people BLOB, excluding BLOB);
CREATE TABLE names (id TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE genes (gene TEXT PRIMARY KEY, people BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE gene_names (name TEXT PRIMARY KEY, gene TEXT NOT NULL) WITHOUT ROWID;
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
    """Write the index of a node's people.

    Args:
        individuals: Identifiers of the people, in the order of the node's stores.
        tables: ``features``, ``excluded_features`` and ``candidate_genes``, with the columns of
            docs/reference/files.md. Each is optional. Terms missing in HPO are left out.
        out: The file to write.
        ontology: The Human Phenotype Ontology.

    Raises:
        InputError: A column is missing, a person is unknown, or a person both has a term and has it
            excluded.
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
            expected = f"nobody for whom {code} is both observed and excluded"
            found = f"individual number {both[0]}"
            raise InputError(out, "excluded_features.code", expected, found)
    with new_store(out) as connection:
        connection.executescript(SCHEMA)
        _write_terms(connection, ontology, having, lacking, len(positions))
        _write_genes(connection, rows["candidate_genes"], ontology.gene_symbols())
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [
                ("schema", str(SCHEMA_VERSION)),
                ("hpo", ontology.version),
                ("people", str(len(positions))),
            ],
        )


def _rows(
    out: Path | str, name: str, table: DataFrame | None, positions: Mapping[str, int]
) -> list[tuple[int, str]]:
    """Return pairs of the person's number and the term or gene."""
    if table is None:
        return []
    missing = set(COLUMNS[name]) - set(table.columns)
    if missing:
        found = f"no {' and no '.join(sorted(missing))}"
        raise InputError(out, name, f"the columns {', '.join(COLUMNS[name])}", found)
    rows = []
    for person, value in table[list(COLUMNS[name])].itertuples(index=False, name=None):
        if person not in positions:
            raise InputError(out, f"{name}.individual", "individuals of the node", shown(person))
        rows.append((positions[person], value))
    return rows


def _closures(rows: list[tuple[int, str]], terms: Mapping[str, PhenotypeTerm]) -> dict[str, BitMap]:
    """Return, for each term, the people with it or with a descendant."""
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


@dataclass(frozen=True, slots=True)
class _NumberedTerms:
    """What the index of every node says about terms."""

    current: tuple[tuple[PhenotypeTerm, int, bytes], ...]  # term, content, numbers of it and above
    names: tuple[tuple[str, int], ...]  # every identifier, also replaced ones, and its term


@lru_cache(maxsize=1)
def _numbered_terms(ontology: HumanPhenotypeOntology) -> _NumberedTerms:
    terms = ontology.phenotypes()
    current = sorted({term.id for term in terms.values()})
    number = {name: i for i, name in enumerate(current)}

    def above(term: PhenotypeTerm) -> bytes:
        return array("H", sorted(number[one] for one in (term.id, *term.ancestors))).tobytes()

    return _NumberedTerms(
        tuple((terms[i], round(terms[i].content * 1_000_000), above(terms[i])) for i in current),
        tuple((name, number[term.id]) for name, term in sorted(terms.items())),
    )


def _write_terms(
    connection: sqlite3.Connection,
    ontology: HumanPhenotypeOntology,
    having: Mapping[str, BitMap],
    lacking: Mapping[str, BitMap],
    people: int,
) -> None:
    """Write the terms with their people, and all their identifiers."""
    numbered = _numbered_terms(ontology)
    totals = array("q", bytes(8 * people))
    rows = []
    for number, (term, content, above) in enumerate(numbered.current):
        name = term.id
        for position in having.get(name, ()):
            totals[position] += content
        people_of = having[name].serialize() if name in having else None
        without = lacking[name].serialize() if name in lacking else None
        rows.append((number, name, term.label, content, above, people_of, without))
    connection.executemany("INSERT INTO terms VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    connection.executemany("INSERT INTO names VALUES (?, ?)", numbered.names)
    connection.execute("INSERT INTO totals VALUES (?)", (totals.tobytes(),))


def _write_genes(
    connection: sqlite3.Connection, rows: list[tuple[int, str]], symbols: Mapping[str, str]
) -> None:
    """Write the people of each gene, and its names: the symbol and the identifier of NCBI Gene.

    A symbol of the people's own genes goes before one of HPO that differs in capitals only.
    """
    genes: dict[str, BitMap] = defaultdict(BitMap)
    for position, gene in rows:
        genes[gene].add(position)
    connection.executemany(
        "INSERT INTO genes VALUES (?, ?)",
        ((gene, people.serialize()) for gene, people in sorted(genes.items())),
    )
    by_symbol = {gene.lower(): gene for gene in (*sorted(symbols.values()), *sorted(genes))}
    names = {number: by_symbol[gene.lower()] for number, gene in symbols.items()} | by_symbol
    connection.executemany("INSERT INTO gene_names VALUES (?, ?)", sorted(names.items()))
