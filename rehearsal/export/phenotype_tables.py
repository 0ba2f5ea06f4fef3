"""Phenotypes as tidy tables (Parquet, TSV) with a data dictionary, and with one column per code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rehearsal.files import atomic_path
from rehearsal.model import SYNTHETIC
from rehearsal.phenotypes.clinical_types import NULL_FLAVOURS

# the tidy table, one row per observation: column and description
PHENOTYPE_COLUMNS = {
    "individual": "identifier of the person, as in people",
    "kind": "kind of observation: measurement, exposure, disease, feature, treatment",
    "code": "what was observed, a code with its terminology as prefix",
    "label": "name of the code",
    "value": "measurements: the number, in the unit",
    "unit": "UCUM unit",
    "category": "exposures: code of the value; treatments: code of the response",
    "category_label": "name of the category",
    "age": "age in years when it was observed, began or was prescribed",
    "age_end": "treatments: age in years at the end; empty while it goes on",
    "dose": "treatments: milligrams at a time",
    "doses_per_day": "treatments: how often the dose is taken",
    "null_flavour": "HL7 null flavour: why the value is missing",
}
NUMBERS = {
    "value": "float64",
    "age": "Int16",
    "age_end": "Int16",
    "dose": "float64",
    "doses_per_day": "Int16",
}
PEOPLE_COLUMNS = {
    "id": "identifier",
    "country": "ISO 3166-1 alpha-2 code",
    "sex": "female or male",
    "birth_year": "year of birth",
    "family": "identifier of the family; empty outside families",
    "father": "identifier of the father; empty if he is not in the cohort",
    "mother": "identifier of the mother; empty if she is not in the cohort",
}


def write_phenotype_tables(
    people: pd.DataFrame, tables: Mapping[str, pd.DataFrame], folder: Path | str
) -> None:
    """Write ``people`` and ``phenotypes`` (``.parquet`` and ``.tsv``) and ``data_dictionary.tsv``.

    The metadata of the Parquet files and the dictionary's first row say that the data are
    synthetic. TSV has no header for it.

    Args:
        people: Rows of ``people.parquet``, one per person.
        tables: These people's rows of ``measurements``, ``exposures``, ``diseases``, ``features``,
            ``treatments`` and ``missing``, by name.
        folder: Where to write. It appears only when it is complete.
    """
    phenotypes = tidy_phenotypes(tables)
    people = people[list(PEOPLE_COLUMNS)]
    with atomic_path(folder) as aside:
        aside.mkdir()
        for name, table in (("people", people), ("phenotypes", phenotypes)):
            arrow = pa.Table.from_pandas(table, preserve_index=False)
            said = {**(arrow.schema.metadata or {}), b"description": SYNTHETIC.encode()}
            pq.write_table(arrow.replace_schema_metadata(said), aside / f"{name}.parquet")
            table.to_csv(aside / f"{name}.tsv", sep="\t", index=False, lineterminator="\n")
        data_dictionary(people, phenotypes).to_csv(
            aside / "data_dictionary.tsv", sep="\t", index=False, lineterminator="\n"
        )


def tidy_phenotypes(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Build a table with one row per observation and the columns ``PHENOTYPE_COLUMNS``.

    Args:
        tables: The tables of :func:`write_phenotype_tables`, by name.
    """
    missing = tables["missing"]
    of_response = missing["table"] == "treatments"
    parts = [
        tables["measurements"].assign(kind="measurement"),
        _renamed(tables["exposures"], "exposure", value="category", value_label="category_label"),
        _renamed(tables["diseases"], "disease", age_of_onset="age"),
        _renamed(tables["features"], "feature", age_of_onset="age"),
        _renamed(
            _with_null_flavour(tables["treatments"], missing[of_response]),
            "treatment",
            start_age="age",
            end_age="age_end",
            dose_mg="dose",
            response="category",
            response_label="category_label",
        ),
        missing[~of_response].assign(kind=missing["table"].str.removesuffix("s")),
    ]
    wanted = list(PHENOTYPE_COLUMNS)
    kinds = dict.fromkeys(wanted, "str") | NUMBERS
    filled = [part.reindex(columns=wanted) for part in parts if len(part)]
    table = pd.concat(filled) if filled else pd.DataFrame(columns=wanted)
    return table.astype(kinds).sort_values(["individual", "kind", "code"], ignore_index=True)


def data_dictionary(people: pd.DataFrame, phenotypes: pd.DataFrame) -> pd.DataFrame:
    """Describe every column and every code: type, unit, allowed values, number of rows.

    Args:
        people: The table of people as written.
        phenotypes: The tidy table.

    Returns:
        One row per column and one per kind and code, after a first row that says the data are
        synthetic.
    """
    flavours = "; ".join(f"{code} ({text})" for code, text in NULL_FLAVOURS.items())
    rows: list[dict[str, object]] = [{"table": "", "description": SYNTHETIC}]
    for name, columns, table in (
        ("people", PEOPLE_COLUMNS, people),
        ("phenotypes", PHENOTYPE_COLUMNS, phenotypes),
    ):
        for column, meaning in columns.items():
            numeric = pd.api.types.is_numeric_dtype(table[column])
            rows.append(
                {
                    "table": name,
                    "column": column,
                    "description": meaning,
                    "type": "number" if numeric else "text",
                    "allowed": flavours if column == "null_flavour" else "",
                    "rows": int(table[column].notna().sum()),
                }
            )
    for (kind, code), own in phenotypes.groupby(["kind", "code"], sort=True):
        rows.append(_of_code(kind, code, own))
    names = ["table", "column", "code", "description", "type", "unit", "allowed", "rows"]
    return pd.DataFrame(rows).reindex(columns=names).astype({"rows": "Int64"})


def phenotype_columns(
    people: pd.DataFrame, measurements: pd.DataFrame, diseases: pd.DataFrame, reference_year: int
) -> pd.DataFrame:
    """Build a table with one row per person: ``AGE`` and one column per code (``LOINC_8302_2``).

    Names have letters, digits, ``_`` and ``.`` only: ``plink2 --pheno-name`` splits its argument
    at other characters and takes a hyphen for a range of names.

    Args:
        people: One row per person; the result keeps their order.
        measurements: Rows of ``measurements``; their columns are numbers, NaN where missing.
        diseases: Rows of ``diseases``; their columns say whether the person has the disease.
        reference_year: The year in which ages are computed.
    """
    values = measurements.pivot_table(
        index="individual", columns="code", values="value", aggfunc="first"
    )
    wide = values.reindex(people["id"])
    for code in sorted(diseases["code"].unique()):
        ill = set(diseases["individual"][diseases["code"] == code])
        wide[code] = people["id"].isin(ill).to_numpy()
    wide.columns = [re.sub(r"[^A-Za-z0-9_.]+", "_", code) for code in wide.columns]
    wide.insert(0, "AGE", (reference_year - people["birth_year"]).to_numpy())
    return wide.reset_index(drop=True)


def _renamed(table: pd.DataFrame, kind: str, **names: str) -> pd.DataFrame:
    return table.rename(columns=names).assign(kind=kind)


def _with_null_flavour(treatments: pd.DataFrame, missing: pd.DataFrame) -> pd.DataFrame:
    """Add to treatments without a response why it is missing.

    The courses of one drug that a person had twice are in the same order in both tables.
    """
    key = ["individual", "code"]
    unknown = treatments[treatments["response"].isna()]
    nth = unknown.groupby(key).cumcount()
    reasons = missing.set_index([*(missing[name] for name in key), missing.groupby(key).cumcount()])
    index = pd.MultiIndex.from_arrays([*(unknown[name] for name in key), nth])
    found = reasons["null_flavour"].reindex(index).array
    return treatments.assign(null_flavour=pd.Series(found, index=unknown.index, dtype="str"))


def _of_code(kind: str, code: str, own: pd.DataFrame) -> dict[str, object]:
    values, categories = own["value"].dropna(), own["category"].dropna()
    labels = own.dropna(subset=["category"]).drop_duplicates("category")
    if len(values):
        allowed = f"observed: {values.min():g} to {values.max():g}"
    elif len(categories):
        pairs = zip(labels["category"], labels["category_label"], strict=True)
        allowed = "; ".join(f"{value} ({label})" for value, label in sorted(pairs))
    else:
        allowed = "present if there is a row"
    units = own["unit"].dropna()
    return {
        "table": "phenotypes",
        "column": kind,
        "code": code,
        "description": own["label"].iloc[0],
        "type": "number" if len(values) else "category" if len(categories) else "presence",
        "unit": units.iloc[0] if len(units) else None,
        "allowed": allowed,
        "rows": len(own),
    }
