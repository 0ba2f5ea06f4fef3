"""Answers about people and their samples: whether there are matches, how many, and a page."""

from __future__ import annotations

from pyroaring import BitMap

from rehearsal.node.beacon.allele_source import AlleleSource
from rehearsal.node.beacon.dataset_choice import DatasetGroup
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_records import RECORDS
from rehearsal.node.beacon.people_search import intersection
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.result import Record, ResultSet, sets_without_records
from rehearsal.node.beacon.scan_limit import check_page, limited_alleles
from rehearsal.node.beacon.variant_queries import VariantQuery
from rehearsal.node.beacon.variant_search import search_variants
from rehearsal.stores.people_store import SAMPLES


def answer_people(
    question: Question, people: BitMap | None, group: DatasetGroup, node_data: NodeData
) -> list[ResultSet]:
    """Compute the answer of each dataset of a group about people or their samples.

    Args:
        question: The query.
        people: Numbers of the people considered. None stands for everybody.
        group: The datasets.
        node_data: The data that the datasets answer from.

    Returns:
        One result set per dataset.

    Raises:
        Problem: A gene is not in the node's table, or the answer takes too much work without a
            grant (400).
    """
    people = _with_sample(question.entry_type, people, node_data)
    found = node_data.people.everyone if people is None else people
    query = question.variants()
    datasets = [one.id for one in group.datasets]
    alleles = limited_alleles(question, datasets, node_data)
    if query is None:
        count = len(found)
    elif group.granularity == "count":  # avoids building the set
        count = found.intersection_cardinality(carriers(query, node_data, alleles))
    else:
        found = found & carriers(query, node_data, alleles)
        count = len(found)
    if group.granularity == "boolean":
        return sets_without_records(group.datasets, count > 0, None)
    shown: list[Record] = []
    if group.granularity == "record":
        page = found[question.request.first : question.request.first + question.request.limit]
        check_page(question, datasets, len(page))
        shown = _records(question, page, node_data)
    return [ResultSet(one.id, count > 0, count, shown, group.granularity) for one in group.datasets]


def _with_sample(entry_type: str, people: BitMap | None, node_data: NodeData) -> BitMap | None:
    """Return the people who have a sample, run or analysis, when that is queried."""
    if entry_type not in SAMPLES:
        return people
    sampled = node_data.people.with_sample(entry_type)
    return people if len(sampled) == node_data.people.size else intersection(people, sampled)


def _records(question: Question, page: BitMap, node_data: NodeData) -> list[Record]:
    """Build the records of the people of a page."""
    make_record = RECORDS[question.entry_type]
    return [make_record(position, node_data, question.rights.excluded) for position in page]


def carriers(query: VariantQuery, node_data: NodeData, alleles: AlleleSource) -> BitMap:
    """Find all carriers of any variant that matches a query.

    Args:
        query: The query.
        node_data: The node's data.
        alleles: The node's variants.

    Returns:
        Numbers of the carriers.
    """
    rows = search_variants(query, node_data, alleles)
    return BitMap.union(BitMap(), *(row.carriers() for row in rows))
