"""Filters of a request, and the people who pass all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pyroaring import BitMap

from rehearsal.stores.people_store import AGE, BIRTH_YEAR, ONSET, SEX_TERMS, PeopleStore
from rehearsal.web.problem import Problem, shown

MAX_FILTERS = 100
BIRTH_DECADE = "demographic.birthDecade:"
OPERATORS = ("=", "<", ">", "!", ">=", "<=")
CURIE = re.compile(r"[A-Za-z][A-Za-z0-9_.]*:[^\s:%]+")

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

# short names of number fields, beside their identifiers and labels
FIELD_NAMES = {
    "age": AGE,
    "birthyear": BIRTH_YEAR,
    "ageofonset": ONSET,
    "diseases.ageofonset.iso8601duration": ONSET,
    "diseases.ageofonset": ONSET,
    "ldl": "LOINC:13457-7",
    "bmi": "LOINC:39156-5",
    "height": "LOINC:8302-2",
    "weight": "LOINC:29463-7",
}
# fields with text: the label of a term of this kind
TEXT_FIELDS = {
    "sex": "sex",
    "sex.label": "sex",
    "disease": "disease",
    "diseases.diseasecode.label": "disease",
    "phenotype": "feature",
    "phenotypicfeatures.featuretype.label": "feature",
}
# Lin similarity of at least so much: a parent and child reach 0.57, sisters 0.45, strangers 0.17
SIMILARITY = {"high": 0.5, "medium": 0.35, "low": 0.2}
SCOPES = frozenset(
    {"individual", "individuals", "biosample", "biosamples", "run", "runs", "analysis", "analyses"}
)


@dataclass(frozen=True, slots=True)
class TermFilter:
    """People who have a term, or by default one that is more special."""

    id: str
    descendants: bool = True
    similarity: Literal["exact", "high", "medium", "low"] = "exact"

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True)
class ValueFilter:
    """People whose value of a field stands in this relation to ``value``."""

    id: str
    operator: str
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


def parse_filters(given: Any) -> tuple[Filter, ...]:
    """The filters of a POST body (objects or identifiers) or of a GET (comma-separated).

    Raises Problem for anything that is neither a term nor a comparison.
    """
    if given is None:
        return ()
    if isinstance(given, str):
        given = [item for item in given.split(",") if item]
    if not isinstance(given, list):
        raise Problem("filters: a list")
    if len(given) > MAX_FILTERS:
        raise Problem(f"filters: at most {MAX_FILTERS}, not {len(given)}")
    return tuple(_one(item) for item in given)


def _one(item: Any) -> Filter:
    if isinstance(item, str):
        match = re.fullmatch(r"([\w.:-]+?)(>=|<=|=|<|>|!)(.+)", item)
        item = (
            dict(zip(("id", "operator", "value"), match.groups(), strict=True))
            if match
            else {"id": item}
        )
    if not isinstance(item, Mapping):
        raise Problem(f"filters: an object or an identifier, not {shown(item)}")
    identifier = item.get("id")
    if not isinstance(identifier, str) or not 0 < len(identifier) <= 200:
        raise Problem(f"filters: id must be a text, not {shown(identifier)}")
    scope = item.get("scope")
    if scope is not None and scope not in SCOPES:
        raise Problem(
            f"filter {shown(identifier)}: scope {shown(scope)} is none of "
            f"{', '.join(sorted(SCOPES))}"
        )
    if "operator" in item or "value" in item:
        _known_keys(identifier, item, {"id", "operator", "value", "scope"})
        return _value_filter(identifier, item)
    if identifier.startswith(BIRTH_DECADE):
        _known_keys(identifier, item, {"id", "scope"})
        return _custom_filter(identifier)
    _known_keys(identifier, item, {"id", "includeDescendantTerms", "similarity", "scope"})
    return _term_filter(identifier, item)


def _known_keys(identifier: str, item: Mapping[str, Any], known: set[str]) -> None:
    strangers = set(item) - known
    if strangers:
        raise Problem(
            f"filter {shown(identifier)}: unknown {', '.join(sorted(map(str, strangers)))}"
        )


def _term_filter(identifier: str, item: Mapping[str, Any]) -> TermFilter:
    if not CURIE.fullmatch(identifier):
        raise Problem(f"filter {shown(identifier)} is no term (PREFIX:CODE) and no comparison")
    prefix = identifier.partition(":")[0]
    if prefix not in ONTOLOGIES:
        raise Problem(
            f"filter {shown(identifier)}: unknown ontology; known are {', '.join(ONTOLOGIES)}"
        )
    descendants = item.get("includeDescendantTerms", True)
    similarity = item.get("similarity", "exact")
    if not isinstance(descendants, bool):
        raise Problem(f"filter {shown(identifier)}: includeDescendantTerms: true or false")
    if similarity != "exact" and similarity not in SIMILARITY:
        raise Problem(f"filter {shown(identifier)}: similarity: exact, high, medium or low")
    return TermFilter(identifier, descendants, similarity)


def _custom_filter(identifier: str) -> CustomFilter:
    decade = identifier.removeprefix(BIRTH_DECADE)
    if not re.fullmatch(r"(1[89]|20)\d0", decade, re.ASCII):
        raise Problem(f"filter {shown(identifier)}: a decade like {BIRTH_DECADE}1950")
    return CustomFilter(int(decade))


def _value_filter(identifier: str, item: Mapping[str, Any]) -> ValueFilter:
    operator, value = item.get("operator", "="), item.get("value")
    if operator not in OPERATORS:
        raise Problem(
            f"filter {shown(identifier)}: operator {shown(operator)} is none of "
            f"{' '.join(OPERATORS)}"
        )
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{value:.15g}"
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise Problem(f"filter {shown(identifier)}: value must be a text or a number")
    return ValueFilter(identifier, operator, value)


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


def people_passing(filters: Iterable[Filter], people: PeopleStore) -> BitMap | None:
    """Those who pass all filters; None, for everybody, when there are no filters."""
    found: BitMap | None = None
    for one in filters:
        match one:
            case TermFilter():
                passing = _with_term(one, people)
            case CustomFilter(decade):
                passing = born_in(decade, people)
            case ValueFilter():
                passing = _with_value(one, people)
        found = passing if found is None else found & passing
    return found


def born_in(decade: int, people: PeopleStore) -> BitMap:
    """The people born in the ten years from ``decade`` on."""
    if BIRTH_YEAR not in people.numbers:
        return BitMap()
    since = people.with_number(BIRTH_YEAR, ">=", decade)
    return since & people.with_number(BIRTH_YEAR, "<", decade + 10)


def _with_term(one: TermFilter, people: PeopleStore) -> BitMap:
    found = people.with_term(one.id, one.descendants)
    if one.similarity == "exact":
        return found
    alike = people.like(one.id, SIMILARITY[one.similarity])
    return BitMap.union(found, *(people.with_term(term, one.descendants) for term in alike))


def _with_value(one: ValueFilter, people: PeopleStore) -> BitMap:
    kind = TEXT_FIELDS.get(one.id.lower())
    if kind is not None:
        return _with_text(one, kind, people)
    field = _number_field(one.id, people)
    if field is None:
        raise Problem(
            f"filter {shown(one.id)}: unknown field; known are "
            f"{', '.join((*people.numbers, *TEXT_FIELDS))}"
        )
    number = _number(one)
    return people.with_number(field, one.operator, number) if field in people.numbers else BitMap()


def _number_field(identifier: str, people: PeopleStore) -> str | None:
    """The field with this identifier, short name or label; a known code may have no values here."""
    field = FIELD_NAMES.get(identifier.lower(), identifier)
    if field in people.numbers:
        return field
    for number_field in people.numbers.values():
        if number_field.label.lower() == identifier.lower():
            return number_field.id
    # a code that nobody here has a value of, or the onset of a disease that nobody here has
    known = field in FIELD_NAMES.values() or field.partition(":")[0] in (*ONTOLOGIES, ONSET)
    return field if known else None


def _number(one: ValueFilter) -> float:
    """A number, or an ISO 8601 duration of years and months in years."""
    duration = re.fullmatch(r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?", one.value)
    if duration:
        years, months = (int(part or 0) for part in duration.groups())
        return years + months / 12
    if re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,15})?([eE][+-]?\d{1,2})?", one.value, re.ASCII):
        return float(one.value)
    raise Problem(
        f"filter {shown(one.id)}: value {shown(one.value)} is no number and no duration like P70Y"
    )


def _with_text(one: ValueFilter, kind: str, people: PeopleStore) -> BitMap:
    """``%`` stands for any text; upper and lower case are the same."""
    if one.operator not in "=!":
        raise Problem(f"filter {shown(one.id)}: text is compared by = or !")
    pattern = one.value.lower()
    matching = (
        people.with_term(term.id, descendants=False)
        for term in people.terms.values()
        if term.kind == kind and is_like(term.label.lower(), pattern)
    )
    found = BitMap.union(BitMap(), *matching)
    return people.everyone - found if one.operator == "!" else found


def is_like(value: str, pattern: str) -> bool:
    """Whether the value has the pattern's form, ``%`` being any text. Linear, unlike a regex."""
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
