"""Notes on filters that are well formed, but of which the caller is told nothing here.

They follow from what ``/filtering_terms`` lists for the caller: from public facts for protected
tiers.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator

from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.filters import (
    ONTOLOGIES,
    SELDOM_USED,
    TEXT_FIELDS,
    CustomFilter,
    Filter,
    TermFilter,
    ValueFilter,
    fault_of_term,
)
from rehearsal.node.beacon.info_endpoints import terms_for
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_search import SIMILARITY, born_in, number_field, terms_like
from rehearsal.stores.people_store import PeopleStore

_SEXES = frozenset(SEX_TERMS.values())


def notes_on_filters(
    filters: tuple[Filter, ...], node_data: NodeData, rights: Rights
) -> Iterator[str]:
    """Yield notes on filters that find nobody, as /filtering_terms lists nothing for them.

    Args:
        filters: The filters of a request.
        node_data: The node's data.
        rights: What the caller may see.
    """
    yield from _on_ontologies(filters, node_data, rights)
    dataset = node_data.settings.people_dataset
    if not rights.sees(dataset) or dataset in rights.doors:
        return  # callers without exact answers may not compare
    for one in filters:
        if note := _on_comparison(one, node_data.people, rights):
            yield f"filters: {note}"


def _on_comparison(one: Filter, people: PeopleStore, rights: Rights) -> str:
    """Say what a comparison or a similarity has nobody for. Empty if it has somebody."""
    if not isinstance(one, TermFilter):
        unlisted = _unlisted(one, people, people.everyone - rights.excluded)
        return f"{unlisted} that /filtering_terms lists" if unlisted else ""
    if one.similarity == "exact" or people.like(one.id, SIMILARITY[one.similarity]):
        return ""
    return f"similarity: no term that is so similar to {one.id} is known here"


def _on_ontologies(
    filters: tuple[Filter, ...], node_data: NodeData, rights: Rights
) -> Iterator[str]:
    """Yield notes on terms of ontologies of which the caller is told no term."""
    terms = [one.id for one in filters if isinstance(one, TermFilter)]
    asked = [one for one in terms if one not in _SEXES and not fault_of_term(one)]
    if not asked:
        return
    used = _ontologies_told(asked, node_data, rights)
    for one in asked:
        prefix = one.partition(":")[0]
        if prefix not in used:
            name = ONTOLOGIES[prefix][0]
            yield f"filters: {one} is of {name}, of which /filtering_terms lists no term"


def _ontologies_told(asked: list[str], node_data: NodeData, rights: Rights) -> Collection[str]:
    """Return prefixes of the terms that a caller is told of; for exact answers, all but seldom."""
    door = rights.doors.get(node_data.settings.people_dataset)
    if door is not None:
        return door.facts.ontologies
    seldom = not SELDOM_USED.isdisjoint(one.partition(":")[0] for one in asked)
    if seldom or not rights.sees(node_data.settings.people_dataset):
        return {one.id.partition(":")[0] for one in terms_for(node_data, rights)}
    return node_data.people.ontologies


def _unlisted(one: ValueFilter | CustomFilter, people: PeopleStore, among: BitMap) -> str:
    """Say what a filter names that nobody among some people has. Empty if somebody has it."""
    if isinstance(one, CustomFilter):
        return "" if born_in(one.decade, people).intersect(among) else f"{one} is no decade"
    kind = TEXT_FIELDS.get(one.id.lower())
    if kind is not None:
        having = (people.with_term(term, False) for term in terms_like(one.value, kind, people))
        is_listed = any(found.intersect(among) for found in having)
        return "" if is_listed else f"{shown(one.value)} is no label of {one.id}"
    field = number_field(one.id, people)
    if field is None:  # refused by the search
        return ""
    values = people.with_number(field, ">=", -math.inf) if field in people.numbers else BitMap()
    return "" if values.intersect(among) else f"{one.id} is no field with numbers"
