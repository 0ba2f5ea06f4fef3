"""Write a node's people store, which :mod:`rehearsal.stores.people_store` reads."""

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

from rehearsal.errors import InputError, shown
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.stores.new_store import new_store
from rehearsal.stores.ontology import CodeHierarchy, MondoHierarchy, Ontology, current_term
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
# columns of the terms that a record shows: code, label, kind of the term
TERM_COLUMNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "diseases": (("code", "label", "disease"), ("mondo", "label", "disease")),
    "features": (("code", "label", "feature"),),
    "treatments": (
        ("code", "label", "treatment"),
        ("response", "response_label", "response"),
        ("adverse_event", "adverse_event_label", "adverse event"),
    ),
    "measurements": (("code", "label", "measurement"),),
    "exposures": (("code", "label", "exposure"), ("value", "value_label", "exposure")),
    "biosamples": (
        ("tissue", "tissue_label", "sample"),
        ("sample_type", "sample_type_label", "sample"),
        ("organism", "organism_label", "sample"),
    ),
    "runs": (("platform", "platform_label", "sample"),),
}
# tables whose rows are kept in each person's record
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

    Args:
        individuals: The columns of ``people.parquet``, in the order of the variant store.
        phenotypes: Tables of docs/reference/files.md by name. Any of them may be absent.
        out: The file to write.
        reference_year: The year in which ages are given.
        ontology: Source of ancestors and similar terms beyond the hierarchies of ICD-10, ATC and
            Mondo.

    Raises:
        InputError: A column is missing, a sex is unknown, a phenotype belongs to someone who is not
            among the individuals, or the identifier of a sample, run or analysis does not match its
            person.
    """
    tables = {"individuals": individuals, **phenotypes}
    for name, table in tables.items():
        _check_columns(out, name, table)
    positions = {name: i for i, name in enumerate(individuals["id"])}
    if len(positions) != len(individuals):
        twice = individuals["id"][individuals["id"].duplicated()].iloc[0]
        raise InputError(out, "individuals.id", "unique identifiers", f"{shown(twice)} twice")
    rows = {name: _rows(out, name, phenotypes.get(name), positions) for name in RECORDED}
    people = individuals[list(COLUMNS["individuals"])].to_dict("records")
    with new_store(out) as connection:
        connection.executescript(SCHEMA)
        _write_individuals(connection, out, people, rows)
        samples = {kind: _rows(out, kind, phenotypes.get(kind), positions) for kind in SAMPLES}
        ontologies = (CodeHierarchy(), MondoHierarchy(), ontology)
        _write_terms(connection, people, rows | samples, ontologies)
        _write_numbers(connection, people, rows, reference_year)
        for kind in filter(phenotypes.__contains__, SAMPLES):
            _write_samples(connection, out, kind, list(positions), samples[kind])
        _write_consent(connection, _rows(out, "consent", phenotypes.get("consent"), positions))
        connection.executescript(INDEXES)
        connection.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("schema", str(SCHEMA_VERSION)), ("reference_year", str(reference_year))],
        )


Row = dict[str, Any]
Numbers = dict[NumberField, list[tuple[float, int]]]  # (value, number of the person) by field


def _check_columns(out: Path | str, name: str, table: DataFrame) -> None:
    if name not in COLUMNS:
        raise InputError(out, "tables", f"one of {', '.join(COLUMNS)}", shown(name))
    missing = set(COLUMNS[name]) - set(table.columns)
    if missing:
        found = f"no column {', '.join(sorted(missing))}"
        raise InputError(out, name, f"the columns {', '.join(COLUMNS[name])}", found)


def _rows(
    out: Path | str, name: str, table: DataFrame | None, positions: Mapping[str, int]
) -> list[tuple[int, Row]]:
    """Return the number of the person and the row, in the table's order. Nulls become None."""
    if table is None:
        return []
    pairs = []
    columns = table[list(COLUMNS[name])].astype(object)
    for row in columns.where(columns.notna(), None).to_dict("records"):
        individual = row.pop("individual")
        position = positions.get(individual)
        if position is None:
            raise InputError(out, name, "individuals of this node", shown(individual))
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
            raise InputError(out, "individuals.sex", "female or male", shown(person["sex"]))
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
    """List the numbers of the people who have each term."""
    members: dict[Term, list[int]] = defaultdict(list)
    for i, person in enumerate(people):
        members[Term(SEX_TERMS[person["sex"]], person["sex"], "sex")].append(i)
    for name, columns in TERM_COLUMNS.items():
        for position, row in rows[name]:
            for code, label, kind in columns:
                if row.get(code):
                    members[Term(current_term(row[code]), row[label], kind)].append(position)
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
    """Collect ages of onset: of any disease, and of each by its codes."""
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
    """Write at most one sample, run or analysis per person.

    Its identifier is the person's with the suffix of its kind.
    """
    for position, row in rows:
        expected = names[position] + SAMPLES[kind]
        if row["id"] != expected:
            raise InputError(out, f"{kind}.id", expected, shown(row["id"]))
    try:
        connection.executemany(
            "INSERT INTO samples VALUES (?, ?, ?)",
            (
                (kind, position, orjson.dumps(row, option=orjson.OPT_SERIALIZE_NUMPY))
                for position, row in rows
            ),
        )
    except sqlite3.IntegrityError:
        raise InputError(out, kind, "at most one row per person", "several") from None
    people = BitMap(position for position, _ in rows)
    connection.execute("INSERT INTO sampled VALUES (?, ?)", (kind, people.serialize()))


def _write_consent(connection: sqlite3.Connection, rows: list[tuple[int, Row]]) -> None:
    """Write one row for all people with the same record, as few records differ."""
    members: dict[tuple[str, str, int], BitMap] = defaultdict(BitMap)
    for position, row in rows:
        uses = ", ".join(sorted({use.strip() for use in (row["uses"] or "").split(",")} - {""}))
        members[row["basis"] or "", uses, int(bool(row["withdrawn"]))].add(position)
    connection.executemany(
        "INSERT INTO consent VALUES (?, ?, ?, ?)",
        ((*record, people.serialize()) for record, people in members.items()),
    )
