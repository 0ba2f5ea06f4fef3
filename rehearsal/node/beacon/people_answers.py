"""Answers about people and what belongs to them: whether there are any, how many, and a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.node.beacon.dataset_choice import DatasetGroup
from rehearsal.node.beacon.filters import terms_of
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_records import RECORDS
from rehearsal.node.beacon.people_search import intersection
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.result import Record, ResultSet, sets_without_records
from rehearsal.node.beacon.variant_queries import VariantQuery
from rehearsal.node.beacon.variant_search import search_even_uncarried, search_variants
from rehearsal.stores.people_store import SAMPLES

if TYPE_CHECKING:
    from rehearsal.node.privacy.protected_answers import Protector


def answer_people(
    question: Question, people: BitMap | None, group: DatasetGroup, node_data: NodeData
) -> list[ResultSet]:
    """What each dataset of a group answers about some of the people, or about their samples.

    ``people``: None for everybody. Raises Problem for a gene that the node does not know.
    """
    people = _with_sample(question.entry_type, people, node_data)
    if group.protector is not None and group.granularity != "record":
        return _answer_protected(question, people, group, group.protector, node_data)
    found = node_data.people.everyone if people is None else people
    query = question.variants()
    if query is None:
        count = len(found)
    elif group.granularity == "count":  # without making the set
        count = found.intersection_cardinality(carriers(query, node_data))
    else:
        found = found & carriers(query, node_data)
        count = len(found)
    if group.granularity == "boolean":
        return sets_without_records(group.datasets, count > 0, None)
    shown = _records(question, found, node_data) if group.granularity == "record" else []
    return [ResultSet(one.id, count > 0, count, shown, group.granularity) for one in group.datasets]


def _with_sample(entry_type: str, people: BitMap | None, node_data: NodeData) -> BitMap | None:
    """Those of the people who have what is asked for: not everybody has a sample of each kind."""
    if entry_type not in SAMPLES:
        return people
    sampled = node_data.people.with_sample(entry_type)
    return people if len(sampled) == node_data.people.size else intersection(people, sampled)


def _answer_protected(
    question: Question,
    people: BitMap | None,
    group: DatasetGroup,
    protector: Protector,
    node_data: NodeData,
) -> list[ResultSet]:
    counted = group.granularity == "count"
    everyone, permitted = node_data.people.everyone, question.rights.permitted
    query = question.variants()
    if query is None:
        found = everyone if people is None else people
        among = len(everyone if permitted is None else permitted)
        answer = protector.people(found, terms_of(question.request.filters), among, counted)
    else:
        rows, is_named = search_even_uncarried(query, node_data)
        answer = protector.carriers(rows, people, counted and is_named)
    return sets_without_records(group.datasets, answer.exists, answer.count)


def _records(question: Question, found: BitMap, node_data: NodeData) -> list[Record]:
    """A page of the records of those who were found."""
    make_record, first = RECORDS[question.entry_type], question.request.first
    page = found[first : first + question.request.limit]
    return [make_record(position, node_data, question.rights.excluded) for position in page]


def carriers(query: VariantQuery, node_data: NodeData) -> BitMap:
    """Everybody who carries any of the variants that a query asks for."""
    return BitMap.union(BitMap(), *(row.carriers() for row in search_variants(query, node_data)))
