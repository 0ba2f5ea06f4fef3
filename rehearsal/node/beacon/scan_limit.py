"""Limits on the work for an exact answer to a caller without a grant."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from rehearsal.node.beacon.allele_source import AlleleSource
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.variant_queries import BracketQuery, GeneQuery, RangeQuery
from rehearsal.web.problem import Problem

MOST_LOOKED_AT = 1_500  # some 10 ms, if the carriers of each allele are read
MOST_RECORDS = 150  # of a page; some 12 ms for variants with their carriers


def limited_alleles(
    question: Question, datasets: Iterable[str], node_data: NodeData
) -> AlleleSource:
    """Return where the alleles of an exact answer are searched.

    Args:
        question: The query.
        datasets: Identifiers of the datasets that answer.
        node_data: The data that they answer from.

    Returns:
        The node's variants. For a caller without a grant, they can be looked at to an extent only.
    """
    if _is_granted(question, datasets):
        return node_data.variants
    return _LimitedAlleles(node_data.variants, _what_to_narrow(question))


def check_page(question: Question, datasets: Iterable[str], size: int) -> None:
    """Check that a page of records is not too long for a caller without a grant.

    Args:
        question: The query.
        datasets: Identifiers of the datasets that answer.
        size: Number of records.

    Raises:
        Problem: There are too many (400).
    """
    if size > MOST_RECORDS and not _is_granted(question, datasets):
        expected = f"at most {MOST_RECORDS} records of a page, without a grant"
        raise Problem.mismatch("pagination.limit", expected, str(size))


def _is_granted(question: Question, datasets: Iterable[str]) -> bool:
    return all(question.rights.tiers[one] == "controlled" for one in datasets)


def _what_to_narrow(question: Question) -> str:
    query = question.variants()
    if isinstance(query, RangeQuery | BracketQuery):
        return "start and end"
    return "geneId" if isinstance(query, GeneQuery) else "the query"


class _LimitedAlleles:
    """A source of alleles that is given up after some of them.

    Args:
        source: The source.
        where: What the caller must narrow.
    """

    def __init__(self, source: AlleleSource, where: str) -> None:
        self.contigs, self.longest_shift = source.contigs, source.longest_shift
        self._source, self._where, self._left = source, where, MOST_LOOKED_AT

    def get(self, contig: str, start: int, ref: str, alt: str) -> Any:
        return self._source.get(contig, start, ref, alt)

    def overlapping(self, contig: str, start: int, end: int) -> Iterator[Any]:
        for row in self._source.overlapping(contig, start, end):
            if not self._left:
                expected = f"a region with at most {MOST_LOOKED_AT} alleles, without a grant"
                raise Problem.mismatch(self._where, expected, "a larger one")
            self._left -= 1
            yield row
