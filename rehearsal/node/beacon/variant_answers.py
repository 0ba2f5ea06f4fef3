"""Answers about variants: whether any is carried, how many, and a page of their records."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.node.beacon import records
from rehearsal.node.beacon.dataset_choice import DatasetGroup
from rehearsal.node.beacon.datasets import Dataset
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.result import Record, ResultSet, sets_without_records
from rehearsal.node.beacon.variant_search import search_even_uncarried, search_variants

if TYPE_CHECKING:
    from rehearsal.node.privacy.protected_answers import Protector
    from rehearsal.stores.variant_store import VariantRow


def answer_variants(
    question: Question, people: BitMap | None, group: DatasetGroup, node_data: NodeData
) -> list[ResultSet]:
    """What each dataset of a group answers about variants that some of the people carry.

    ``people``: None for everybody. Raises Problem for a gene that the node does not know.
    """
    if group.protector is not None and group.granularity != "record":
        return _answer_protected(question, people, group, group.protector, node_data)
    query = question.variants()
    rows = carried(search_variants(query, node_data), people, node_data.people.size)
    if group.granularity == "boolean":
        return sets_without_records(group.datasets, next(rows, None) is not None, None)
    page: list[VariantRow] = []
    before = 0
    if group.granularity == "record":
        before = sum(1 for _ in islice(rows, question.request.first))
        page = list(islice(rows, question.request.limit))
    if query is None and people is None:
        count = node_data.variants.count
    else:
        count = before + len(page) + sum(1 for _ in rows)
    return [
        ResultSet(one.id, count > 0, count, shown, group.granularity)
        for one, shown in zip(
            group.datasets, _records(page, people, group.datasets, node_data), strict=True
        )
    ]


def _answer_protected(
    question: Question,
    people: BitMap | None,
    group: DatasetGroup,
    protector: Protector,
    node_data: NodeData,
) -> list[ResultSet]:
    rows, _ = search_even_uncarried(question.variants(), node_data)
    answer = protector.variants(rows, people, group.granularity == "count")
    return sets_without_records(group.datasets, answer.exists, answer.count)


def _records(
    page: list[VariantRow], people: BitMap | None, datasets: list[Dataset], node_data: NodeData
) -> list[list[Record]]:
    """The records of a page of variants, by dataset: what all datasets say is made once."""
    shown: list[list[Record]] = [[] for _ in datasets]
    for row in page:
        common = records.variant_record(row, node_data)
        for dataset, of_dataset in zip(datasets, shown, strict=True):
            record = dict(common)
            if dataset.kind in ("frequencies", "tests"):
                record["frequencyInPopulations"] = records.frequencies(row, people, node_data)
            if dataset.kind != "frequencies":
                record |= records.cases(row, people, node_data)
            of_dataset.append(record)
    return shown


def carried(rows: Iterator[VariantRow], people: BitMap | None, size: int) -> Iterator[VariantRow]:
    """The variants that somebody among the people carries; all of them for None.

    ``size``: how many people there are. More carriers than there are people left out cannot all
    be left out: their list need not be read.
    """
    if people is None:
        return rows
    if not people:
        return iter(())
    left_out = size - len(people)
    return (
        row for row in rows if count_carriers(row) > left_out or row.carriers().intersect(people)
    )


def count_carriers(row: VariantRow) -> int:
    """How many people carry the variant, by the stored counts."""
    return (
        row.hom_female
        + row.het_female
        + row.hemi_female
        + (row.hom_male + row.het_male + row.hemi_male)
    )
