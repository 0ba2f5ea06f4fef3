"""Phenopackets v2 of everybody, and Family messages of families, as plain dictionaries.

Field names and enumerations are those of the protobuf JSON form (phenopacket-schema 2.0). What
the schema asks for and the cohort does not have is left out rather than invented.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
from isal import igzip

from rehearsal.export.phenopacket_resources import resources
from rehearsal.files import write_json, written_aside
from rehearsal.phenotypes.clinical_types import NULL_FLAVOURS
from rehearsal.phenotypes.trait_types import Traits

Message = dict[str, Any]
SEXES = {"female": ("FEMALE", "XX"), "male": ("MALE", "XY")}
MILLIGRAM = {"id": "UCUM:mg", "label": "milligram"}
ONCE_DAILY = {"id": "NCIT:C125004", "label": "Once Daily"}
ANY_DISEASE = ("MONDO:0000001", "disease")
HETEROZYGOUS = {"id": "GENO:0000135", "label": "heterozygous"}
HOMOZYGOUS = {"id": "GENO:0000136", "label": "homozygous"}
HEMIZYGOUS = {"id": "GENO:0000134", "label": "hemizygous"}
ALWAYS_CITED = ("GENO", "HGNC", "MONDO", "NCIT", "NullFlavor", "UCUM")


@dataclass(frozen=True)
class ClinicalTables:
    """Tables with the columns of docs/architecture.md, rows in the order of ``people``.

    ``carriers`` are those of planted variants. ``subjects`` and ``biosamples`` have one row each.
    """

    people: pd.DataFrame
    diseases: pd.DataFrame
    measurements: pd.DataFrame
    features: pd.DataFrame
    excluded_features: pd.DataFrame
    candidate_genes: pd.DataFrame
    exposures: pd.DataFrame
    treatments: pd.DataFrame
    missing: pd.DataFrame
    subjects: pd.DataFrame
    biosamples: pd.DataFrame
    carriers: pd.DataFrame

    def by_country(self) -> Iterator[tuple[str, ClinicalTables]]:
        """Each country's part, in the order of ``people``, whose countries are contiguous."""
        position = pd.Index(self.people["id"])
        place = {}
        tables = {"people": self.people}
        for name in (one.name for one in fields(self) if one.name != "people"):
            rows = position.get_indexer(getattr(self, name)["individual"])
            order = np.argsort(rows, kind="stable")
            tables[name], place[name] = getattr(self, name).iloc[order], rows[order]
        for country, rows in self.people.groupby("country", sort=False).indices.items():
            first, end = rows[0], rows[-1] + 1
            part = {"people": self.people.iloc[first:end].reset_index(drop=True)}
            for name, where in place.items():
                start, stop = np.searchsorted(where, [first, end])
                part[name] = tables[name].iloc[start:stop].reset_index(drop=True)
            yield str(country), ClinicalTables(**part)


@dataclass(frozen=True, slots=True)
class GeneKnowledge:
    """What an interpretation says of a gene, each by its symbol."""

    identifiers: Mapping[str, str] = field(default_factory=dict)  # HGNC
    diseases: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # MONDO, label
    actionable: frozenset[str] = frozenset()  # an adverse event of a drug depends on them

    @classmethod
    def of(cls, traits: Traits) -> GeneKnowledge:
        """What the traits say of genes; of several diseases of a gene the first."""
        diseases: dict[str, tuple[str, str]] = {}
        for disease in traits.diseases:
            for risk in disease.genes:
                diseases.setdefault(risk.gene, (disease.mondo, disease.mondo_label))
        events = [
            drug.adverse_event
            for treatment in traits.treatments
            for drug in treatment.drugs
            if drug.adverse_event is not None
        ]
        actionable = frozenset(gene for event in events for gene in event.odds_ratios)
        return cls(traits.gene_identifiers, diseases, actionable)


class Phenopackets:
    """The phenopackets of some people, made one at a time.

    ``reference_year``: its last day is when the records were made. Raises KeyError for a table
    without a column of docs/architecture.md.
    """

    def __init__(
        self, tables: ClinicalTables, genes: GeneKnowledge, reference_year: int = 2026
    ) -> None:
        self._people = tables.people.reset_index(drop=True)
        self._genes = genes
        self._year = reference_year
        ids = pd.Index(self._people["id"])
        self._rows = {
            one.name: _Rows(getattr(tables, one.name), ids)
            for one in fields(tables)
            if one.name != "people"
        }
        self._person = _Rows(self._people.rename(columns={"id": "individual"}), ids)
        self._metadata = {
            "created": f"{reference_year}-12-31T00:00:00Z",
            "createdBy": "rehearsal",
            "resources": resources(_prefixes(tables)),
            "phenopacketSchemaVersion": "2.0",
        }
        self._mondo = {
            row.code: (row.mondo, row.mondo_label)
            for row in tables.diseases.drop_duplicates("code").itertuples()
        }

    def __len__(self) -> int:
        return len(self._people)

    def __iter__(self) -> Iterator[Message]:
        return map(self.of, range(len(self)))

    def of(self, position: int) -> Message:
        """The phenopacket of the person in one row of ``people``."""
        (person,) = self._person.of(position)
        rows = {name: table.of(position) for name, table in self._rows.items()}
        ill = {row["mondo"] for row in rows["diseases"]}
        packet = {
            "id": person["individual"],
            "subject": self._subject(person, rows),
            "phenotypicFeatures": [
                *(
                    {"type": term(row["code"], row["label"]), "onset": age(row["age_of_onset"])}
                    for row in rows["features"]
                ),
                *(
                    {"type": term(row["code"], row["label"]), "excluded": True}
                    for row in rows["excluded_features"]
                ),
            ],
            "measurements": [
                *map(_measurement, rows["measurements"]),
                *map(_exposure, rows["exposures"]),
                *(_null(row) for row in rows["missing"] if row["table"] != "treatments"),
            ],
            "biosamples": list(map(_biosample, rows["biosamples"])),
            "interpretations": [
                self._interpretation(number, row, person, ill)
                for number, row in enumerate(rows["carriers"], start=1)
            ]
            + self._suspected(person, rows["candidate_genes"]),
            "diseases": [
                {"term": term(row["mondo"], row["mondo_label"]), "onset": age(row["age_of_onset"])}
                for row in rows["diseases"]
            ],
            "medicalActions": [self._treatment(row, person) for row in rows["treatments"]],
            "metaData": self._metadata,
        }
        return {key: value for key, value in packet.items() if value != []}

    def families(self) -> Iterator[Message]:
        """A Family message for every family of two or more.

        The proband is whoever fell ill first, else the first of the family. Who has that
        disease is affected.
        """
        groups = self._people.dropna(subset=["family"]).groupby("family", sort=False).indices
        for family, members in groups.items():
            if len(members) > 1:
                yield self._family(str(family), members.tolist())

    def _family(self, name: str, members: list[int]) -> Message:
        diseases = {member: self._rows["diseases"].of(member) for member in members}
        onsets = [
            (row["age_of_onset"], member, row["mondo"])
            for member in members
            for row in diseases[member]
        ]
        _, proband, disease = min(onsets, default=(0, members[0], None))
        persons = []
        for member in members:
            (person,) = self._person.of(member)
            ill = any(row["mondo"] == disease for row in diseases[member])
            persons.append(
                {
                    "familyId": name,
                    "individualId": person["individual"],
                    "paternalId": person["father"] or "0",
                    "maternalId": person["mother"] or "0",
                    "sex": SEXES[person["sex"]][0],
                    "affectedStatus": "AFFECTED" if ill else "UNAFFECTED",
                }
            )
        return {
            "id": name,
            "proband": self.of(proband),
            "relatives": [self.of(member) for member in members if member != proband],
            "consanguinousParents": False,
            "pedigree": {"persons": persons},
            "metaData": self._metadata,
        }

    def _subject(self, person: Message, rows: Mapping[str, list[Message]]) -> Message:
        sex, karyotype = SEXES[person["sex"]]
        subject = {
            "id": person["individual"],
            "timeAtLastEncounter": age(self._year - person["birth_year"]),
            "vitalStatus": {"status": "ALIVE"},
            "sex": sex,
            "karyotypicSex": karyotype,
        }
        for row in rows["subjects"]:
            subject["dateOfBirth"] = f"{row['birth_date']}T00:00:00Z"
        for row in rows["biosamples"][:1]:
            subject["taxonomy"] = term(row["organism"], row["organism_label"])
        return subject

    def _treatment(self, row: Message, person: Message) -> Message:
        agent: Message = {"agent": term(row["code"], row["label"]), "drugType": "PRESCRIPTION"}
        if row["dose_mg"] is not None:
            born = person["birth_year"]
            end = self._year if row["end_age"] is None else born + row["end_age"]
            agent["doseIntervals"] = [
                {
                    "quantity": {"unit": MILLIGRAM, "value": row["dose_mg"]},
                    "scheduleFrequency": ONCE_DAILY,
                    "interval": {
                        "start": f"{born + row['start_age']}-12-31T00:00:00Z",
                        "end": f"{end}-12-31T00:00:00Z",
                    },
                }
            ]
        target = self._mondo.get(row["indication"], (row["indication"], row["indication_label"]))
        action = {"treatment": agent, "treatmentTarget": term(*target)}
        if row["response"] is not None:
            action["responseToTreatment"] = term(row["response"], row["response_label"])
        if row["adverse_event"] is not None:
            event = term(row["adverse_event"], row["adverse_event_label"])
            action |= {"adverseEvents": [event], "treatmentTerminationReason": event}
        return action

    def _interpretation(self, number: int, row: Message, person: Message, ill: set[str]) -> Message:
        gene = row["gene"]
        disease = self._genes.diseases.get(gene, ANY_DISEASE)
        causative = disease[0] in ill
        known = gene in self._genes.diseases
        return {
            "id": f"{person['individual']}-IN{number}",
            "progressStatus": "SOLVED" if causative else "COMPLETED",
            "diagnosis": {
                "disease": term(*disease),
                "genomicInterpretations": [
                    {
                        "subjectOrBiosampleId": person["individual"],
                        "interpretationStatus": "CAUSATIVE" if causative else "UNKNOWN_STATUS",
                        "variantInterpretation": {
                            "acmgPathogenicityClassification": "PATHOGENIC"
                            if known
                            else "NOT_PROVIDED",
                            "therapeuticActionability": "ACTIONABLE"
                            if gene in self._genes.actionable
                            else "UNKNOWN_ACTIONABILITY",
                            "variationDescriptor": self._variation(row, person),
                        },
                    }
                ],
            },
        }

    def _suspected(self, person: Message, rows: list[Message]) -> list[Message]:
        """One interpretation under way, with all candidate genes; none without."""
        if not rows:
            return []
        name, identifiers = person["individual"], self._genes.identifiers
        candidates = [
            {
                "subjectOrBiosampleId": name,
                "interpretationStatus": "CANDIDATE",
                # a gene's descriptor must have an identifier: the symbol where no other is known
                "gene": {"valueId": identifiers.get(gene, gene), "symbol": gene},
            }
            for gene in (row["gene"] for row in rows)
        ]
        diagnosis = {"disease": term(*ANY_DISEASE), "genomicInterpretations": candidates}
        return [{"id": f"{name}-CA", "progressStatus": "IN_PROGRESS", "diagnosis": diagnosis}]

    def _variation(self, row: Message, person: Message) -> Message:
        gene, contig = row["gene"], row["contig"]
        if row["copies"] == 2:
            state = HOMOZYGOUS
        elif contig == "chrX" and person["sex"] == "male":
            state = HEMIZYGOUS
        else:
            state = HETEROZYGOUS
        descriptor = {
            "id": f"{contig}-{row['start'] + 1}-{row['ref']}-{row['alt']}",
            "label": f"{gene} {row['name']}",
            "vcfRecord": {
                "genomeAssembly": "GRCh38",
                "chrom": contig,
                "pos": str(row["start"] + 1),  # an unsigned 64-bit number is text in protobuf JSON
                "ref": row["ref"],
                "alt": row["alt"],
            },
            "moleculeContext": "genomic",
            "allelicState": state,
        }
        if gene in self._genes.identifiers:
            descriptor["geneContext"] = {"valueId": self._genes.identifiers[gene], "symbol": gene}
        return descriptor


class _Rows:
    """The rows of a table by person, as dictionaries with None for what is null."""

    def __init__(self, table: pd.DataFrame, ids: pd.Index) -> None:
        position = ids.get_indexer(table["individual"])
        order = np.argsort(position, kind="stable")
        self._offset = np.searchsorted(position[order], np.arange(len(ids) + 1)).tolist()
        self._names = list(table.columns)
        table = table.iloc[order]
        self._columns = [_values(table[name]) for name in self._names]

    def of(self, position: int) -> list[Message]:
        first, end = self._offset[position], self._offset[position + 1]
        return [
            {name: column[row] for name, column in zip(self._names, self._columns, strict=True)}
            for row in range(first, end)
        ]


def _values(column: pd.Series) -> list[Any]:
    if not column.isna().any():
        return column.tolist()
    return column.astype(object).where(column.notna(), None).tolist()


def _prefixes(tables: ClinicalTables) -> set[str]:
    """Prefixes of every CURIE in the tables, and of those that the messages add."""
    found = set(ALWAYS_CITED)
    columns = {
        "diseases": ["mondo"],
        "features": ["code"],
        "excluded_features": ["code"],
        "measurements": ["code"],
        "exposures": ["code", "value"],
        "treatments": ["code", "indication", "response", "adverse_event"],
        "missing": ["code"],
        "biosamples": ["tissue", "sample_type", "organism"],
    }
    for name, some in columns.items():
        for column in some:
            codes = getattr(tables, name)[column].dropna().unique()
            found |= {code.partition(":")[0] for code in codes}
    return found


@cache
def term(code: str, label: str) -> Message:
    """An ``OntologyClass``."""
    return {"id": code, "label": label}


@cache
def age(years: int) -> Message:
    """A ``TimeElement`` of an age in whole years."""
    return {"age": {"iso8601duration": f"P{years}Y"}}


def _measurement(row: Message) -> Message:
    unit = row["unit"]
    return {
        "assay": term(row["code"], row["label"]),
        "value": {"quantity": {"unit": term(f"UCUM:{unit}", unit), "value": row["value"]}},
        "timeObserved": age(row["age"]),
    }


def _exposure(row: Message) -> Message:
    return {
        "assay": term(row["code"], row["label"]),
        "value": {"ontologyClass": term(row["value"], row["value_label"])},
        "timeObserved": age(row["age"]),
    }


def _null(row: Message) -> Message:
    flavour = row["null_flavour"]
    return {
        "assay": term(row["code"], row["label"]),
        "value": {"ontologyClass": term(f"NullFlavor:{flavour}", NULL_FLAVOURS[flavour])},
    }


def _biosample(row: Message) -> Message:
    return {
        "id": row["id"],
        "individualId": row["individual"],
        "sampledTissue": term(row["tissue"], row["tissue_label"]),
        "taxonomy": term(row["organism"], row["organism_label"]),
        "timeOfCollection": age(row["collection_age"]),
        "procedure": {"code": term(row["sample_type"], row["sample_type_label"])},
    }


def write_json_lines(messages: Iterable[Message], path: Path | str) -> int:
    """One gzipped file, a message a line, written as they come; returns how many. The same
    messages give the same bytes."""
    number = 0
    with (
        written_aside(path) as aside,
        aside.open("wb") as raw,
        igzip.IGzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream,
    ):
        for message in messages:
            stream.write(orjson.dumps(message, option=orjson.OPT_APPEND_NEWLINE))
            number += 1
    return number


def write_files(messages: Iterable[Message], folder: Path | str) -> list[Path]:
    """A file a message, ``{id}.json``, indented for people to read."""
    written = []
    for message in messages:
        path = Path(folder) / f"{message['id']}.json"
        write_json(path, message, newline=False)
        written.append(path)
    return written
