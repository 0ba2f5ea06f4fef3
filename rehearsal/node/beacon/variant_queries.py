"""The kinds of variant queries, and which parameters make which kind.

Coordinates are 0-based half-open, as in the Beacon standard. A request whose parameters do not make
exactly one kind of query is refused, because ignoring a parameter would answer another query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from rehearsal.errors import shown
from rehearsal.genomes.contig_names import find_contig_of_grch37
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.contigs import contig_lengths, contig_named
from rehearsal.node.beacon.request_models import BASES, VariantParameters, whole_number
from rehearsal.node.beacon.transcript_names import (
    CodingQuery,
    ProteinQuery,
    is_coding_name,
    is_protein_name,
    protein_query,
)
from rehearsal.node.beacon.variant_types import TYPES, is_of_type, type_named
from rehearsal.node.beacon.vrs_index import VrsQuery
from rehearsal.web.problem import Problem

PLAIN = frozenset("ACGT")
IUPAC_CODES = re.compile(BASES)


@dataclass(frozen=True, slots=True)
class Restrictions:
    """Conditions on the variants of a range, bracket or gene query, beyond their location."""

    variant_type: str | None = None  # of variant_types
    # bases of the longer of the trimmed alleles, or of the structural variant, inclusive
    minimum_length: int | None = None
    maximum_length: int | None = None
    ref: str | None = None  # IUPAC codes
    alt: str | None = None
    effects: tuple[str, ...] = ()  # terms of the Sequence Ontology, all of which must hold


@dataclass(frozen=True, slots=True)
class SequenceQuery:
    """Exactly one allele at a position."""

    contig: str
    start: int  # 0-based
    ref: str | None  # IUPAC codes; None: any
    alt: str  # IUPAC codes


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """All variants that overlap ``[start, end)`` completely or in part."""

    contig: str
    start: int
    end: int
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class BracketQuery:
    """All variants whose start and end lie in these closed intervals."""

    contig: str
    start: tuple[int, int]
    end: tuple[int, int]
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class GeneQuery:
    """All variants that overlap a gene of the node's table."""

    gene: str
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class HgvsQuery:
    """The allele with this genomic HGVS description."""

    description: hgvs.Description


@dataclass(frozen=True, slots=True)
class StructuralQuery:
    """One structural variant at a position."""

    contig: str
    start: int  # of the base before the event, 0-based
    alt: str  # symbolic, such as <DEL>
    length: int  # bases
    ref: str = ""  # base at the position; empty: any


VariantQuery = (
    SequenceQuery
    | RangeQuery
    | BracketQuery
    | GeneQuery
    | ProteinQuery
    | CodingQuery
    | HgvsQuery
    | StructuralQuery
    | VrsQuery
)

OF_SIZE = frozenset({"variantType", "variantMinLength", "variantMaxLength"})
NARROWING = OF_SIZE | {"referenceBases", "alternateBases"}


def make_variant_query(
    parameters: VariantParameters, given: Collection[str], on_grch37: bool = False
) -> VariantQuery | None:
    """Build the query that a request's parameters make.

    Args:
        parameters: The parameters.
        given: Names of the parameters that the request contains, as sent.
        on_grch37: Whether its contig may be an accession of GRCh37.

    Returns:
        The query, or None without parameters.

    Raises:
        Problem: The parameters do not belong together, or a value is invalid (400).
    """
    if "mateName" in given:
        raise Problem.mismatch(
            "mateName",
            "no such parameter, as this node has no variants between two contigs",
            shown(parameters.mate_name),
        )
    names = set(given) - {"assemblyId", "assemblyid"}
    if not names:
        return None
    for leading, others, make in LED_BY:
        if leading in names:
            if strangers := names - others - {leading}:
                allowed = ", ".join(sorted(others)) or "none"
                raise Problem.mismatch(
                    leading,
                    f"no other variant parameters than those allowed with it ({allowed})",
                    ", ".join(sorted(strangers)),
                )
            return make(parameters)
    return _placed_query(parameters, names, on_grch37)


def check_end(query: VariantQuery | None, on_grch37: bool = False) -> None:
    """Check that a stated allele does not lie behind the end of its contig.

    Args:
        query: A query. Ranges and names were checked when they were read.
        on_grch37: Whether its positions are on GRCh37; else on GRCh38.

    Raises:
        Problem: A base of the allele would lie there (400).
    """
    if not isinstance(query, SequenceQuery | StructuralQuery):
        return
    size = len("N" if query.ref is None else query.ref)
    length = contig_lengths(on_grch37)[query.contig]
    if query.start + size > length:
        expected = f"bases of {query.contig}, which ends at {length}"
        found = f"{size} from {query.start + 1} on (counted from 1)"
        raise Problem.mismatch("start", expected, found)


def with_effects(query: VariantQuery | None, effects: tuple[str, ...]) -> VariantQuery:
    """Restrict a query to alleles with molecular effects.

    Args:
        query: The query.
        effects: Terms of the Sequence Ontology.

    Returns:
        The query.

    Raises:
        Problem: The query has no gene or region, in which the alleles are searched (400).
    """
    if not isinstance(query, RangeQuery | BracketQuery | GeneQuery):
        expected = "geneId, or start and end, beside a molecular effect"
        found = "no variant" if query is None else "another query for variants"
        raise Problem.mismatch("filters", expected, found)
    return replace(query, restrictions=replace(query.restrictions, effects=effects))


def _hgvs_query(parameters: VariantParameters) -> HgvsQuery | CodingQuery | ProteinQuery:
    return query_of_name(_text("genomicAlleleShortForm", parameters.genomic_allele_short_form))


def query_of_name(name: str | None) -> HgvsQuery | CodingQuery | ProteinQuery:
    """Build the query for the alleles with a name in HGVS.

    Args:
        name: A genomic description, or a name of a transcript or protein.

    Returns:
        The query.

    Raises:
        Problem: The text is something else (400).
    """
    if name is not None and is_coding_name(name):
        return CodingQuery(name)
    if name is not None and is_protein_name(name):
        return protein_query(name)
    return HgvsQuery(hgvs.parse(name or ""))


def _protein_query(parameters: VariantParameters) -> ProteinQuery:
    """Build the query for a change such as ``V600E``, ``p.Val600Glu`` or ``Q1756Pfs*74``."""
    given = _text("aminoacidChange", parameters.aminoacid_change) or ""
    return protein_query(given, _text("geneId", parameters.gene_id), "aminoacidChange")


def _gene_query(parameters: VariantParameters) -> GeneQuery:
    return GeneQuery(_text("geneId", parameters.gene_id) or "", _restrictions(parameters))


# the parameter that decides the kind of query, and the parameters allowed with it
LED_BY: tuple[tuple[str, frozenset[str], Callable[[VariantParameters], VariantQuery]], ...] = (
    ("genomicAlleleShortForm", frozenset(), _hgvs_query),
    ("aminoacidChange", frozenset({"geneId"}), _protein_query),
    ("geneId", NARROWING, _gene_query),
)


def _placed_query(parameters: VariantParameters, given: set[str], on_grch37: bool) -> VariantQuery:
    """Build a sequence, range or bracket query."""
    if "start" not in given:
        expected = f"a position, as the request has {', '.join(sorted(given))}"
        raise Problem.mismatch("start", expected, "nothing")
    name = _text("referenceName", parameters.reference_name)
    if name is None:
        raise Problem.mismatch("referenceName", "a contig, as the request has start", "nothing")
    contig = (find_contig_of_grch37(name) if on_grch37 else None) or contig_named(name)
    lengths = contig_lengths(on_grch37)
    starts = _positions("start", parameters.start, contig, lengths)
    ends = _positions("end", parameters.end, contig, lengths)
    if not ends:
        return _sequence_query(parameters, given, contig, starts)
    if len(starts) != len(ends):
        raise Problem.mismatch(
            "start and end",
            "one value each (range query) or two each (bracket query)",
            f"{len(starts)} and {len(ends)}",
        )
    if len(starts) == 1:
        return _range_query(parameters, given, contig, starts[0], ends[0])
    return _bracket_query(parameters, contig, (starts[0], starts[1]), (ends[0], ends[1]))


def _sequence_query(
    parameters: VariantParameters, given: set[str], contig: str, starts: list[int]
) -> SequenceQuery | RangeQuery:
    """Build the query for one allele. Of a type that the allele has not, it finds nothing."""
    ref = _bases("referenceBases", parameters.reference_bases)
    alt = _alternate_bases(parameters, starts)
    if not ref and not alt:
        raise Problem.mismatch(
            "referenceBases and alternateBases", "bases in at least one of them", "two empty texts"
        )
    if not OF_SIZE.isdisjoint(given) and (kind := _other_type(parameters, given, ref, alt)):
        only = Restrictions(kind, None, None, ref, alt)
        return RangeQuery(contig, starts[0], starts[0] + 1, only)
    return SequenceQuery(contig, starts[0], ref, alt)


def _other_type(
    parameters: VariantParameters, given: set[str], ref: str | None, alt: str
) -> str | None:
    """Return the type beside the bases of an allele if the allele is of another one."""
    has_plain_bases = bool(ref) and bool(alt) and PLAIN.issuperset(f"{ref}{alt}")
    checked = {"variantType"} if has_plain_bases else set()
    if strangers := given & OF_SIZE - checked:
        expected = f"a position, as the request has {', '.join(sorted(strangers))}"
        raise Problem.mismatch("end", expected, "nothing")
    kind = _variant_type(parameters)
    return None if kind is None or ref is None or is_of_type(ref, alt, kind) else kind


def _alternate_bases(parameters: VariantParameters, starts: list[int]) -> str:
    """Read the alternate bases of a request for one allele, which has one start and no end."""
    if len(starts) != 1:
        expected = "two values, as start has two (bracket query)"
        raise Problem.mismatch("end", expected, "nothing")
    alt = _bases("alternateBases", parameters.alternate_bases)
    if alt is None:
        raise Problem.mismatch(
            "alternateBases or end",
            "alternateBases (sequence query) or end (range query), as the request has start",
            "neither",
        )
    return alt


def _range_query(
    parameters: VariantParameters, given: set[str], contig: str, start: int, end: int
) -> SequenceQuery | RangeQuery:
    """Build the query for a range, or for one allele whose end is stated too."""
    restrictions = _restrictions(parameters)
    if start >= end:
        raise Problem.mismatch("start", f"a position below end, {end}", shown(start))
    ref, alt = restrictions.ref, restrictions.alt
    if not ref or not alt or not PLAIN.issuperset(f"{ref}{alt}"):
        return RangeQuery(contig, start, end, restrictions)
    if end != start + len(ref):
        expected = f"{start + len(ref)}, behind the reference bases of the allele, or no bases"
        raise Problem.mismatch("end", expected, shown(end))
    if OF_SIZE.isdisjoint(given):
        return SequenceQuery(contig, start, ref, alt)
    return RangeQuery(contig, start, end, restrictions)


def _bracket_query(
    parameters: VariantParameters, contig: str, start: tuple[int, int], end: tuple[int, int]
) -> BracketQuery:
    restrictions = _restrictions(parameters)
    if start[0] > start[1] or end[0] > end[1] or start[0] >= end[1]:
        raise Problem.mismatch(
            "start and end",
            "two ascending values each, with the first start below the last end",
            f"{list(start)} and {list(end)}",
        )
    return BracketQuery(contig, start, end, restrictions)


def _restrictions(parameters: VariantParameters) -> Restrictions:
    low = whole_number("variantMinLength", parameters.variant_min_length)
    high = whole_number("variantMaxLength", parameters.variant_max_length, 1)
    if low is not None and high is not None and low > high:
        expected = f"a length of at most variantMaxLength, {high}"
        raise Problem.mismatch("variantMinLength", expected, shown(low))
    return Restrictions(
        _variant_type(parameters),
        low,
        high,
        _bases("referenceBases", parameters.reference_bases),
        _bases("alternateBases", parameters.alternate_bases),
    )


def _variant_type(parameters: VariantParameters) -> str | None:
    given = _text("variantType", parameters.variant_type)
    if given is None:
        return None
    kind = type_named(given)
    if kind is None:
        known = ", ".join(sorted(TYPES))
        raise Problem.mismatch("variantType", f"one of {known}", shown(given))
    return kind


def _positions(
    name: str,
    sent: int | str | tuple[int | str, ...] | None,
    contig: str,
    lengths: Mapping[str, int],
) -> list[int]:
    items = sent if isinstance(sent, tuple) else (sent,)
    numbers = [whole_number(name, item, 0 if name == "start" else 1) for item in items]
    for number in numbers:
        if number is not None and number > lengths[contig]:
            expected = f"a position on {contig}, at most {lengths[contig]}"
            raise Problem.mismatch(name, expected, shown(number))
    return [number for number in numbers if number is not None]


def _text(name: str, sent: str | tuple[str, ...] | None) -> str | None:
    """Read a text that may be sent as a list of one."""
    text = sent[0] if isinstance(sent, tuple) else sent
    if text is not None and not text.isprintable():
        raise Problem.mismatch(name, "printable text", shown(text))
    return text


def _bases(name: str, sent: str | tuple[str, ...] | None) -> str | None:
    text = _text(name, sent)
    if text is None:
        return None
    if not IUPAC_CODES.fullmatch(text):
        raise Problem.mismatch(name, "IUPAC codes of bases", shown(text))
    return text.upper().replace("U", "T").strip(".-")
