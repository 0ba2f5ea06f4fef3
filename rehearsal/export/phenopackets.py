"""Phenopackets v2 of people and Family messages of families, as plain dictionaries.

Field names and enumerations are those of the protobuf JSON form (phenopacket-schema 2.0). Fields
that the schema has and the cohort lacks are left out rather than invented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields

import pandas as pd

from rehearsal.export.clinical_tables import ClinicalTables, PersonRows
from rehearsal.export.phenopacket_interpretations import GeneKnowledge, interpretation, suspected
from rehearsal.export.phenopacket_messages import (
    Message,
    age,
    biosample,
    exposure,
    measurement,
    missing_value,
    term,
)
from rehearsal.formats.phenopacket_resources import resources
from rehearsal.phenotypes.clinical_types import NULL_FLAVOURS

SEXES = {"female": ("FEMALE", "XX"), "male": ("MALE", "XY")}
MILLIGRAM = {"id": "UCUM:mg", "label": "milligram"}
SCHEDULES = {  # by doses a day
    1: {"id": "NCIT:C125004", "label": "Once Daily"},
    2: {"id": "NCIT:C64496", "label": "Twice Daily"},
    3: {"id": "NCIT:C64527", "label": "Three Times Daily"},
    4: {"id": "NCIT:C64530", "label": "Four Times Daily"},
}
# a dose interval needs a quantity and a frequency: doses of a size and frequency not on record
SOME_DOSE = {
    "quantity": {"unit": {"id": "UCUM:{dose}", "label": "dose"}, "value": 1},
    "scheduleFrequency": {"id": "NullFlavor:UNK", "label": NULL_FLAVOURS["UNK"]},
}
ALWAYS_CITED = ("GENO", "HGNC", "MONDO", "NCIT", "NullFlavor", "UCUM")


class Phenopackets:
    """The phenopackets of a group of people, made one at a time.

    Args:
        tables: The people's clinical tables.
        genes: What is known about genes.
        reference_year: The records were made on the last day of this year.

    Raises:
        KeyError: A table lacks a column of docs/reference/files.md.
    """

    def __init__(
        self, tables: ClinicalTables, genes: GeneKnowledge, reference_year: int = 2026
    ) -> None:
        self._people = tables.people.reset_index(drop=True)
        self._genes = genes
        self._year = reference_year
        ids = pd.Index(self._people["id"])
        self._rows = {
            one.name: PersonRows(getattr(tables, one.name), ids)
            for one in fields(tables)
            if one.name != "people"
        }
        self._person = PersonRows(self._people.rename(columns={"id": "individual"}), ids)
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
        """Build the phenopacket of one person.

        Args:
            position: The person's 0-based row of ``people``.
        """
        (person,) = self._person.of(position)
        rows = {name: table.of(position) for name, table in self._rows.items()}
        packet = {
            "id": person["individual"],
            "subject": self._subject(person, rows),
            "phenotypicFeatures": _features(rows),
            "measurements": _measurements(rows),
            "biosamples": list(map(biosample, rows["biosamples"])),
            "interpretations": self._interpretations(person, rows),
            "diseases": list(map(_disease, rows["diseases"])),
            "medicalActions": [self._treatment(row) for row in rows["treatments"]],
            "metaData": self._metadata,
        }
        return {key: value for key, value in packet.items() if value != []}

    def families(self) -> Iterator[Message]:
        """Yield one Family message per family of two or more.

        The proband is the member who fell ill first, otherwise the family's first member. Members
        with the same disease are affected.
        """
        groups = self._people.dropna(subset=["family"]).groupby("family", sort=False).indices
        for family, members in groups.items():
            if len(members) > 1:
                yield self._family(str(family), members.tolist())

    def _family(self, name: str, members: list[int]) -> Message:
        diseases = {member: self._rows["diseases"].of(member) for member in members}
        proband, disease = _proband(diseases)
        ill = {
            member for member, rows in diseases.items() if disease in [row["mondo"] for row in rows]
        }
        return {
            "id": name,
            "proband": self.of(proband),
            "relatives": [self.of(member) for member in members if member != proband],
            "consanguinousParents": False,
            "pedigree": {"persons": [self._relative(name, one, one in ill) for one in members]},
            "metaData": self._metadata,
        }

    def _relative(self, family: str, member: int, is_ill: bool) -> Message:
        (person,) = self._person.of(member)
        return {
            "familyId": family,
            "individualId": person["individual"],
            "paternalId": person["father"] or "0",
            "maternalId": person["mother"] or "0",
            "sex": SEXES[person["sex"]][0],
            "affectedStatus": "AFFECTED" if is_ill else "UNAFFECTED",
        }

    def _subject(self, person: Message, rows: Mapping[str, list[Message]]) -> Message:
        sex, karyotype = SEXES[person["sex"]]
        subject: Message = {
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

    def _interpretations(self, person: Message, rows: Mapping[str, list[Message]]) -> list[Message]:
        ill = {row["mondo"] for row in rows["diseases"]}
        found = [
            interpretation(number, row, person, ill, self._genes)
            for number, row in enumerate(rows["carriers"], start=1)
        ]
        return found + suspected(person, rows["candidate_genes"], self._genes)

    def _treatment(self, row: Message) -> Message:
        agent: Message = {"agent": term(row["code"], row["label"]), "drugType": "PRESCRIPTION"}
        agent["doseIntervals"] = [self._dose_interval(row)]
        target = self._mondo.get(row["indication"], (row["indication"], row["indication_label"]))
        action: Message = {"treatment": agent, "treatmentTarget": term(*target)}
        if row["response"] is not None:
            action["responseToTreatment"] = term(row["response"], row["response_label"])
        if row["adverse_event"] is not None:
            event = term(row["adverse_event"], row["adverse_event_label"])
            action |= {"adverseEvents": [event], "treatmentTerminationReason": event}
        return action

    def _dose_interval(self, row: Message) -> Message:
        """Build a ``DoseInterval``. An ongoing treatment ends when the record was made."""
        dose = SOME_DOSE
        if row["dose_mg"] is not None:
            dose = {
                "quantity": {"unit": MILLIGRAM, "value": row["dose_mg"]},
                "scheduleFrequency": SCHEDULES[row["doses_per_day"]],
            }
        start, end = f"{row['start_date']}T00:00:00Z", self._metadata["created"]
        if row["end_date"] is not None:
            end = f"{row['end_date']}T00:00:00Z"
        return {**dose, "interval": {"start": start, "end": end}}


def _proband(diseases: Mapping[int, list[Message]]) -> tuple[int, str | None]:
    """Return the member who fell ill first and the disease, otherwise the first member and None."""
    onsets = [
        (row["age_of_onset"], member, row["mondo"])
        for member, rows in diseases.items()
        for row in rows
    ]
    if not onsets:
        return next(iter(diseases)), None
    _, proband, disease = min(onsets)
    return proband, disease


def _features(rows: Mapping[str, list[Message]]) -> list[Message]:
    present = [
        {"type": term(row["code"], row["label"]), "onset": age(row["age_of_onset"])}
        for row in rows["features"]
    ]
    excluded = [
        {"type": term(row["code"], row["label"]), "excluded": True}
        for row in rows["excluded_features"]
    ]
    return [*present, *excluded]


def _measurements(rows: Mapping[str, list[Message]]) -> list[Message]:
    missing = (row for row in rows["missing"] if row["table"] != "treatments")
    return [
        *map(measurement, rows["measurements"]),
        *map(exposure, rows["exposures"]),
        *map(missing_value, missing),
    ]


def _disease(row: Message) -> Message:
    return {"term": term(row["mondo"], row["mondo_label"]), "onset": age(row["age_of_onset"])}


def _prefixes(tables: ClinicalTables) -> set[str]:
    """Collect the prefixes of every CURIE in the tables and of those that messages add."""
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
