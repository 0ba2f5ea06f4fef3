"""Answers about variants: whether there are carriers, how many variants, and a page of records."""

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
from rehearsal.node.beacon.scan_limit import check_page, limited_alleles
from rehearsal.node.beacon.variant_search import search_variants

if TYPE_CHECKING:
    from rehearsal.stores.variant_store import VariantRow


def answer_variants(
    question: Question, people: BitMap | None, group: DatasetGroup, node_data: NodeData
) -> list[ResultSet]:
    """Compute the answer of each dataset of a group about variants.

    Args:
        question: The query.
        people: Numbers of the possible carriers. None stands for everybody.
        group: The datasets.
        node_data: The data that the datasets answer from.

    Returns:
        One result set per dataset.

    Raises:
        Problem: A gene is not in the node's table, or the answer takes too much work without a
            grant (400).
    """
    query = question.variants()
    datasets = [one.id for one in group.datasets]
    alleles = limited_alleles(question, datasets, node_data)
    rows = carried(search_variants(query, node_data, alleles), people, node_data.people.size)
    if group.granularity == "boolean":
        return sets_without_records(group.datasets, next(rows, None) is not None, None)
    page: list[VariantRow] = []
    before = 0
    if group.granularity == "record":
        before = sum(1 for _ in islice(rows, question.request.first))
        page = list(islice(rows, question.request.limit))
        check_page(question, datasets, len(page))
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


def _records(
    page: list[VariantRow], people: BitMap | None, datasets: list[Dataset], node_data: NodeData
) -> list[list[Record]]:
    """Build the records of a page of variants, by dataset. Their common part is built once."""
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
    """Keep the variants with a carrier among some people.

    When a variant has more carriers than there are other people, one of them must be among the
    people, so the list of carriers need not be read.

    Args:
        rows: The variants.
        people: Numbers of the people. None keeps all variants.
        size: Number of people in the node.

    Returns:
        An iterator of the kept rows.
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
    """Return the number of carriers of a variant, from the stored counts.

    Args:
        row: The variant.
    """
    return (
        row.hom_female
        + row.het_female
        + row.hemi_female
        + (row.hom_male + row.het_male + row.hemi_male)
    )
