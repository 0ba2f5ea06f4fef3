"""Whether a person's consent permits the purpose of a request, in terms of the Data Use Ontology.

A person permits some uses: no restriction (DUO:0000004), general research (42), research into
health (06), into one disease (07 with a MONDO term), into origins or ancestry (11), clinical care
(43). A permission for a disease covers research into one that is a kind of
it. A permission may come with conditions (not-for-profit use only, say): a request must state
that it keeps each of them. Terms that are not known here are conditions too: what is not
understood restricts.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, lru_cache

from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.node.access.settings import CLINICAL_CARE
from rehearsal.phenotypes import mondo
from rehearsal.stores.people_store import PeopleStore
from rehearsal.web.problem import Problem

HEADER = "x-rehearsal-purpose"

ANYTHING = "DUO:0000004"  # NRES, no restriction
GENERAL_RESEARCH = "DUO:0000042"  # GRU
HEALTH = "DUO:0000006"  # HMB, health, medical or biomedical research
DISEASE = "DUO:0000007"  # DS
ANCESTRY = "DUO:0000011"  # POA
NO_ANCESTRY = "DUO:0000044"  # NPOA

# the permissions that cover a purpose, whichever of them a person gave
COVERED_BY = {
    GENERAL_RESEARCH: {ANYTHING, GENERAL_RESEARCH},
    HEALTH: {ANYTHING, GENERAL_RESEARCH, HEALTH},
    DISEASE: {ANYTHING, GENERAL_RESEARCH, HEALTH},  # or the disease, or one above it
    ANCESTRY: {ANYTHING, GENERAL_RESEARCH, ANCESTRY},
    CLINICAL_CARE: {ANYTHING, CLINICAL_CARE},
}
PERMISSIONS = frozenset({ANYTHING, GENERAL_RESEARCH, HEALTH, DISEASE, ANCESTRY, CLINICAL_CARE})
# commercial and for-profit use: a request that keeps the stricter condition keeps the others
KEPT_BY = {
    "DUO:0000045": {"DUO:0000045", "DUO:0000018"},  # NPU, not-for-profit organisations only
    "DUO:0000046": {"DUO:0000046", "DUO:0000018"},  # NCU, non-commercial use only
}
MAX_STATED = 500  # characters
TERM = re.compile(r"(DUO:\d{7})(?: (MONDO:\d{7}))?")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request says it is for, and the conditions that it says it keeps."""

    term: str
    disease: str | None = None
    keeps: frozenset[str] = frozenset()

    def __str__(self) -> str:
        first = self.term if self.disease is None else f"{self.term} {self.disease}"
        return ", ".join((first, *sorted(self.keeps)))


def read_purpose(text: str | None) -> Purpose | None:
    """The purpose that a header states: ``DUO:0000006``, ``DUO:0000007 MONDO:0007254``, further
    terms after commas: conditions that are kept. None for no header. Raises Problem.
    """
    if text is None or not text.strip():
        return None
    (term, disease), *conditions = _read_terms(text)
    _check_use(term, disease)
    keeps = frozenset(condition for condition, _ in conditions)
    if any(of_disease for _, of_disease in conditions) or keeps & PERMISSIONS:
        raise Problem("purpose: one use; the terms after it are conditions that are kept")
    return Purpose(term, disease, keeps)


def _read_terms(text: str) -> list[tuple[str, str | None]]:
    """Each DUO term of a header with its MONDO term, at least one."""
    parts = [part.strip() for part in text.split(",")] if len(text) <= MAX_STATED else []
    matches = [match for part in parts if (match := TERM.fullmatch(part))]
    if not matches or len(matches) < len(parts):
        raise Problem(f"purpose {shown(text)}: like DUO:0000006, or DUO:0000007 MONDO:0007254")
    return [(match[1], match[2]) for match in matches]


def _check_use(term: str, disease: str | None) -> None:
    if term not in COVERED_BY:
        raise Problem(f"purpose {shown(term)}: one of {', '.join(COVERED_BY)}")
    if (term == DISEASE) != (disease is not None):
        raise Problem(f"purpose: a MONDO term with {DISEASE}, and with no other")


def permits(uses: Iterable[str], purpose: Purpose | None) -> bool:
    """Whether the uses that a person permits cover a purpose.

    ``uses``: DUO terms, that of a disease as ``DUO:0000007 MONDO:0007254``. None, a purpose that
    was not stated, may be anything: only a permission without any restriction covers it.
    """
    given = set(uses)
    granted = {use for use in given if use.partition(" ")[0] in PERMISSIONS}
    conditions = given - granted
    if purpose is None:
        return granted >= {ANYTHING} and not conditions
    if not granted & (COVERED_BY[purpose.term] | _of_diseases(purpose.disease)):
        return False
    if purpose.term == ANCESTRY and NO_ANCESTRY in conditions:
        return False
    return all(_is_kept(condition, purpose) for condition in conditions - {NO_ANCESTRY})


def people_not_permitting(
    people: PeopleStore, purpose: Purpose | None, without_record: bool = True
) -> BitMap:
    """Numbers of the people whose consent does not permit a purpose, or who withdrew it.

    ``without_record``: whether those without a consent record are among them.
    """
    found, recorded = BitMap(), BitMap()
    for record in people.consents():
        recorded |= record.people
        if record.withdrawn or not permits(record.uses, purpose):
            found |= record.people
    return found | (people.everyone - recorded) if without_record else found


@lru_cache(maxsize=1000)
def _of_diseases(disease: str | None) -> frozenset[str]:
    """The permissions that are for a disease, or for one that it is a kind of."""
    kinds, found = _kinds(), set()
    waiting = [] if disease is None else [disease]
    while waiting:
        term = waiting.pop()
        if term not in found:
            found.add(term)
            waiting += kinds.get(term, ())
    return frozenset(f"{DISEASE} {term}" for term in found)


@cache
def _kinds() -> dict[str, list[str]]:
    """What each disease is a kind of, as far as the table knows."""
    kinds: dict[str, list[str]] = {}
    with mondo.IS_A.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            kinds.setdefault(row["term"], []).append(row["parent"])
    return kinds


def _is_kept(condition: str, purpose: Purpose) -> bool:
    return bool(KEPT_BY.get(condition, {condition}) & purpose.keeps)
