"""Phenotypes as tidy tables, Parquet and TSV, with a data dictionary; and as columns a person."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from rehearsal.files import atomic_path
from rehearsal.model import SYNTHETIC
from rehearsal.phenotypes.clinical_types import NULL_FLAVOURS

# of the tidy table: what is observed in whom, a row an observation
PHENOTYPE_COLUMNS = {
    "individual": "identifier of the person, as in people",
    "kind": "what is told: measurement, exposure, disease, feature, treatment",
    "code": "what was observed, a code with its terminology as prefix",
    "label": "the code in words",
    "value": "of a measurement: the number, in the unit",
    "unit": "UCUM",
    "category": "of an exposure: the value's code; of a treatment: the response's",
    "category_label": "that code in words",
    "age": "age in years when it was observed, began or was prescribed",
    "null_flavour": "HL7 null flavour: why there is no value",
}
PEOPLE_COLUMNS = {
    "id": "identifier",
    "country": "ISO 3166-1 alpha-2 code",
    "sex": "female or male",
    "birth_year": "year of birth",
    "family": "identifier of the family, if simulated in one",
    "father": "identifier of the father, if he is in the cohort",
    "mother": "identifier of the mother, if she is in the cohort",
}


def write_phenotype_tables(
    people: pd.DataFrame, tables: Mapping[str, pd.DataFrame], folder: Path | str
) -> None:
    """Write ``people`` and ``phenotypes`` (``.parquet`` and ``.tsv``) and ``data_dictionary.tsv``.

    ``people``: rows of ``people.parquet``; ``tables``: their rows of ``measurements``,
    ``exposures``, ``diseases``, ``features``, ``treatments`` and ``missing``. Parquet files say
    that they are synthetic in their metadata, the dictionary in its first row: TSV has no header
    for it.
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
    """One row an observation, with the columns ``PHENOTYPE_COLUMNS``."""
    parts = [
        tables["measurements"].assign(kind="measurement"),
        _renamed(tables["exposures"], "exposure", value="category", value_label="category_label"),
        _renamed(tables["diseases"], "disease", age_of_onset="age"),
        _renamed(tables["features"], "feature", age_of_onset="age"),
        _renamed(
            tables["treatments"],
            "treatment",
            start_age="age",
            response="category",
            response_label="category_label",
        ),
        _renamed(tables["missing"], "missing").assign(
            kind=tables["missing"]["table"].str.removesuffix("s")
        ),
    ]
    wanted = list(PHENOTYPE_COLUMNS)
    table = pd.concat([part.reindex(columns=wanted) for part in parts if len(part)])
    kinds = dict.fromkeys(wanted, "str") | {"value": "float64", "age": "Int16"}
    return table.astype(kinds).sort_values(["individual", "kind", "code"], ignore_index=True)


def data_dictionary(people: pd.DataFrame, phenotypes: pd.DataFrame) -> pd.DataFrame:
    """A row a column and a row a code: type, unit, what values are allowed, how many there are."""
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
    people: pd.DataFrame, measurements: pd.DataFrame, diseases: pd.DataFrame
) -> pd.DataFrame:
    """A row a person in the order of ``people``, a column a code (``LOINC_13457-7``): numbers,
    and for diseases whether the person has it. What is missing is NaN."""
    values = measurements.pivot_table(
        index="individual", columns="code", values="value", aggfunc="first"
    )
    wide = values.reindex(people["id"])
    for code in sorted(diseases["code"].unique()):
        ill = set(diseases["individual"][diseases["code"] == code])
        wide[code] = people["id"].isin(ill).to_numpy()
    wide.columns = [code.replace(":", "_") for code in wide.columns]
    return wide.reset_index(drop=True)


def _renamed(table: pd.DataFrame, kind: str, **names: str) -> pd.DataFrame:
    return table.rename(columns=names).assign(kind=kind)


def _of_code(kind: str, code: str, own: pd.DataFrame) -> dict[str, object]:
    values, categories = own["value"].dropna(), own["category"].dropna()
    labels = own.dropna(subset=["category"]).drop_duplicates("category")
    if len(values):
        allowed = f"seen: {values.min():g} to {values.max():g}"
    elif len(categories):
        pairs = zip(labels["category"], labels["category_label"], strict=True)
        allowed = "; ".join(f"{value} ({label})" for value, label in sorted(pairs))
    else:
        allowed = "a row: present"
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
