"""Beacon v2 documents of all entry types, as the Beacons of others load them.

Each collection is one gzipped JSON array of documents for ``mongoimport --jsonArray``. The fields
are those of the default model 2.1. Beside them stand the fields that these programs search:
``datasetId``, and those of variants (``beacon_variants``). ``caseLevelData`` and ``targets`` are no
entry types: EGA's beacon2-pi-api finds the carriers of a variant in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import orjson
import pandas as pd

from rehearsal.export.beacon_variants import Document, targets_document, variant_documents
from rehearsal.export.genotypes import Genotypes
from rehearsal.files import atomic_path
from rehearsal.formats.gzip_stream import open_gzip
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.genomes.assembly import ASSEMBLY
from rehearsal.model import SYNTHETIC

COLLECTIONS = (
    "datasets",
    "cohorts",
    "individuals",
    "biosamples",
    "runs",
    "analyses",
    "genomicVariations",
    "caseLevelData",
    "targets",
)
WGS_SOURCE = {"id": "GENEPIO:0001966", "label": "genomic source"}
REFERENCE_SAMPLE = {"id": "EFO:0009654", "label": "reference sample"}


def write_beacon_json(
    name: str,
    people: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    genotypes: Iterable[Genotypes],
    folder: Path | str,
    reference_year: int,
) -> None:
    """Write one ``{collection}.json.gz`` per collection into a new folder.

    Variants are written as they come, so memory stays bounded.

    Args:
        name: Name of the dataset; its id is ``REHEARSAL-{NAME}`` in capitals.
        people: Rows of ``people.parquet``, one per person.
        tables: These people's rows of ``diseases``, ``features``, ``measurements``, ``exposures``,
            ``treatments``, ``biosamples``, ``runs`` and ``analyses``, by name.
        genotypes: Genotypes of the same people, one item per contig.
        folder: Where to write. It appears only when it is complete.
        reference_year: The year in which ages are given.
    """
    dataset = f"REHEARSAL-{name}".upper()
    documents: dict[str, Iterable[Document]] = {
        "datasets": [_dataset(dataset, people)],
        "cohorts": [_cohort(dataset, people)],
        "individuals": _individuals(people, tables, dataset, reference_year),
        "biosamples": _biosamples(tables["biosamples"], dataset),
        "runs": _runs(tables["runs"], dataset),
        "analyses": _analyses(tables["analyses"], dataset),
        "targets": [targets_document(people, dataset)],
    }
    with atomic_path(folder) as aside:
        aside.mkdir()
        for collection, content in documents.items():
            _write_array(content, aside / f"{collection}.json.gz")
        variants = (one for own in genotypes for one in variant_documents(own, dataset))
        _write_variants(variants, aside)


def _write_array(documents: Iterable[Document], path: Path) -> None:
    with _open_array(path) as add:
        for document in documents:
            add(document)


def _write_variants(variants: Iterable[tuple[Document, Document]], folder: Path) -> None:
    """Write variants and their carriers, which come together."""
    with (
        _open_array(folder / "genomicVariations.json.gz") as add_variant,
        _open_array(folder / "caseLevelData.json.gz") as add_carriers,
    ):
        for variant, carriers in variants:
            add_variant(variant)
            add_carriers(carriers)


@contextmanager
def _open_array(path: Path) -> Iterator[Callable[[Document], None]]:
    """Open a JSON array; yields a function that writes a document, one per line."""
    with open_gzip(path) as stream:
        separator = b"[\n"

        def add(document: Document) -> None:
            nonlocal separator
            stream.write(separator + orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))
            separator = b",\n"

        yield add
        stream.write(b"\n]\n" if separator == b",\n" else b"[]\n")


def _term(code: str, label: str) -> Document:
    return {"id": code, "label": label}


def _age(years: int) -> Document:
    return {"iso8601duration": f"P{int(years)}Y"}


def _dataset(dataset: str, people: pd.DataFrame) -> Document:
    return {
        "id": dataset,
        "name": "Rehearsal, synthetic",
        "description": f"{SYNTHETIC}; {len(people)} people, {ASSEMBLY}",
        "dataUseConditions": {
            "duoDataUse": [{**_term("DUO:0000004", "no restriction"), "version": "2021-02-23"}]
        },
        "info": {"synthetic": True, "build": ASSEMBLY},
    }


def _cohort(dataset: str, people: pd.DataFrame) -> Document:
    countries = people["country"].unique().tolist()
    return {
        "id": f"{dataset}-COHORT",
        "name": "Rehearsal, synthetic",
        "cohortType": "study-defined",
        "cohortSize": len(people),
        "inclusionCriteria": {"locations": [_term(f"ISO3166:{c}", c) for c in countries]},
        "datasetId": dataset,
    }


def _by_person(table: pd.DataFrame) -> dict[str, list[Document]]:
    """Group rows by individual, as dictionaries without nulls."""
    found: dict[str, list[Document]] = {}
    for row in table.to_dict("records"):
        kept = {key: value for key, value in row.items() if not pd.isna(value)}
        found.setdefault(kept["individual"], []).append(kept)
    return found


def _individuals(
    people: pd.DataFrame, tables: Mapping[str, pd.DataFrame], dataset: str, reference_year: int
) -> Iterator[Document]:
    names = ("diseases", "features", "measurements", "exposures", "treatments")
    rows = {name: _by_person(tables[name]) for name in names}
    for person in people.to_dict("records"):
        own = {name: found.get(person["id"], []) for name, found in rows.items()}
        info = {"synthetic": True, "birthYear": person["birth_year"]}
        info["age"] = reference_year - person["birth_year"]
        kin = ("family", "father", "mother")
        yield {
            "id": person["id"],
            "sex": _term(SEX_TERMS[person["sex"]], person["sex"]),
            "karyotypicSex": "XX" if person["sex"] == "female" else "XY",
            "geographicOrigin": _term(f"ISO3166:{person['country']}", person["country"]),
            "diseases": [
                {"diseaseCode": _term(r["code"], r["label"]), "ageOfOnset": _age(r["age_of_onset"])}
                for r in own["diseases"]
            ],
            "phenotypicFeatures": [
                {"featureType": _term(r["code"], r["label"]), "onset": _age(r["age_of_onset"])}
                for r in own["features"]
            ],
            "measures": [
                *map(_measure, own["measurements"]),
                *map(_exposure, own["exposures"]),
            ],
            "treatments": [
                {
                    "treatmentCode": _term(r["code"], r["label"]),
                    "ageAtOnset": _age(r["start_age"]),
                }
                for r in own["treatments"]
            ],
            "info": {**info, **{key: person[key] for key in kin if not pd.isna(person[key])}},
            "datasetId": dataset,
        }


def _measure(row: Document) -> Document:
    return {
        "assayCode": _term(row["code"], row["label"]),
        "measurementValue": {
            "unit": _term(f"UCUM:{row['unit']}", row["unit"]),
            "value": row["value"],
        },
        "observationMoment": _age(row["age"]),
    }


def _exposure(row: Document) -> Document:
    """Build a measure: Beacon's exposures need a duration, which is not simulated."""
    return {
        "assayCode": _term(row["code"], row["label"]),
        "measurementValue": _term(row["value"], row["value_label"]),
        "observationMoment": _age(row["age"]),
    }


def _biosamples(table: pd.DataFrame, dataset: str) -> Iterator[Document]:
    for row in table.to_dict("records"):
        yield {
            "id": row["id"],
            "individualId": row["individual"],
            "biosampleStatus": REFERENCE_SAMPLE,
            "sampleOriginType": _term(row["tissue"], row["tissue_label"]),
            "collectionDate": row["collection_date"],
            "collectionMoment": f"P{row['collection_age']}Y",
            "obtentionProcedure": {
                "procedureCode": _term(row["sample_type"], row["sample_type_label"])
            },
            "info": {"synthetic": True},
            "datasetId": dataset,
        }


def _runs(table: pd.DataFrame, dataset: str) -> Iterator[Document]:
    figures = ("mean_autosome_coverage", "yield_bp_q30", "pct_reads_mapped")
    for row in table.to_dict("records"):
        yield {
            "id": row["id"],
            "biosampleId": row["biosample"],
            "individualId": row["individual"],
            "runDate": row["run_date"],
            "libraryStrategy": row["target"],
            "librarySource": WGS_SOURCE,
            "platform": row["platform_label"],
            "platformModel": _term(row["platform"], row["platform_label"]),
            "info": {"synthetic": True, **{name: row[name] for name in figures}},
            "datasetId": dataset,
        }


def _analyses(table: pd.DataFrame, dataset: str) -> Iterator[Document]:
    for row in table.to_dict("records"):
        yield {
            "id": row["id"],
            "runId": row["run"],
            "biosampleId": row["biosample"],
            "individualId": row["individual"],
            "analysisDate": row["analysis_date"],
            "pipelineName": row["pipeline"],
            "aligner": row["aligner"],
            "variantCaller": row["variant_caller"],
            "info": {"synthetic": True, "count_snvs": row["count_snvs"]},
            "datasetId": dataset,
        }
