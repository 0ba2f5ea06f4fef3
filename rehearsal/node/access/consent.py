"""Whether a person's consent permits the purpose of a request, in Data Use Ontology terms.

A person permits some uses: no restriction (DUO:0000004), general research (42), health research
(06), research into one disease (07 with a MONDO term), research into origins or ancestry (11),
clinical care (43). A permission for a disease also covers its subtypes. A permission may carry
conditions, for example not-for-profit use only. A request must state that it keeps each condition.
DUO terms unknown to this module count as conditions, so an unknown term always restricts.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.node.access.settings import CLINICAL_CARE
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.stores.ontology import MondoHierarchy
from rehearsal.stores.people_store import PeopleStore
from rehearsal.web.problem import Problem

HEADER_NAME = "X-Rehearsal-Purpose"
HEADER = HEADER_NAME.lower()

ANYTHING = "DUO:0000004"  # NRES, no restriction
GENERAL_RESEARCH = "DUO:0000042"  # GRU
HEALTH = "DUO:0000006"  # HMB, health, medical or biomedical research
DISEASE = "DUO:0000007"  # DS
ANCESTRY = "DUO:0000011"  # POA
NO_ANCESTRY = "DUO:0000044"  # NPOA

# permissions that cover a purpose; a person needs one of them
COVERED_BY = {
    GENERAL_RESEARCH: {ANYTHING, GENERAL_RESEARCH},
    HEALTH: {ANYTHING, GENERAL_RESEARCH, HEALTH},
    DISEASE: {ANYTHING, GENERAL_RESEARCH, HEALTH},  # or the disease itself, or its ancestor term
    ANCESTRY: {ANYTHING, GENERAL_RESEARCH, ANCESTRY},
    CLINICAL_CARE: {ANYTHING, CLINICAL_CARE},
}
PERMISSIONS = frozenset({ANYTHING, GENERAL_RESEARCH, HEALTH, DISEASE, ANCESTRY, CLINICAL_CARE})
# what a condition demands of organisation (45, NPU) and of use (46, NCU). By its definition in DUO,
# 18 (NPUNCU) demands both: neither of the others keeps it alone, both together do.
DEMANDED_BY = {"DUO:0000018": frozenset({"DUO:0000045", "DUO:0000046"})}
MAX_STATED = 500  # characters
MOST_SETS = 64  # of excluded people that are kept
TERM = re.compile(r"(DUO:\d{7})(?: (MONDO:\d{7}))?")


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request is for, and the conditions it promises to keep."""

    term: str  # DUO term of the use
    disease: str | None = None  # MONDO term, with DUO:0000007 only
    keeps: frozenset[str] = frozenset()  # DUO terms of the conditions

    def __str__(self) -> str:
        first = self.term if self.disease is None else f"{self.term} {self.disease}"
        return ", ".join((first, *sorted(self.keeps)))


def read_purpose(text: str | None) -> Purpose | None:
    """Read the purpose stated in a request's header.

    Args:
        text: The header's value: ``DUO:0000006`` or ``DUO:0000007 MONDO:0007254``, followed by the
            conditions that are kept, each after a comma. None without the header.

    Returns:
        The purpose, or None when none is stated.

    Raises:
        Problem: The value is malformed (400).
    """
    if text is None or not text.strip():
        return None
    (term, disease), *conditions = _read_terms(text)
    _check_use(term, disease)
    keeps = frozenset(condition for condition, _ in conditions)
    if any(of_disease for _, of_disease in conditions) or keeps & PERMISSIONS:
        raise Problem.mismatch(
            HEADER_NAME, "one use, followed by conditions only", "a use after the first comma"
        )
    return Purpose(term, disease, keeps)


def _read_terms(text: str) -> list[tuple[str, str | None]]:
    """Split a header into DUO terms, each with its MONDO term or None. There is at least one."""
    parts = [part.strip() for part in text.split(",")] if len(text) <= MAX_STATED else []
    matches = [match for part in parts if (match := TERM.fullmatch(part))]
    if not matches or len(matches) < len(parts):
        raise Problem.mismatch(
            HEADER_NAME, "DUO terms, as DUO:0000006 or DUO:0000007 MONDO:0007254", shown(text)
        )
    return [(match[1], match[2]) for match in matches]


def _check_use(term: str, disease: str | None) -> None:
    if term not in COVERED_BY:
        raise Problem.mismatch(HEADER_NAME, f"one of {', '.join(COVERED_BY)}", shown(term))
    if (term == DISEASE) != (disease is not None):
        found = f"{term} without a MONDO term" if disease is None else f"{term} {disease}"
        raise Problem.mismatch(
            HEADER_NAME, f"a MONDO term with {DISEASE} and with no other use", found
        )


def permits(uses: Iterable[str], purpose: Purpose | None) -> bool:
    """Tell whether the uses that a person permits cover a purpose.

    Args:
        uses: DUO terms, a disease's as ``DUO:0000007 MONDO:0007254``.
        purpose: What the request is for. None, an unstated purpose, may be anything, so only a
            permission without restriction covers it.

    Returns:
        Whether a permission covers the purpose and every condition is kept.
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
    """Find the people whose consent does not permit a purpose or was withdrawn.

    Args:
        people: The node's people, with their consents.
        purpose: What the request is for, or None.
        without_record: Whether to include people without a consent record.

    Returns:
        Numbers of these people.
    """
    found, recorded = BitMap(), BitMap()
    for record in people.consents():
        recorded |= record.people
        if record.withdrawn or not permits(record.uses, purpose):
            found |= record.people
    return found | (people.everyone - recorded) if without_record else found


def public_share_permitting(
    facts: PublicFacts, purpose: Purpose | None, without_record: bool = True
) -> float | None:
    """Sum up the public share of people whose consent permits a purpose.

    Args:
        facts: The node's public facts.
        purpose: What the request is for, or None.
        without_record: Whether people without a consent record are left out.

    Returns:
        The share. None if nothing is public about consent.
    """
    records = list(facts.consents())
    if not records:
        return None
    permitted = sum(
        share for uses, withdrawn, share in records if permits(uses, purpose) and not withdrawn
    )
    if not without_record:
        permitted += 1 - sum(share for _, _, share in records)
    return min(1.0, permitted)


@lru_cache(maxsize=1000)
def _of_diseases(disease: str | None) -> frozenset[str]:
    """Return the permissions for a disease and for all its ancestor terms."""
    terms = () if disease is None else (disease, *MondoHierarchy().ancestors(disease))
    return frozenset(f"{DISEASE} {term}" for term in terms)


def _is_kept(condition: str, purpose: Purpose) -> bool:
    promised = frozenset[str]().union(*map(_demands, purpose.keeps))
    return _demands(condition) <= promised


def _demands(condition: str) -> frozenset[str]:
    return DEMANDED_BY.get(condition, frozenset({condition}))


class SharedPeople:
    """Keeps equal sets of people as one object.

    Callers may state any number of purposes, and most of these exclude the same people. What is
    remembered of a purpose then takes no memory for its people.

    Args:
        people: The node's people.
    """

    def __init__(self, people: PeopleStore) -> None:
        self._people = people
        self._pairs: OrderedDict[bytes, tuple[BitMap, BitMap | None]] = OrderedDict()

    def of(self, excluded: BitMap) -> tuple[BitMap, BitMap | None]:
        """Return a set of excluded people, and the other people of the node.

        Args:
            excluded: Numbers of the excluded people.

        Returns:
            An equal set, and all others; None for all others when nobody is excluded.
        """
        key = blake2b(excluded.serialize()).digest()
        pair = self._pairs.get(key)
        if pair is None:
            pair = excluded, self._people.everyone - excluded if excluded else None
            self._pairs[key] = pair
            if len(self._pairs) > MOST_SETS:
                self._pairs.popitem(last=False)
        return pair
