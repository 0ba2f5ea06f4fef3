"""Reads the patients of a story: those it plants, and those it chooses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.model import SEXES, Choice, Consent, Finding, Patient, Variant
from rehearsal.phenotypes.consent import USE
from rehearsal.phenotypes.readers import bounds
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.reference_checks import RunReferences

HANDLE = re.compile(r"[a-z][a-z0-9-]{0,60}")
OLDEST = 130
REQUIRED = ("sex", "born")
OPTIONAL = (
    *("country", "each_country", "countries", "name", "mother", "father", "carries", "lacks"),
    *("tumour", "diseases", "measurements", "treatments", "features", "excluded"),
    "genetic_values",
    *("candidate_genes", "consent"),
)


def read_patient(
    story: str, handle: str, entry: Entry, references: RunReferences
) -> Iterator[Patient]:
    """The patient, or all those of a template: ``HANDLE-XX-1`` and so on for country XX."""
    part = entry.fields(REQUIRED, OPTIONAL)
    common = _record(part, references) | {
        "story": story,
        "where": entry.where,
        "template": handle,
        "sex": part["sex"].choice(*SEXES),
        "born": _years(part["born"]),
    }
    if "country" in part:
        for key in ("each_country", "countries"):
            if key in part:
                raise part[key].error("no such key beside country")
        yield Patient(handle=handle, country=references.country(part["country"]), **common)
        return
    if "each_country" not in part:
        raise entry.error("the key country or each_country")
    for key in ("mother", "father"):
        if key in part:
            raise part[key].error("no parents for a template: its people stand alone")
    number = part["each_country"].whole_number(1)
    countries = (
        [references.country(item) for item in part["countries"].items()]
        if "countries" in part
        else references.countries
    )
    for country in countries:
        for n in range(1, number + 1):
            yield Patient(handle=f"{handle}-{country.lower()}-{n}", country=country, **common)


def _record(part: dict[str, Entry], references: RunReferences) -> dict[str, object]:
    """What the story says of the patient, by the fields of ``Patient``."""
    found: dict[str, object] = {}
    for key in ("name", "mother", "father"):
        if key in part:
            found[key] = part[key].text()
    if "carries" in part:
        found["carries"] = _carried(part["carries"], references)
    readers: dict[str, Callable[[Entry], object]] = {
        "lacks": references.variants_in_gene,
        "tumour": lambda item: references.variant(item).variant,
        "treatments": references.treatment,
        "features": lambda item: _finding(item, references),
        "excluded": lambda item: _finding(item, references),
        "candidate_genes": lambda item: item.text(r"[A-Z][A-Za-z0-9-]*", "PHGDH"),
    }
    for key, read in readers.items():
        if key in part:
            found[key] = tuple(read(item) for item in part[key].items())
    if "lacks" in found:
        found["lacks"] = tuple(variant for some in found["lacks"] for variant in some)  # type: ignore
    by_name: dict[str, tuple[Callable[[Entry], str], Callable[[Entry], object]]] = {
        "diseases": (references.disease, bounds),
        "measurements": (references.measurement, bounds),
        "genetic_values": (references.polygenic_trait, lambda one: one.number(-4, 4)),
    }
    for key, (name, value) in by_name.items():
        if key in part:
            found[key] = {
                name(Entry(one.source, one.key, of, one.line)): value(one)
                for of, one in part[key].children().items()
            }
    if "consent" in part:
        found["consent"] = _consent(part["consent"])
    return found


def _carried(entry: Entry, references: RunReferences) -> dict[Variant, int]:
    copies = {}
    for label, number in entry.children().items():
        planted = references.variant(Entry(number.source, number.key, label, number.line))
        if planted.is_somatic:
            raise number.error(f"a variant of the germline; {label} is somatic: see tumour")
        if planted.variant.contig not in AUTOSOMES | {"chrX"}:
            raise number.error("a variant on an autosome or chrX")
        copies[planted.variant] = number.whole_number(0, 2)
    return copies


def _finding(entry: Entry, references: RunReferences) -> Finding:
    part = entry.fields(("code", "label"), ("age_of_onset",))
    onset = part["age_of_onset"].number(0, OLDEST) if "age_of_onset" in part else 0.0
    return Finding(references.hpo_term(part["code"]), part["label"].text(), onset)


def _consent(entry: Entry) -> Consent:
    part = entry.fields(("basis", "uses"), ("withdrawn",))
    withdrawn = part["withdrawn"].value if "withdrawn" in part else False
    if not isinstance(withdrawn, bool):
        raise part["withdrawn"].error("true or false")
    uses = tuple(item.text(USE.pattern, "DUO:0000042") for item in part["uses"].items())
    return Consent(part["basis"].text(), uses, withdrawn)


def _years(entry: Entry) -> tuple[int, int]:
    first, last = bounds(entry)
    if not (first >= 1900 and last <= 2100 and first.is_integer() and last.is_integer()):
        raise entry.error("a year, or [first, last]")
    return int(first), int(last)


def read_choice(story: str, handle: str, entry: Entry, references: RunReferences) -> Choice:
    """A patient who is found in the cohort."""
    part = entry.fields(("choose",), ("name",))
    rule = part["choose"].fields((), ("country", "sex", "age", "table", "rows", "order", "highest"))
    age = bounds(rule["age"]) if "age" in rule else (0, 150)
    rows = rule["rows"].children() if "rows" in rule else {}
    highest = rule["highest"].value if "highest" in rule else False
    if not isinstance(highest, bool):
        raise rule["highest"].error("true or false")
    return Choice(
        story,
        handle,
        entry.where,
        name=part["name"].text() if "name" in part else "",
        country=references.country(rule["country"]) if "country" in rule else None,
        sex=rule["sex"].choice(*SEXES) if "sex" in rule else None,
        age=(int(age[0]), int(age[1])),
        table=rule["table"].text() if "table" in rule else "",
        rows={str(column): one.text() for column, one in rows.items()},
        order=rule["order"].text() if "order" in rule else "id",
        highest=highest,
    )
