"""Answers to queries for entries: whether there are matches, how many, and a page of records.

Each dataset answers at the granularity that the caller's rights allow, with privacy protection
where they require it, and never about people whose consent does not permit the request's purpose.

Totals are of the whole answer, not of the page. The total of a request is the number of DIFFERENT
entries: a variant in two datasets counts once, while each dataset's result set has its own count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from rehearsal.node.access.consent import HEADER_NAME
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.allele_notation import without_padding
from rehearsal.node.beacon.dataset_choice import (
    DatasetGroup,
    choose_datasets,
    group_datasets,
)
from rehearsal.node.beacon.datasets import Dataset
from rehearsal.node.beacon.known_limits import known_no, limits_of_no, outside
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_answers import answer_people
from rehearsal.node.beacon.people_search import intersection, people_passing
from rehearsal.node.beacon.protected_answers import answer_protected
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.result import Record, Result, ResultSet
from rehearsal.node.beacon.variant_answers import answer_variants
from rehearsal.node.beacon.variant_queries import VariantQuery
from rehearsal.node.privacy.door import Refused

NO_PURPOSE = (
    f"{HEADER_NAME}: this request states no purpose, so that only people who permit any use count; "
    "with one, public facts may answer for nothing"
)


def answer(question: Question, node_data: NodeData) -> Result:
    """Compute the answers of all datasets of a query.

    Args:
        question: The query.
        node_data: The node's data.

    Returns:
        One result set per dataset that answers.

    Raises:
        Problem: The query is invalid (400), names an unknown dataset (404), is not allowed (401,
            403), or no privacy budget pays for the answer of a dataset and no other one has matches
            (403): their "no" would stand for the people of the dataset that refused.
    """
    query = question.variants()  # two variants are refused before an unknown dataset
    datasets = choose_datasets(question, node_data)
    groups = group_datasets(datasets, question, node_data)
    if told := _known_to_all(query, datasets, node_data):
        return _nobody(groups, node_data, told)
    if query is not None:
        question = question.asking(without_padding(query, node_data.reference))
    sets, privacy, refusal = _protected_answers(question, groups, node_data)
    sets |= _exact_answers(question, [one for one in groups if one.door is None], node_data)
    if refusal is not None and not any(one.exists for one in sets.values()):
        raise refusal
    found = [sets[one.id] for one in node_data.datasets if one.id in sets]
    return _with_warnings(Result(found, privacy), question, query, node_data)


def _with_warnings(
    result: Result, question: Question, query: VariantQuery | None, node_data: NodeData
) -> Result:
    limits = () if result.exists else limits_of_no(query, node_data)
    warnings = (*limits, *hints_on_purpose(question.rights, result.privacy))
    return replace(result, warnings=warnings) if warnings else result  # most have none


def _known_to_all(
    query: VariantQuery | None, datasets: list[Dataset], node_data: NodeData
) -> str | None:
    """Tell why nobody is found, where public facts say so. Tumours may be elsewhere."""
    told = known_no(query, node_data)
    if told is not None or any(one.kind == "tumours" for one in datasets):
        return told
    return outside(query, node_data)


def hints_on_purpose(rights: Rights, privacy: Mapping[str, Record]) -> Iterator[str]:
    """Yield what would make more of a protected answer free and certain.

    Args:
        rights: What the caller may see.
        privacy: How the protected answers came about, by dataset.
    """
    if rights.purpose is not None or rights.permitted_share in (None, 1.0):
        return
    if any(one.get("basis") != "public facts" for one in privacy.values()):
        yield NO_PURPOSE


def _nobody(groups: list[DatasetGroup], node_data: NodeData, told: str) -> Result:
    """Answer no to a query for what nobody can have: to everybody, for nothing."""
    sets: dict[str, ResultSet] = {}
    privacy: dict[str, Record] = {}
    for group in groups:
        count = None if group.granularity == "boolean" else 0
        for one in group.datasets:
            sets[one.id] = ResultSet(one.id, False, count, [], group.granularity)
            if group.door is not None:
                privacy[one.id] = {"basis": "public facts"}
    return Result([sets[one.id] for one in node_data.datasets if one.id in sets], privacy, (told,))


def _protected_answers(
    question: Question, groups: list[DatasetGroup], node_data: NodeData
) -> tuple[dict[str, ResultSet], dict[str, Record], Refused | None]:
    """Return result sets, how the answers came about, and a refusal if a dataset refused."""
    sets: dict[str, ResultSet] = {}
    privacy: dict[str, Record] = {}
    refusal: Refused | None = None
    for group in groups:
        if group.door is None:
            continue
        source = node_data.source_of(group.datasets[0])
        try:
            found, told = answer_protected(question, group, group.door, source)
        except Refused as problem:
            refusal, found, told = problem, [], {"refused": problem.message}
        sets.update((one.dataset, one) for one in found)
        privacy.update((one.id, told) for one in group.datasets)
    return sets, privacy, refusal


def _exact_answers(
    question: Question, groups: list[DatasetGroup], node_data: NodeData
) -> dict[str, ResultSet]:
    if not groups:
        return {}
    passing = people_passing(question.request.filters, node_data.people)
    people = intersection(passing, question.path.people, question.rights.permitted)
    answer_group = answer_variants if question.entry_type == "g_variants" else answer_people
    sets: dict[str, ResultSet] = {}
    for group in groups:
        among = intersection(people, group.members)
        source = node_data.source_of(group.datasets[0])
        found = answer_group(question, among, group, source)
        sets.update((one.dataset, one) for one in found)
    return sets
