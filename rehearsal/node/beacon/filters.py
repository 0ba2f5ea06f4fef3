"""Filters of a request, as they were sent and as they are understood."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from msgspec import UNSET

from rehearsal.errors import shown
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.node.beacon.request_models import MAX_FILTERS, FilterObject, Operator, Similarity
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import convert_values

BIRTH_DECADE = "demographic.birthDecade:"
CURIE = re.compile(r"[A-Za-z][A-Za-z0-9_.]*:[^\s:%]+")
COMPARISON = re.compile(r"([\w.:-]+?)(>=|<=|=|<|>|!)(.+)")

# the ontologies whose terms are understood; a term of theirs that nobody here has finds nobody
ONTOLOGIES = {
    "NCIT": ("NCI Thesaurus", "http://purl.obolibrary.org/obo/NCIT_"),
    "HP": ("Human Phenotype Ontology", "http://purl.obolibrary.org/obo/HP_"),
    "MONDO": ("Mondo Disease Ontology", "http://purl.obolibrary.org/obo/MONDO_"),
    "ICD10": ("ICD-10", "https://icd.who.int/browse10/2019/en#/"),
    "ICD10CM": ("ICD-10-CM", "http://purl.bioontology.org/ontology/ICD10CM/"),
    "LOINC": ("LOINC", "https://loinc.org/"),
    "OMIM": ("Online Mendelian Inheritance in Man", "https://omim.org/entry/"),
    "ORPHA": ("Orphanet", "http://www.orpha.net/ORDO/Orphanet_"),
    "SNOMED": ("SNOMED CT", "http://snomed.info/id/"),
    "ATC": ("Anatomical Therapeutic Chemical", "https://atcddd.fhi.no/atc_ddd_index/?code="),
    "DOID": ("Human Disease Ontology", "http://purl.obolibrary.org/obo/DOID_"),
    "EFO": ("Experimental Factor Ontology", "http://www.ebi.ac.uk/efo/EFO_"),
    "NAACCR": (
        "North American Association of Central Cancer Registries",
        "https://apps.naaccr.org/data-dictionary/data-dictionary/item/",
    ),
    "UBERON": ("Uberon", "http://purl.obolibrary.org/obo/UBERON_"),
}


@dataclass(frozen=True, slots=True)
class TermFilter:
    """People who have a term, or by default one that is more special."""

    id: str
    descendants: bool = True
    similarity: Similarity = "exact"

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class ValueFilter:
    """People whose value of a field stands in this relation to ``value``."""

    id: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        return f"{self.id}{self.operator}{self.value}"


@dataclass(frozen=True, slots=True)
class CustomFilter:
    """People born in a decade: a term of ours, ``demographic.birthDecade:1950``."""

    decade: int

    def __str__(self) -> str:
        return f"{BIRTH_DECADE}{self.decade}"


Filter = TermFilter | ValueFilter | CustomFilter


def parse_filters(sent: str | Iterable[FilterObject | str] | None) -> tuple[Filter, ...]:
    """The filters of a POST body (objects or identifiers) or of a GET (comma-separated).

    Raises Problem for anything that is neither a term nor a comparison.
    """
    if sent is None:
        return ()
    items = [item for item in sent.split(",") if item] if isinstance(sent, str) else list(sent)
    if len(items) > MAX_FILTERS:
        raise Problem(f"filters: at most {MAX_FILTERS}, not {len(items)}")
    return tuple(_filter(_object(item) if isinstance(item, str) else item) for item in items)


def _object(text: str) -> FilterObject:
    """A filter that was written as one text: ``NCIT:C16576``, ``age>=50``."""
    match = COMPARISON.fullmatch(text)
    parts = ("id", "operator", "value")
    sent = dict(zip(parts, match.groups(), strict=True)) if match else {"id": text}
    return convert_values(sent, FilterObject, within="filters")


def _filter(sent: FilterObject) -> Filter:
    if sent.operator is not UNSET or sent.value is not UNSET:
        _require_absent(sent, "includeDescendantTerms", "similarity")
        return _value_filter(sent)
    if sent.id.startswith(BIRTH_DECADE):
        _require_absent(sent, "includeDescendantTerms", "similarity")
        return _custom_filter(sent.id)
    return _term_filter(sent)


def _require_absent(sent: FilterObject, *names: str) -> None:
    """Raises Problem for keys that a filter of this kind does not have."""
    given = {"includeDescendantTerms": sent.include_descendant_terms, "similarity": sent.similarity}
    if strangers := [name for name in names if given[name] is not UNSET]:
        raise Problem(f"filter {shown(sent.id)}: unknown {', '.join(strangers)}")


def _term_filter(sent: FilterObject) -> TermFilter:
    if not CURIE.fullmatch(sent.id):
        raise Problem(f"filter {shown(sent.id)} is no term (PREFIX:CODE) and no comparison")
    if sent.id.partition(":")[0] not in ONTOLOGIES:
        raise Problem(
            f"filter {shown(sent.id)}: unknown ontology; known are {', '.join(ONTOLOGIES)}"
        )
    return TermFilter(
        sent.id,
        sent.include_descendant_terms if sent.include_descendant_terms is not UNSET else True,
        sent.similarity if sent.similarity is not UNSET else "exact",
    )


def _custom_filter(identifier: str) -> CustomFilter:
    decade = identifier.removeprefix(BIRTH_DECADE)
    if not re.fullmatch(r"(1[89]|20)\d0", decade, re.ASCII):
        raise Problem(f"filter {shown(identifier)}: a decade like {BIRTH_DECADE}1950")
    return CustomFilter(int(decade))


def _value_filter(sent: FilterObject) -> ValueFilter:
    if sent.value is UNSET:
        raise Problem(f"filter {shown(sent.id)}: value is missing")
    value = sent.value if isinstance(sent.value, str) else f"{sent.value:.15g}"
    return ValueFilter(sent.id, "=" if sent.operator is UNSET else sent.operator, value)


def is_coarse(filters: Iterable[Filter]) -> bool:
    """Whether filters choose people by no more than a sex and one term, as it stands.

    Numbers, texts and similarities can be moved by little steps until one person more or less is
    in the answer; so can combinations of many terms.
    """
    sexes, others = 0, 0
    for one in filters:
        if not isinstance(one, TermFilter) or one.similarity != "exact":
            return False
        if one.id in SEX_TERMS.values():
            sexes += 1
        else:
            others += 1
    return sexes <= 1 and others <= 1


def terms_of(filters: Iterable[Filter]) -> tuple[tuple[str, bool], ...]:
    """(term, whether those below it are meant) of coarse filters: what they are priced by."""
    return tuple((one.id, one.descendants) for one in filters if isinstance(one, TermFilter))
