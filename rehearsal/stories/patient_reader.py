"""Reads the patients of a story: those it plants, and those it chooses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import TypeVar

from rehearsal.errors import shown
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.model import SEXES, Consent, Finding, Patient, PatientSelection, Variant
from rehearsal.phenotypes.consent import USE
from rehearsal.phenotypes.field_readers import OLDEST, bounds
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.reference_checks import RunReferences

HANDLE = re.compile(r"[a-z][a-z0-9-]{0,60}")
REQUIRED = ("sex", "born")
OPTIONAL = (
    *("country", "each_country", "countries", "name", "mother", "father", "carries", "lacks"),
    *("tumour", "diseases", "measurements", "treatments", "features", "excluded"),
    "genetic_values",
    *("candidate_genes", "consent"),
)
CHOICE_RULES = ("country", "sex", "age", "table", "rows", "order", "highest")
T = TypeVar("T")


# --- patients that are planted ---


def read_patient(
    story: str, handle: str, entry: Entry, references: RunReferences
) -> Iterator[Patient]:
    """Read a patient, or all patients of a template: ``HANDLE-XX-1`` and so on for country XX.

    Args:
        story: Name of the story.
        handle: Handle of the patient.
        entry: The patient.
        references: What stories may refer to.

    Raises:
        InputError: A key or value is not allowed.
    """
    part = entry.fields(REQUIRED, OPTIONAL)
    patient = _read_record(story, handle, entry, references)
    _check_years(patient, part, references)
    if "country" in part:
        _refuse(part, ("each_country", "countries"), "no such key together with country")
        yield replace(patient, country=references.country(part["country"]))
        return
    if "each_country" not in part:
        raise entry.error("the key country or each_country", "neither")
    _refuse(part, ("mother", "father"), "no parents in a template, whose people are unrelated")
    number = part["each_country"].whole_number(1)
    countries = references.countries
    if "countries" in part:
        countries = _read_all(part["countries"], references.country)
    for country in countries:
        for n in range(1, number + 1):
            yield replace(patient, handle=f"{handle}-{country.lower()}-{n}", country=country)


def _refuse(part: Mapping[str, Entry], keys: tuple[str, ...], expected: str) -> None:
    for key in keys:
        if key in part:
            raise part[key].error(expected, f"the key {key}")


def _check_years(patient: Patient, part: Mapping[str, Entry], references: RunReferences) -> None:
    """Check that the patient can have every disease at the given age since its first year."""
    for name, (_, latest) in (patient.diseases or {}).items():
        first = references.first_year(name)
        if first is not None and patient.born[0] + latest < first:
            entry = part["diseases"].child(name)
            expected = f"an age that a patient born in {patient.born[0]} has in {first} or later"
            raise entry.error(expected, f"{latest:g}")


def _read_record(story: str, handle: str, entry: Entry, references: RunReferences) -> Patient:
    """Read all facts of the patient except the country."""
    part = entry.children()

    def all_of(key: str, read: Callable[[Entry], T]) -> tuple[T, ...] | None:
        return _read(part, key, lambda items: _read_all(items, read))

    def values(
        key: str, name: Callable[[Entry], str], read: Callable[[Entry], T]
    ) -> dict[str, T] | None:
        return _read(part, key, lambda items: _read_by_name(items, name, read))

    def finding(item: Entry) -> Finding:
        return _read_finding(item, references)

    return Patient(
        story=story,
        handle=handle,
        country="",
        where=entry.where,
        template=handle,
        name=_read(part, "name", Entry.text) or "",
        mother=_read(part, "mother", Entry.text),
        father=_read(part, "father", Entry.text),
        carries=_read(part, "carries", lambda item: _read_carried(item, references)) or {},
        lacks=sum(all_of("lacks", references.variants_in_gene) or (), ()),
        tumour=all_of("tumour", lambda item: references.variant(item).variant) or (),
        treatments=all_of("treatments", references.treatment),
        features=all_of("features", finding),
        excluded=all_of("excluded", finding) or (),
        candidate_genes=all_of("candidate_genes", _read_gene_symbol) or (),
        diseases=values("diseases", references.disease, bounds),
        measurements=values("measurements", references.measurement, bounds) or {},
        genetic_values=values("genetic_values", references.polygenic_trait, _read_deviations) or {},
        consent=_read(part, "consent", _read_consent),
        sex=part["sex"].choice(*SEXES),
        born=_read_years(part["born"]),
    )


def _read_carried(entry: Entry, references: RunReferences) -> dict[Variant, int]:
    copies = {}
    for label, number in entry.children().items():
        planted = references.variant(replace(number, value=label))
        if planted.is_somatic:
            expected = "a germline variant (somatic variants belong under tumour)"
            raise number.error(expected, shown(label))
        if planted.variant.contig not in AUTOSOMES | {"chrX"}:
            found = f"{shown(label)} on {planted.variant.contig}"
            raise number.error("a variant on an autosome or chrX", found)
        copies[planted.variant] = number.whole_number(0, 2)
    return copies


def _read_finding(entry: Entry, references: RunReferences) -> Finding:
    part = entry.fields(("code", "label"), ("age_of_onset",))
    onset = part["age_of_onset"].number(0, OLDEST) if "age_of_onset" in part else 0.0
    return Finding(references.hpo_term(part["code"]), part["label"].text(), onset)


def _read_gene_symbol(entry: Entry) -> str:
    return entry.text(r"[A-Z][A-Za-z0-9-]*", "PHGDH")


def _read_deviations(entry: Entry) -> float:
    return entry.number(-4, 4)


def _read_consent(entry: Entry) -> Consent:
    part = entry.fields(("basis", "uses"), ("withdrawn",))
    withdrawn = _read(part, "withdrawn", Entry.flag) or False
    uses = _read_all(part["uses"], lambda item: item.text(USE.pattern, "DUO:0000042"))
    return Consent(part["basis"].text(), uses, withdrawn)


def _read_years(entry: Entry) -> tuple[int, int]:
    first, last = bounds(entry)
    if not (first >= 1900 and last <= 2100 and first.is_integer() and last.is_integer()):
        raise entry.error("a year, or [first, last], between 1900 and 2100")
    return int(first), int(last)


# --- patients who are chosen from the cohort ---


def read_selection(
    story: str, handle: str, entry: Entry, references: RunReferences
) -> PatientSelection:
    """Read a patient who is chosen from the cohort.

    Args:
        story: Name of the story.
        handle: Handle of the patient.
        entry: The patient.
        references: What stories may refer to.

    Raises:
        InputError: A key or value is not allowed.
    """
    part = entry.fields(("choose",), ("name",))
    rule = part["choose"].fields((), CHOICE_RULES)
    lowest, highest = _read(rule, "age", bounds) or (0, 150)
    return PatientSelection(
        story,
        handle,
        entry.where,
        name=_read(part, "name", Entry.text) or "",
        country=_read(rule, "country", references.country),
        sex=_read(rule, "sex", lambda item: item.choice(*SEXES)),
        age=(int(lowest), int(highest)),
        table=_read(rule, "table", Entry.text) or "",
        rows=_read(rule, "rows", _read_rows) or {},
        order=_read(rule, "order", Entry.text) or "id",
        highest=_read(rule, "highest", Entry.flag) or False,
    )


def _read_rows(entry: Entry) -> dict[str, str]:
    return {str(column): value.text() for column, value in entry.children().items()}


# --- optional keys, lists and mappings ---


def _read(part: Mapping[str, Entry], key: str, read: Callable[[Entry], T]) -> T | None:
    """Read the value of a key; None if the key is missing."""
    return read(part[key]) if key in part else None


def _read_all(entry: Entry, read: Callable[[Entry], T]) -> tuple[T, ...]:
    return tuple(read(item) for item in entry.items())


def _read_by_name(
    entry: Entry, name: Callable[[Entry], str], read: Callable[[Entry], T]
) -> dict[str, T]:
    """Read a mapping. ``name`` reads its keys; an error in a key is reported at its value."""
    return {name(replace(value, value=key)): read(value) for key, value in entry.children().items()}
