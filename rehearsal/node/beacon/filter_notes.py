"""Notes on filters that are well formed, but of which the caller is told nothing here.

They follow from what ``/filtering_terms`` lists for the caller: from public facts for protected
tiers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.filters import (
    ONTOLOGIES,
    TEXT_FIELDS,
    CustomFilter,
    Filter,
    TermFilter,
    ValueFilter,
    seldom_used,
)
from rehearsal.node.beacon.info_endpoints import terms_for
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_search import born_in, number_field, terms_like
from rehearsal.stores.people_store import PeopleStore


def notes_on_filters(
    filters: tuple[Filter, ...], node_data: NodeData, rights: Rights
) -> Iterator[str]:
    """Yield notes on filters that find nobody, as /filtering_terms lists nothing for them.

    Args:
        filters: The filters of a request.
        node_data: The node's data.
        rights: What the caller may see.
    """
    yield from _on_ontologies(seldom_used(filters), node_data, rights)
    dataset = node_data.settings.people_dataset
    comparisons = [one for one in filters if not isinstance(one, TermFilter)]
    if not comparisons or not rights.sees(dataset) or dataset in rights.doors:
        return  # callers without exact answers may not compare
    people = node_data.people
    among = people.everyone - rights.excluded
    for one in comparisons:
        if unlisted := _unlisted(one, people, among):
            yield f"filters: {unlisted} that /filtering_terms lists"


def _on_ontologies(seldom: Iterable[str], node_data: NodeData, rights: Rights) -> Iterator[str]:
    """Yield notes on terms of ontologies of which the caller is told no term."""
    used = {one.id.partition(":")[0] for one in terms_for(node_data, rights)} if seldom else set()
    for one in seldom:
        prefix = one.partition(":")[0]
        if prefix not in used:
            name = ONTOLOGIES[prefix][0]
            yield f"filters: {one} is of {name}, of which /filtering_terms lists no term"


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
