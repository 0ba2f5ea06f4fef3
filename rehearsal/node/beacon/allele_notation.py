"""One form of the queries that name one allele, whatever bases they write beside it.

``CG>CA`` is ``G>A`` one base further on. Requests write alleles with shared bases, in a bracket, in
HGVS or as an identifier; a store has each allele without shared bases. A letter of REF that stands
for several bases is the base that the node's reference has there. One that REF and ALT share at an
end is one base, whichever it is. All this follows from the query and the public reference alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from rehearsal.genomes.allele_names import without_shared_bases
from rehearsal.genomes.genomic_names import trimmed
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.indels import indel_of_bases, places_of
from rehearsal.node.beacon.variant_queries import (
    PLAIN,
    BracketQuery,
    HgvsQuery,
    RangeQuery,
    Restrictions,
    SequenceQuery,
    VariantQuery,
)
from rehearsal.node.beacon.variant_search import restricted
from rehearsal.node.privacy.public_facts import PublicAllele

if TYPE_CHECKING:
    from rehearsal.stores.node_reference import ReferenceBases


def without_padding(query: VariantQuery, reference: ReferenceBases | None) -> VariantQuery:
    """Write a query for one allele as the stores do.

    Args:
        query: A query on GRCh38 that does not contradict the reference.
        reference: The node's reference, or None if it has none.

    Returns:
        The query without shared bases, as a sequence query where it states both alleles at one
        place; other queries as they are.
    """
    match query:
        case SequenceQuery():
            return _trimmed(query, reference)
        case RangeQuery() | BracketQuery():
            one = _only_allele(query, reference)
            return query if one is None else _trimmed(one, reference)
        case HgvsQuery(description) if len(description.stated) > 1:
            return HgvsQuery(hgvs.parse(description.text))  # its place is that of the trimmed bases
    return query


def _trimmed(query: SequenceQuery, reference: ReferenceBases | None) -> SequenceQuery:
    if query.ref and not PLAIN.issuperset(query.ref):
        query = _without_shared_codes(query)
    ref = _known(query.contig, query.start, query.ref, reference)
    if not ref or not query.alt or not PLAIN.issuperset(ref) or ref == query.alt:
        return query if ref == query.ref else replace(query, ref=ref)
    start, ref, alt = without_shared_bases(query.start, ref, query.alt)
    is_trimmed = (start, ref, alt) == (query.start, query.ref, query.alt)
    return query if is_trimmed else SequenceQuery(query.contig, start, ref, alt)


def _without_shared_codes(query: SequenceQuery) -> SequenceQuery:
    """Remove what REF and ALT share: a letter of both at one end means the same base there."""
    allele = trimmed(query.contig, query.start, query.ref or "", query.alt)
    if not allele.deleted and not allele.inserted:
        return query
    return SequenceQuery(query.contig, allele.start, allele.deleted, allele.inserted)


def _known(
    contig: str, start: int, ref: str | None, reference: ReferenceBases | None
) -> str | None:
    """Return the bases of the reference for letters that stand for several. All must be known."""
    if not ref or reference is None or PLAIN.issuperset(ref):
        return ref
    there = reference.get(contig, start, start + len(ref)) or ""
    return there if len(there) == len(ref) and PLAIN.issuperset(there) else ref


def _only_allele(
    query: RangeQuery | BracketQuery, reference: ReferenceBases | None
) -> SequenceQuery | None:
    """Return the query for the one allele whose bases a query states at the one place it has."""
    given, stated = query.restrictions, _stated_bases(query)
    if stated is None:
        return None
    ref = _known(stated.contig, stated.start, stated.ref, reference) or ""
    if not PLAIN.issuperset(ref + stated.alt):
        return stated if given == Restrictions(ref=given.ref, alt=given.alt) else None
    allele = PublicAllele(stated.contig, stated.start, ref, stated.alt, 0, 0, 0, 0, 0)
    is_copy = given.variant_type in ("DUP", "DUP:TANDEM") and _is_copy(allele, reference)
    kind = None if is_copy else given.variant_type
    conditions = replace(given, ref=ref, variant_type=kind)
    return stated if any(restricted(iter([allele]), conditions)) else None


def _stated_bases(query: RangeQuery | BracketQuery) -> SequenceQuery | None:
    """Return the letters of one allele that a query states, if it has only one place."""
    given = query.restrictions
    if not given.ref or not given.alt or given.effects or len(given.ref) != _only_length(query):
        return None
    start = query.start if isinstance(query, RangeQuery) else query.start[0]
    return SequenceQuery(query.contig, start, given.ref, given.alt)


def _is_copy(allele: PublicAllele, reference: ReferenceBases | None) -> bool:
    """Tell whether an insertion repeats bases of the reference beside it, as HGVS defines a dup."""
    indel = indel_of_bases(allele.contig, allele.start, allele.ref, allele.alt)
    if indel is None or indel.is_deletion or reference is None:
        return False
    return places_of(indel, reference) is not None


def _only_length(query: RangeQuery | BracketQuery) -> int:
    """Return the number of reference bases of an allele that has only one place here; else 0."""
    if isinstance(query, RangeQuery):
        return query.end - query.start
    (first, last), (low, high) = query.start, query.end
    return low - first if (first, low) == (last, high) else 0
