"""Writes a node's people store, which :mod:`rehearsal.stores.people_store` reads."""

from __future__ import annotations

import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import orjson
from pandas import DataFrame
from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.stores.ontology import CodeHierarchy, Ontology
from rehearsal.stores.people_store import (
    AGE,
    BIRTH_YEAR,
    INDEXES,
    ONSET,
    SAMPLES,
    SCHEMA,
    SCHEMA_VERSION,
    NumberField,
    Term,
)
from rehearsal.stores.store_checksum import write_checksum

COLUMNS: dict[str, tuple[str, ...]] = {
    "individuals": ("id", "sex", "birth_year", "family", "father", "mother"),
    "diseases": ("individual", "code", "label", "mondo", "age_of_onset"),
    "measurements": ("individual", "code", "label", "value", "unit", "age"),
    "features": ("individual", "code", "label", "age_of_onset"),
    "consent": ("individual", "basis", "uses", "withdrawn"),
    "exposures": ("individual", "code", "label", "value", "value_label", "age"),
    "treatments": (
        *("individual", "code", "label", "dose_mg", "start_age", "end_age"),
        *("indication", "indication_label", "response", "response_label"),
        *("adverse_event", "adverse_event_label"),
    ),
    "family_history": (
        *("individual", "relative", "relation", "relation_label"),
        *("code", "label", "mondo", "age_of_onset"),
    ),
    "missing": ("individual", "table", "code", "label", "null_flavour"),
    "subjects": ("individual", "birth_date", "administrative_gender"),
    "biosamples": (
        *("id", "individual", "tissue", "tissue_label", "sample_type", "sample_type_label"),
        *("organism", "organism_label", "collection_date", "collection_age"),
    ),
    "runs": (
        *("id", "individual", "biosample", "run_date", "target", "platform", "platform_label"),
        *("mean_autosome_coverage", "yield_bp_q30", "pct_autosomes_15x", "mad_autosome_coverage"),
        *("cross_contamination_rate", "pct_reads_mapped", "figures"),
    ),
    "analyses": (
        *("id", "individual", "run", "biosample", "analysis_date", "pipeline", "aligner"),
        *("variant_caller", "input_format", "output_format", "genome", "count_snvs"),
        *("count_insertions", "count_deletions", "ratio_heterozygous_homzygous_snv"),
        *("ratio_insertion_deletion", "ratio_transitions_transversions_snv", "figures"),
    ),
}
# tables of which each person's rows are in their record
RECORDED = (
    *("diseases", "measurements", "features", "exposures", "treatments", "family_history"),
    *("missing", "subjects"),
)


def build_people(
    individuals: DataFrame,
    phenotypes: Mapping[str, DataFrame],
    out: Path | str,
    reference_year: int = 2026,
    ontology: Ontology | None = None,
) -> None:
    """Write ``people.sqlite``.

    ``individuals``: the columns of ``people.parquet``, in the order of the variant store.
    ``phenotypes``: the tables of docs/reference/files.md by name, any of which may be absent. Ages
    are told for ``reference_year``. ``ontology`` gives ancestors and similar terms beyond ICD-10's
    own hierarchy.
    Raises InputError for a missing column, an unknown sex, a phenotype of somebody unknown, and a
    sample, run or analysis that is not the one of its person.
    """
    tables = {"individuals": individuals, **phenotypes}
    for name, table in tables.items():
        _check_columns(out, name, table)
    positions = {name: i for i, name in enumerate(individuals["id"])}
    if len(positions) != len(individuals):
        raise InputError(out, "individuals.id", "unique identifiers")
    rows = {name: _rows(out, name, phenotypes.get(name), positions) for name in RECORDED}
    people = individuals[list(COLUMNS["individuals"])].to_dict("records")
    with atomic_path(out) as aside:
        connection = sqlite3.connect(aside)
        try:
            connection.executescript(SCHEMA)
            _write_individuals(connection, out, people, rows)
            _write_terms(connection, people, rows, (CodeHierarchy(), ontology))
            _write_numbers(connection, people, rows, reference_year)
            for kind in filter(phenotypes.__contains__, SAMPLES):
                samples = _rows(out, kind, phenotypes[kind], positions)
                _write_samples(connection, out, kind, list(positions), samples)
            _write_consent(connection, _rows(out, "consent", phenotypes.get("consent"), positions))
            connection.executescript(INDEXES)
            connection.executemany(
                "INSERT INTO meta VALUES (?, ?)",
                [("schema", str(SCHEMA_VERSION)), ("reference_year", str(reference_year))],
            )
            connection.commit()
        finally:
            connection.close()
        write_checksum(aside)


Row = dict[str, Any]
Numbers = dict[NumberField, list[tuple[float, int]]]  # (value, whose) of each field


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
    columns = table[list(COLUMNS[name])].astype(object)
    for row in columns.where(columns.notna(), None).to_dict("records"):
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
    records: list[Row] = []
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
    members = _people_by_term(people, rows)
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


def _people_by_term(
    people: list[Row], rows: Mapping[str, list[tuple[int, Row]]]
) -> dict[Term, list[int]]:
    """The positions of those who have each term."""
    members: dict[Term, list[int]] = defaultdict(list)
    for i, person in enumerate(people):
        members[Term(SEX_TERMS[person["sex"]], person["sex"], "sex")].append(i)
    kinds = {"diseases": "disease", "features": "feature", "treatments": "treatment"}
    for name, kind in kinds.items():
        for position, row in rows[name]:
            for code in filter(None, (row["code"], row.get("mondo"))):
                members[Term(code, row["label"], kind)].append(position)
    return members


def _write_numbers(
    connection: sqlite3.Connection,
    people: list[Row],
    rows: Mapping[str, list[tuple[int, Row]]],
    reference_year: int,
) -> None:
    born = [int(person["birth_year"]) for person in people]
    numbers: Numbers = {
        NumberField(AGE, "age in years", "a"): [
            (reference_year - year, i) for i, year in enumerate(born)
        ],
        NumberField(BIRTH_YEAR, "year of birth", ""): [(year, i) for i, year in enumerate(born)],
        **_onsets(rows["diseases"]),
    }
    for position, row in rows["measurements"]:
        if row["value"] is not None:
            field = NumberField(row["code"], row["label"], row["unit"] or "")
            numbers.setdefault(field, []).append((row["value"], position))
    for field, values in numbers.items():
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


def _onsets(diseases: list[tuple[int, Row]]) -> Numbers:
    """Ages of onset: of any disease, and of each by its codes."""
    known = [(position, row) for position, row in diseases if row["age_of_onset"] is not None]
    any_disease = NumberField(ONSET, "age of onset of any disease, in years", "a")
    onsets: Numbers = {any_disease: [(row["age_of_onset"], position) for position, row in known]}
    for position, row in known:
        for code in filter(None, (row["code"], row["mondo"])):
            field = NumberField(f"{ONSET}:{code}", f"age of onset of {row['label']}, in years", "a")
            onsets.setdefault(field, []).append((row["age_of_onset"], position))
    return onsets


def _write_samples(
    connection: sqlite3.Connection,
    out: Path | str,
    kind: str,
    names: list[str],
    rows: list[tuple[int, Row]],
) -> None:
    """One sample, run or analysis a person, whose identifier is the person's with a suffix."""
    for position, row in rows:
        expected = names[position] + SAMPLES[kind]
        if row["id"] != expected:
            raise InputError(out, f"{kind}.id", f"{expected}, not {row['id']!r}")
    try:
        connection.executemany(
            "INSERT INTO samples VALUES (?, ?, ?)",
            (
                (kind, position, orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY))
                for position, row in rows
            ),
        )
    except sqlite3.IntegrityError:
        raise InputError(out, kind, "one row a person at most") from None
    people = BitMap(position for position, _ in rows)
    connection.execute("INSERT INTO sampled VALUES (?, ?)", (kind, people.serialize()))


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
