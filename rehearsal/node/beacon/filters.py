"""Filters of a request, as sent and as parsed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import get_args

from msgspec import UNSET

from rehearsal.errors import shown
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.node.beacon.request_models import (
    MAX_FILTERS,
    FilterObject,
    OfVariants,
    Operator,
    Similarity,
)
from rehearsal.stores.ontology import current_term, is_no_term
from rehearsal.stores.people_store import ONSET
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import convert_values

BIRTH_DECADE = "demographic.birthDecade:"
# + and * end codes of ICD-10
CURIE = re.compile(r"[A-Za-z][A-Za-z0-9_.]*:[A-Za-z0-9_.+*/-]+")
COMPARISON = re.compile(r"([\w.:-]+?)(>=|<=|=|<|>|!)(.+)")

# the ontologies that records may use; a term that nobody here has, of these or others, finds nobody
ONTOLOGIES = {
    "NCIT": ("NCI Thesaurus", "http://purl.obolibrary.org/obo/NCIT_"),
    "HP": ("Human Phenotype Ontology", "http://purl.obolibrary.org/obo/HP_"),
    "MONDO": ("Mondo Disease Ontology", "http://purl.obolibrary.org/obo/MONDO_"),
    "ICD10": ("ICD-10", "https://icd.who.int/browse10/2019/en#/"),
    "ICD10CM": ("ICD-10-CM", "http://purl.bioontology.org/ontology/ICD10CM/"),
    "LOINC": ("LOINC", "https://loinc.org/"),
    "OMIM": ("Online Mendelian Inheritance in Man", "https://omim.org/entry/"),
    "ORPHA": ("Orphanet", "http://www.orpha.net/ORDO/Orphanet_"),
    "ATC": ("Anatomical Therapeutic Chemical", "https://atcddd.fhi.no/atc_ddd_index/?code="),
    "DOID": ("Human Disease Ontology", "http://purl.obolibrary.org/obo/DOID_"),
    "EFO": ("Experimental Factor Ontology", "http://www.ebi.ac.uk/efo/EFO_"),
    "NAACCR": (
        "North American Association of Central Cancer Registries",
        "https://apps.naaccr.org/data-dictionary/data-dictionary/item/",
    ),
    "SNOMEDCT": ("SNOMED CT", "http://snomed.info/id/"),
    "OBI": ("Ontology for Biomedical Investigations", "http://purl.obolibrary.org/obo/OBI_"),
    "NCBITaxon": ("NCBI Taxonomy", "http://purl.obolibrary.org/obo/NCBITaxon_"),
    "UBERON": ("Uberon", "http://purl.obolibrary.org/obo/UBERON_"),
}
# those of which simulated records have no terms; the records of a user's node may have some
SELDOM_USED = frozenset({"ICD10CM", "OMIM", "ORPHA", "DOID", "EFO"})


# text fields, each the label or the term of this kind
TEXT_FIELDS = {
    "sex": "sex",
    "sex.label": "sex",
    "disease": "disease",
    "diseases.diseasecode.label": "disease",
    "phenotype": "feature",
    "phenotypicfeatures.featuretype.label": "feature",
}
KINDS = {
    "sex": " or ".join(SEX_TERMS.values()),
    "disease": "a disease, like MONDO:0007254 or ICD10:C50",
    "feature": "a phenotype, like HP:0000252",
}
# a category of ICD-10, with or without a subdivision: no chapter or block, such as II or C00-C97
ICD10_CODE = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")


@dataclass(frozen=True, slots=True)
class TermFilter:
    """People with a term or, by default, one of its descendants."""

    id: str  # a CURIE
    descendants: bool = True  # whether descendant terms count too
    similarity: Similarity = "exact"  # least similarity of other terms that count too
    field: str = ""  # of which the term was sent as the value; empty: it was sent as a term

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class ValueFilter:
    """People whose value of a field compares to ``value`` by the operator."""

    id: str
    operator: Operator
    value: str

    def __str__(self) -> str:
        return f"{self.id}{self.operator}{self.value}"


@dataclass(frozen=True, slots=True)
class CustomFilter:
    """People born in a decade, by a term of this project: ``demographic.birthDecade:1950``."""

    decade: int

    def __str__(self) -> str:
        return f"{BIRTH_DECADE}{self.decade}"


Filter = TermFilter | ValueFilter | CustomFilter


def parse_filters(sent: str | Iterable[FilterObject | str] | None) -> tuple[Filter, ...]:
    """Parse the filters of a request.

    Args:
        sent: Objects or identifiers of a POST, or the comma-separated text of a GET.

    Returns:
        The filters.

    Raises:
        Problem: A filter is neither a term nor a comparison (400).
    """
    if sent is None:
        return ()
    items = [item for item in sent.split(",") if item] if isinstance(sent, str) else list(sent)
    if len(items) > MAX_FILTERS:
        raise Problem.mismatch("filters", f"at most {MAX_FILTERS} filters", str(len(items)))
    return tuple(
        _filter(_object(item) if isinstance(item, str) else item, i) for i, item in enumerate(items)
    )


def _object(text: str) -> FilterObject:
    """Parse a filter written as one text: ``NCIT:C16576``, ``age>=50``."""
    match = COMPARISON.fullmatch(text)
    parts = ("id", "operator", "value")
    sent = dict(zip(parts, match.groups(), strict=True)) if match else {"id": text}
    return convert_values(sent, FilterObject, within="filters")


VARIANT_SCOPES = frozenset(get_args(OfVariants))


def _filter(sent: FilterObject, number: int) -> Filter:
    """Parse one filter; ``number`` is its place in the list, from 0, for error messages."""
    if sent.scope in VARIANT_SCOPES:
        expected = f"an entry type of people, as {shown(sent.id)} is no molecular effect"
        raise Problem.mismatch(f"filters[{number}].scope", expected, shown(sent.scope))
    if sent.operator is not UNSET or sent.value is not UNSET:
        _require_absent(sent, number, "includeDescendantTerms", "similarity")
        return _value_filter(sent, number)
    if sent.id.startswith(BIRTH_DECADE):
        _require_absent(sent, number, "includeDescendantTerms", "similarity")
        return _custom_filter(sent.id, number)
    return _term_filter(sent, number)


def _require_absent(sent: FilterObject, number: int, *names: str) -> None:
    """Check that a filter lacks keys that only term filters have. Raises Problem."""
    given = {"includeDescendantTerms": sent.include_descendant_terms, "similarity": sent.similarity}
    for name in names:
        if given[name] is not UNSET:
            expected = f"no such key, as {shown(sent.id)} is not a term filter"
            raise Problem.mismatch(f"filters[{number}].{name}", expected, shown(given[name]))


def _term_filter(sent: FilterObject, number: int) -> TermFilter:
    if not CURIE.fullmatch(sent.id):
        expected = "a term (PREFIX:CODE) or a comparison like age>=50"
        raise Problem.mismatch(f"filters[{number}]", expected, shown(sent.id))
    return TermFilter(
        current_term(sent.id),
        sent.include_descendant_terms if sent.include_descendant_terms is not UNSET else True,
        sent.similarity if sent.similarity is not UNSET else "exact",
    )


def _custom_filter(identifier: str, number: int) -> CustomFilter:
    decade = identifier.removeprefix(BIRTH_DECADE)
    if not re.fullmatch(r"(1[89]|20)\d0", decade, re.ASCII):
        expected = f"a decade like {BIRTH_DECADE}1950"
        raise Problem.mismatch(f"filters[{number}]", expected, shown(identifier))
    return CustomFilter(int(decade))


def is_like(value: str, pattern: str) -> bool:
    """Match a text with a pattern in linear time, unlike a regular expression.

    Args:
        value: The text.
        pattern: The pattern, in which ``%`` matches any text.

    Returns:
        Whether the whole text matches.
    """
    first, *others = pattern.split("%")
    if not others:
        return value == pattern
    *middle, last = others
    if not value.startswith(first):
        return False
    at = len(first)
    for part in middle:
        found = value.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(value) - len(last) >= at and value.endswith(last)


def _value_filter(sent: FilterObject, number: int) -> ValueFilter | TermFilter:
    if sent.value is UNSET:
        expected = f"a value to compare {shown(sent.id)} with"
        raise Problem.mismatch(f"filters[{number}].value", expected, "nothing")
    value = sent.value if isinstance(sent.value, str) else f"{sent.value:.15g}"
    operator: Operator = "=" if sent.operator is UNSET else sent.operator
    kind = TEXT_FIELDS.get(sent.id.lower())
    if kind is None or not CURIE.fullmatch(value):
        _check_values(sent.id, kind, value, number)
        return ValueFilter(sent.id, operator, value)
    if operator != "=":
        expected = f"=, as {shown(value)} is a term"
        raise Problem.mismatch(f"filters[{number}].operator", expected, shown(operator))
    term = current_term(value)
    if _kind_of_term(term) != kind:
        expected = f"a label, or {KINDS[kind]}"
        raise Problem.mismatch(f"filters[{number}].value", expected, shown(value))
    return TermFilter(term, field=sent.id)


def _check_values(field: str, kind: str | None, value: str, number: int) -> None:
    """Check what can be known of a comparison without any people. Raises Problem."""
    name, _, disease = field.partition(":")
    if name == ONSET and disease and not CURIE.fullmatch(disease):
        expected = f"{ONSET}, or {ONSET}: and a disease like MONDO:0007254"
        raise Problem.mismatch(f"filters[{number}].id", expected, shown(field))
    if kind == "sex" and not any(is_like(sex, value.lower()) for sex in SEX_TERMS):
        expected = f"{' or '.join(SEX_TERMS)}, or {KINDS[kind]}"
        raise Problem.mismatch(f"filters[{number}].value", expected, shown(value))


def _kind_of_term(term: str) -> str:
    if term in SEX_TERMS.values():
        return "sex"
    return "feature" if term.startswith("HP:") else "disease"


MOLECULAR_EFFECT = re.compile(r"SO:[0-9]{7}")


def split_effects(
    sent: str | Iterable[FilterObject | str] | None,
) -> tuple[list[FilterObject | str], tuple[str, ...]]:
    """Separate filters of variants by molecular effect from filters of people.

    Args:
        sent: Objects or identifiers of a POST, or the comma-separated text of a GET.

    Returns:
        The filters of people, and terms of the Sequence Ontology, each once and in order.
    """
    if not sent:
        return [], ()
    items = sent.split(",") if isinstance(sent, str) else list(sent)
    people: list[FilterObject | str] = []
    effects = set()
    for item in items:
        if effect := _molecular_effect(item):
            effects.add(effect)
        elif item or not isinstance(sent, str):
            people.append(item)
    return people, tuple(sorted(effects))


def _molecular_effect(item: FilterObject | str) -> str | None:
    """Return the term of the Sequence Ontology that a filter is. None: it is another filter."""
    if not isinstance(item, str):
        if item.operator is not UNSET or item.value is not UNSET:
            return None
        if MOLECULAR_EFFECT.fullmatch(item.id) and item.scope not in (None, *VARIANT_SCOPES):
            expected = f"genomicVariation, as {item.id} is a molecular effect"
            raise Problem.mismatch("filters: scope", expected, shown(item.scope))
        item = item.id
    return item if MOLECULAR_EFFECT.fullmatch(item) else None


@lru_cache(maxsize=4096)
def fault_of_term(term: str) -> str | None:
    """Tell why nobody can have a term, although it is well formed.

    Args:
        term: The term of a filter.

    Returns:
        What is wrong with it. None: its ontology has it, or is not listed here.
    """
    prefix, _, code = term.partition(":")
    if prefix not in ONTOLOGIES:
        return "is of no ontology known here"
    if is_no_term(term):
        return f"is no term of its ontology, {ONTOLOGIES[prefix][0]}"
    if prefix in ("ICD10", "ICD10CM") and not ICD10_CODE.fullmatch(code):
        return "is no code like C50 or C50.9; codes in a group are not searched"
    return None


def is_coarse(filters: Iterable[Filter]) -> bool:
    """Tell whether filters choose people by at most a sex and one term without similarity.

    Numbers, texts and similarities can be changed in small steps until the answer differs by one
    person. So can combinations of many terms.

    Args:
        filters: The filters of a request.
    """
    terms = set()
    for one in filters:
        if not isinstance(one, TermFilter) or one.similarity != "exact":
            return False
        terms.add(one.id)
    sexes = terms.intersection(SEX_TERMS.values())
    return len(sexes) <= 1 and len(terms - sexes) <= 1


def terms_of(filters: Iterable[Filter]) -> dict[str, bool]:
    """Return the terms of coarse filters.

    Args:
        filters: The filters of a request.

    Returns:
        Each term, and whether its descendants count too.
    """
    terms: dict[str, bool] = {}
    for one in filters:
        if isinstance(one, TermFilter):
            terms[one.id] = one.descendants and terms.get(one.id, True)
    return terms
