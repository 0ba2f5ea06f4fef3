"""A query as the truth reads it, from its Beacon request, as any server would read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.errors import mismatch
from rehearsal.model import Gene, Query, Variant
from rehearsal.truth.variant_classes import KNOWN, Extent, changed_bases, names_of

EFFECT = "SO:"  # begins filters of variants by consequence, such as SO:0001583
NARROWING = {"variantType", "variantMinLength", "variantMaxLength"}


@dataclass(slots=True)
class Question:
    """A parsed query. ``contig`` is None for individuals by filters alone."""

    query: Query
    contig: str | None = None
    start: int = 0
    end: int = 0
    allele: tuple[str, str] | None = None  # reference and alternate bases, for one allele
    ends: tuple[int, int] | None = None  # for a bracket, in whose first part variants start
    kind: str | None = None  # as variantType names it
    lengths: tuple[int, float] = (0, float("inf"))  # least and greatest, bases
    filters: tuple[Mapping[str, Any], ...] = ()  # of people
    gene: str | None = None  # that consequences must be for
    effects: frozenset[str] = frozenset()  # terms of the Sequence Ontology; empty: any

    @property
    def wants_people(self) -> bool:
        """Whether the query is about people."""
        return self.query.entry_type == "individuals"

    @property
    def wants_records(self) -> bool:
        """Whether the query wants records."""
        return self.query.granularity == "record"

    def asks_for(self, variant: Variant, extent: Extent) -> bool:
        """Say whether a variant of this contig matches.

        Args:
            variant: The variant.
            extent: Its extent.
        """
        if self.allele is not None:
            return variant.start == self.start and (variant.ref, variant.alt) == self.allele
        if self.ends is not None:
            placed = self.start <= variant.start < self.end
            placed &= self.ends[0] <= extent.end <= self.ends[1]
        else:
            placed = variant.start < self.end and extent.end > self.start
        if not placed or (self.kind is not None and self.kind not in names_of(variant)):
            return False
        return self.lengths[0] <= (extent.length or changed_bases(variant)) <= self.lengths[1]


def read_question(query: Query, genes: Mapping[str, Gene]) -> Question:
    """Parse a Beacon request.

    Args:
        query: The query.
        genes: The genes by name.

    Returns:
        The question.

    Raises:
        ValueError: The truth does not know the parameters, so that none is judged by a guess.
    """
    asked = query.request["query"]
    question = Question(query)
    question.effects = frozenset(
        one["id"] for one in asked["filters"] if one["id"].startswith(EFFECT)
    )
    question.filters = tuple(one for one in asked["filters"] if one["id"] not in question.effects)
    _read_parameters(question, dict(asked["requestParameters"]), genes)
    if question.filters and not question.wants_people:
        found = f"{len(question.filters)}"
        raise ValueError(mismatch(f"{query.id}: filters", "none for variants but SO terms", found))
    if question.effects and question.contig is None:
        where = f"{query.id}: filters"
        raise ValueError(mismatch(where, "no SO term without a gene or range", "one"))
    return question


def _read_parameters(
    question: Question, parameters: dict[str, Any], genes: Mapping[str, Gene]
) -> None:
    """Set what the parameters of a request ask for: type, lengths and place."""
    where = f"{question.query.id}: requestParameters"
    is_narrowed = bool(NARROWING & set(parameters))
    parameters.pop("assemblyId", None)
    question.gene = parameters.get("geneId")
    question.kind = parameters.pop("variantType", None)
    if question.kind is not None and question.kind not in KNOWN:
        raise ValueError(mismatch(where, f"one of {', '.join(sorted(KNOWN))}", question.kind))
    least = parameters.pop("variantMinLength", 0)
    question.lengths = (least, parameters.pop("variantMaxLength", float("inf")))
    if "referenceName" in parameters:
        question.contig = f"chr{parameters['referenceName'].removeprefix('chr')}"
    if not _read_place(question, parameters, genes, is_narrowed):
        found = ", ".join(sorted(parameters)) or "nothing"
        raise ValueError(mismatch(where, "an allele, a range or a gene", found))


def _read_place(
    question: Question, parameters: Mapping[str, Any], genes: Mapping[str, Gene], is_narrowed: bool
) -> bool:
    """Set the allele, the range or the gene's range. False for another set of parameters."""
    shape = frozenset(parameters)
    if shape == {"referenceName", "start", "referenceBases", "alternateBases"} and not is_narrowed:
        (question.start,) = parameters["start"]
        question.end = question.start + 1
        question.allele = (parameters["referenceBases"], parameters["alternateBases"])
    elif shape == {"referenceName", "start", "end"}:
        _place(question, parameters["start"], parameters["end"])
    elif shape == {"geneId"}:
        gene = genes[parameters["geneId"]]
        question.contig, question.start, question.end = gene.contig, gene.start, gene.end
    else:
        return not shape and not is_narrowed and question.wants_people
    return True


def _place(question: Question, starts: list[int], ends: list[int]) -> None:
    """Set the range, or the two parts of a bracket, which include their last values."""
    if len(starts) == 2:
        question.start, question.end = starts[0], starts[1] + 1
        question.ends = (ends[0], ends[1])
    else:
        (question.start,), (question.end,) = starts, ends
