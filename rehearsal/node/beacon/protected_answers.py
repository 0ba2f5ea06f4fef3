"""Answers of datasets to protected tiers: everything passes the door."""

from __future__ import annotations

from pyroaring import BitMap

from rehearsal.node.beacon.canonical_queries import canonical_query, names_one_allele
from rehearsal.node.beacon.dataset_choice import DatasetGroup
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_search import intersection, people_passing
from rehearsal.node.beacon.protected_questions import (
    counted_sample,
    nobody_has,
    protected_question,
)
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.result import Record, ResultSet, sets_without_records
from rehearsal.node.beacon.variant_queries import VariantQuery
from rehearsal.node.beacon.variant_search import search_variants
from rehearsal.node.privacy.door import Door
from rehearsal.node.privacy.public_facts import PublicFacts


def answer_protected(
    question: Question, group: DatasetGroup, door: Door, node_data: NodeData
) -> tuple[list[ResultSet], Record]:
    """Compute the protected answer of each dataset of a group.

    Variants are counted only where the query names one: their number among several would depend on
    single people.

    Args:
        question: The query.
        group: The datasets.
        door: The tier's door to the node's data.
        node_data: The data that the datasets answer from.

    Returns:
        One result set per dataset, and how the answer came about.

    Raises:
        Problem: A gene is not in the node's table (400), no budget pays for the answer (403), or
            the ledger cannot be written (503).
    """
    facts, sets = door.facts, group.datasets
    if nobody_has(question, node_data):
        count = None if group.granularity == "boolean" else 0
        return sets_without_records(sets, False, count), {"basis": "public facts"}
    query = canonical_query(question.variants(), node_data, facts)
    protected = protected_question(question, query, sets[0], facts, node_data)
    of_variants = question.entry_type == "g_variants"
    counted = group.granularity == "count" and not of_variants
    found = door.answer(
        protected,
        counted,
        question.caller,
        lambda: _count(question, query, group, node_data, facts),
    )
    count = found.count
    if of_variants and group.granularity == "count" and names_one_allele(query):
        count = int(found.exists)
    told: Record = {"basis": found.basis}
    if found.basis != "public facts":
        told["standardDeviation"] = round(door.mechanism.deviation, 1)
    return sets_without_records(sets, found.exists, count), told


def _count(
    question: Question,
    query: VariantQuery | None,
    group: DatasetGroup,
    node_data: NodeData,
    facts: PublicFacts,
) -> int:
    """Count the people who match. Called by the door, for a price."""
    people = intersection(
        people_passing(question.request.filters, node_data.people),
        question.rights.permitted,
        group.members,
    )
    if sample := counted_sample(question.entry_type, facts, node_data):
        people = intersection(people, node_data.people.with_sample(sample))
    found = node_data.people.everyone if people is None else people
    if query is None:
        return len(found)
    rows = search_variants(query, node_data)
    return found.intersection_cardinality(BitMap.union(BitMap(), *(one.carriers() for one in rows)))
