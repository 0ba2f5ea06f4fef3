"""Which datasets answer a question, and which of them are asked alike."""

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

if TYPE_CHECKING:
    from rehearsal.node.privacy.protected_answers import Protector


@dataclass(frozen=True, slots=True)
class DatasetGroup:
    """Datasets that are asked alike: of the same people (None: everybody), as finely as each
    other, and protected in the same way."""

    datasets: list[Dataset]
    members: BitMap | None
    granularity: Granularity
    protector: Protector | None


def visible_dataset(identifier: str, rights: Rights, node_data: NodeData) -> Dataset:
    """The dataset with this identifier. Raises Problem (404) when there is none, and just
    so when the caller may not know of it."""
    dataset = node_data.dataset(identifier)
    if not rights.sees(dataset.id):
        raise node_data.unknown_dataset(identifier)
    return dataset


def choose_datasets(question: Question, node_data: NodeData) -> list[Dataset]:
    """The datasets that answer a question.

    Filters that find single people are not taken where an answer is protected: it says whether a
    person more or less passes them. Raises Problem: 404 when a named dataset is not here, 401 or
    403 when no dataset lets the caller choose people by these filters.
    """
    chosen = _named_or_usual(question, node_data)
    answering = [one for one in chosen if _answers(one, question)]
    if not question.request.filters:
        return answering
    coarse = is_coarse(question.request.filters)
    people_dataset = node_data.settings.people_dataset
    open_to_filters = [
        one for one in answering if _takes_filters(one, question, people_dataset, coarse)
    ]
    if answering and not open_to_filters:
        raise question.rights.refusal_of_filters()
    return open_to_filters


def _named_or_usual(question: Question, node_data: NodeData) -> list[Dataset]:
    """The datasets that are named, those of test mode, or the usual ones.

    A question to many nodes names each node's dataset: those of other nodes are passed over.
    """
    named = question.named_datasets()
    if not named:
        usual = ("tests",) if question.request.test_mode else ("frequencies", "people")
        return [one for one in node_data.datasets if one.kind in usual]
    seen = question.rights.sees
    chosen = [one for one in node_data.datasets if one.id in named and seen(one.id)]
    if not chosen:
        raise node_data.unknown_dataset(named[0])
    return chosen


def _answers(dataset: Dataset, question: Question) -> bool:
    """Whether the dataset holds what is asked for, and the caller may ask it."""
    if not dataset.answers(question.entry_type) or dataset.kind not in question.path.kinds:
        return False
    if question.path.single:
        return question.rights.finest.get(dataset.id) == "record"
    return question.rights.sees(dataset.id)


def _takes_filters(dataset: Dataset, question: Question, people: str, coarse: bool) -> bool:
    """Whether the dataset may be asked of people chosen by the question's filters.

    Frequencies among people of one's choice are genotypes: exact ones are for those to whom the
    dataset of people tells as much. ``people``: that dataset's identifier.
    """
    rights, wanted = question.rights, question.granularity
    if not rights.exact(dataset.id, wanted):
        return coarse
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
    """Datasets that are asked alike together: what matches is looked for once for them."""
    rights = question.rights
    groups: dict[tuple[str, Granularity, int], DatasetGroup] = {}
    for one in datasets:
        members = node_data.members(one)
        granularity = rights.granted(one.id, question.granularity)
        protector = rights.protectors.get(one.id)
        tier = None if protector is None else protector.tier
        key = ("" if members is None else one.kind, granularity, id(tier))
        if key not in groups:
            groups[key] = DatasetGroup([], members, granularity, protector)
        groups[key].datasets.append(one)
    return list(groups.values())
