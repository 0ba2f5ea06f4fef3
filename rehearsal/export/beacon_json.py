"""Beacon v2 documents of all entry types, as the reference implementation loads them.

Each collection is one gzipped JSON array of documents for ``mongoimport --jsonArray``:
``datasets``, ``cohorts``, ``individuals``, ``biosamples``, ``runs``, ``analyses``,
``genomicVariations``. The fields are those of the default model 2.1. The fields that the loader
adds stand where it looks for them (``datasetId`` and the ``_position`` of a variant).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.structural import is_symbolic, symbolic_kind
from rehearsal.files import atomic_path
from rehearsal.formats.gzip_stream import open_gzip
from rehearsal.formats.ontology_terms import HEMIZYGOUS, HETEROZYGOUS, HOMOZYGOUS, SEX_TERMS
from rehearsal.genomes.allele_names import own_name
from rehearsal.genomes.assembly import ASSEMBLY
from rehearsal.genomes.consequences import trimmed
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.model import SYNTHETIC, Variant

COLLECTIONS = (
    "datasets",
    "cohorts",
    "individuals",
    "biosamples",
    "runs",
    "analyses",
    "genomicVariations",
)
Document = dict[str, Any]
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
        "genomicVariations": (one for own in genotypes for one in _variations(own, dataset)),
    }
    with atomic_path(folder) as aside:
        aside.mkdir()
        for collection in COLLECTIONS:
            _write_array(documents[collection], aside / f"{collection}.json.gz")


def _write_array(documents: Iterable[Document], path: Path) -> None:
    """Write a JSON array, one document per line."""
    with open_gzip(path) as stream:
        separator = b"[\n"
        for document in documents:
            stream.write(separator + orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY))
            separator = b",\n"
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


def _variations(genotypes: Genotypes, dataset: str) -> Iterator[Document]:
    """Yield one document per alternate allele, with its carriers and their frequency."""
    ids = genotypes.people["id"].tolist()
    for records in genotypes.records():
        owner = records.owner
        called = owner.size
        for site, letters in enumerate(records.alleles):
            first, end = records.indptr[site : site + 2]
            who = owner[records.haplotype[first:end]]
            for number, alt in enumerate(letters[1:], start=1):
                mine = who[records.allele[first:end] == number]
                persons, copies = np.unique(mine, return_counts=True)
                zygosity = _zygosity(copies, records.ploidy[persons])
                own = own_name(letters[0], alt)
                variant = Variant(genotypes.contig, int(records.position[site]), *own)
                span = int(records.end[site]), int(records.svlen[site])
                document = _variation(variant, dataset, *span, genotypes.identity)
                document["caseLevelData"] = [
                    {
                        "biosampleId": f"{ids[person]}-BS",
                        "individualId": ids[person],
                        "analysisId": f"{ids[person]}-AN",
                        "zygosity": kind,
                    }
                    for person, kind in zip(persons.tolist(), zygosity, strict=True)
                ]
                document["frequencyInPopulations"] = [_frequency(dataset, len(mine), called)]
                yield document


def _zygosity(copies: np.ndarray, ploidy: np.ndarray) -> list[Document]:
    kinds = np.array([HETEROZYGOUS, HEMIZYGOUS, HOMOZYGOUS], dtype=object)
    return kinds[np.where(copies == 2, 2, ploidy == 1)].tolist()


def _frequency(dataset: str, count: int, number: int) -> Document:
    return {
        "source": "Rehearsal (synthetic)",
        "sourceReference": "simulated",
        "frequencies": [
            {
                "population": dataset,
                "alleleFrequency": count / number,
                "alleleCount": count,
                "alleleNumber": number,
            }
        ],
    }


def variant_type(ref: str, alt: str) -> str:
    """Return the type that a node states: SNP, MNP, INDEL, INS, DEL, DUP, INV or CNV.

    Args:
        ref: REF as in VCF.
        alt: ALT as in VCF, bases or a symbolic allele.
    """
    if is_symbolic(alt):
        return symbolic_kind(alt)
    start, end, inserted = trimmed(0, ref, alt)
    if len(ref) == len(alt):
        return "SNP" if len(inserted) == 1 else "MNP"
    if start < end and inserted:
        return "INDEL"
    return "INS" if inserted else "DEL"


def _variation(
    variant: Variant, dataset: str, end: int, svlen: int, identity: ReferenceIdentity
) -> Document:
    """Build a document with the keys that the reference implementation searches.

    The schema knows no symbolic alleles: alternateBases is ``.``, symbolicAllele has the symbol.
    A ``CopyNumberChange`` of VRS, as in a node's records, has no ``variantType`` to search for.
    """
    symbolic = is_symbolic(variant.alt)
    end = end if symbolic else variant.start + len(variant.ref)
    plain = variant.contig.removeprefix("chr")
    return {
        "variantInternalId": str(variant),
        "variation": {
            "variantType": variant_type(variant.ref, variant.alt),
            "referenceBases": variant.ref,
            "alternateBases": "." if symbolic else variant.alt,
            "location": {
                "type": "SequenceLocation",
                "sequence_id": identity.sequence_id(variant.contig, variant.start, end),
                "interval": {
                    "type": "SequenceInterval",
                    "start": {"type": "Number", "value": variant.start},
                    "end": {"type": "Number", "value": end},
                },
            },
            **({"length": svlen, "symbolicAllele": variant.alt} if symbolic else {}),
        },
        "_position": {
            "assemblyId": ASSEMBLY,
            "refseqId": plain,
            "start": [variant.start],
            "end": [end],
            "startInteger": variant.start,
            "endInteger": end,
        },
        "datasetId": dataset,
    }
