"""The choice of datasets that answer a query, and their grouping."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.model import Granularity
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.datasets import Dataset
from rehearsal.node.beacon.filters import is_coarse
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.question import Question
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from rehearsal.node.privacy.door import Door


@dataclass(frozen=True, slots=True)
class DatasetGroup:
    """Datasets that are queried together, with the same people, granularity and protection."""

    datasets: list[Dataset]
    members: BitMap | None  # numbers of the people in them; None: everybody
    granularity: Granularity
    door: Door | None  # None: exact answers


def visible_dataset(identifier: str, rights: Rights, node_data: NodeData) -> Dataset:
    """Find a dataset that the caller may see.

    Args:
        identifier: Dataset identifier.
        rights: What the caller may see.
        node_data: The node's data.

    Returns:
        The dataset.

    Raises:
        Problem: There is no such dataset, or the caller may not see it (404, with the same
            message).
    """
    dataset = node_data.dataset(identifier)
    if not rights.sees(dataset.id):
        raise node_data.unknown_dataset(identifier)
    return dataset


def _usual(test_mode: bool, node_data: NodeData) -> list[Dataset]:
    kinds = ("tests",) if test_mode else ("frequencies", "people")
    return [one for one in node_data.datasets if one.kind in kinds]


def choose_datasets(question: Question, node_data: NodeData) -> list[Dataset]:
    """Choose the datasets that answer a query.

    A protected dataset does not answer queries with filters that can find single people, because
    its answer would reveal whether one more person passes them.

    Args:
        question: The query.
        node_data: The node's data.

    Returns:
        The datasets, possibly none.

    Raises:
        Problem: A named dataset does not exist (404), or no dataset lets the caller use these
            filters (401, 403).
    """
    chosen = named_or_usual(question, node_data)
    answering = [one for one in chosen if _answers(one, question)]
    if not question.request.filters:
        return answering
    people_dataset = node_data.settings.people_dataset
    open_to_filters = [one for one in answering if _takes_filters(one, question, people_dataset)]
    if answering and not open_to_filters:
        raise question.rights.refusal_of_filters()
    return open_to_filters


def named_or_usual(question: Question, node_data: NodeData) -> list[Dataset]:
    """Return the named datasets, those of test mode, or the default ones.

    A query to many nodes names each node's dataset, so identifiers of other nodes are ignored.

    Args:
        question: The query.
        node_data: The node's data.

    Returns:
        The datasets. The caller sees those that are named.

    Raises:
        Problem: No named dataset exists (404), or one that is not for tests is named in test mode
            (400).
    """
    named = question.named_datasets()
    if not named:
        return _usual(question.request.test_mode, node_data)
    seen = question.rights.sees
    chosen = [one for one in node_data.datasets if one.id in named and seen(one.id)]
    if not chosen:
        raise node_data.unknown_dataset(named[0])
    if question.request.test_mode and any(one.kind != "tests" for one in chosen):
        expected = "false, or no named dataset but that for tests"
        raise Problem.mismatch("testMode", expected, f"true and {', '.join(named)}")
    return chosen


def _answers(dataset: Dataset, question: Question) -> bool:
    """Tell whether the dataset holds the entry type, and whether the caller may query it."""
    if not dataset.answers(question.entry_type) or dataset.kind not in question.path.kinds:
        return False
    if question.path.single:
        return question.rights.finest.get(dataset.id) == "record"
    return question.rights.sees(dataset.id)


def _takes_filters(dataset: Dataset, question: Question, people: str) -> bool:
    """Tell whether the dataset may be queried about people chosen by the query's filters.

    Frequencies among freely chosen people reveal genotypes. So exact ones require that the dataset
    of people, whose identifier is ``people``, gives the caller as much.
    """
    rights, wanted = question.rights, question.granularity
    if not rights.exact(dataset.id, wanted):
        return is_coarse(question.request.filters)
    if dataset.kind != "frequencies":
        return True
    return (
        rights.sees(people)
        and rights.exact(people, wanted)
        and rights.granted(people, wanted) == rights.granted(dataset.id, wanted)
    )


def group_datasets(
    datasets: Iterable[Dataset], question: Question, node_data: NodeData
) -> list[DatasetGroup]:
    """Group datasets that can be queried together, so that each match is searched for once.

    Args:
        datasets: The datasets that answer.
        question: The query.
        node_data: The node's data.

    Returns:
        The groups.
    """
    rights = question.rights
    groups: dict[tuple[str, Granularity, int], DatasetGroup] = {}
    for one in datasets:
        members = node_data.members(one)
        granularity = rights.granted(one.id, question.granularity)
        door = None if granularity == "record" else rights.doors.get(one.id)
        key = ("" if members is None else one.kind, granularity, id(door))
        if key not in groups:
            groups[key] = DatasetGroup([], members, granularity, door)
        groups[key].datasets.append(one)
    return list(groups.values())
