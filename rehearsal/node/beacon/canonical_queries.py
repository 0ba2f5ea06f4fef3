"""The one form of all variant queries that ask for the same alleles.

Noise is drawn from it and the privacy budget is charged by it, so that nobody gets a second answer
to a question by spelling it differently. It depends on the query, the node's settings and public
facts only, of which the reference is one. The facts tell the other names of the insertions and
deletions that they list, the reference those of long ones. A short one that is not listed is
another question at each place of a repeat that a query names.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from rehearsal.genomes import genomic_names
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.variant_classes import LONGEST_INDEL
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.allele_notation import without_padding
from rehearsal.node.beacon.indels import Indel, indel_described, indel_of_bases, places_of
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.variant_queries import (
    PLAIN,
    BracketQuery,
    GeneQuery,
    HgvsQuery,
    RangeQuery,
    Restrictions,
    SequenceQuery,
    StructuralQuery,
    VariantQuery,
)
from rehearsal.node.beacon.variant_search import search_variants
from rehearsal.node.beacon.vrs_index import VrsQuery
from rehearsal.node.privacy.public_facts import FirstAlleles, PublicAllele, PublicFacts

if TYPE_CHECKING:
    from rehearsal.stores.node_reference import ReferenceBases

_INSERTION = re.compile(r".*_(?P<behind>\d+)ins(?P<bases>[ACGT]+)")


def canonical_query(
    query: VariantQuery | None, node_data: NodeData, facts: PublicFacts
) -> VariantQuery | None:
    """Return the one form of all queries for the same alleles.

    Args:
        query: The query, or None.
        node_data: The node's data, of which only the settings are used.
        facts: The node's public facts.

    Returns:
        The query for one trimmed allele where a query names one, a range for a gene, else the query
        without restrictions that restrict nothing.

    Raises:
        Problem: A gene is not in the node's table (400).
    """
    if query is None:
        return None
    plain = without_padding(query, node_data.reference)
    return _at_last_place(_canonical(plain, node_data, facts), node_data.reference)


def _canonical(query: VariantQuery, node_data: NodeData, facts: PublicFacts) -> VariantQuery:
    match query:
        case SequenceQuery():
            named = _named(query.contig, query.start, query.ref, query.alt)
            return _listed(named or query, node_data, facts)
        case HgvsQuery(description):
            return _listed(_insertion(description) or query, node_data, facts)
        case GeneQuery(symbol, restrictions):
            gene = node_data.gene(symbol)
            if restrictions.effects:
                return replace(query, gene=gene.name)
            return _placed(RangeQuery(gene.contig, gene.start, gene.end, restrictions))
        case RangeQuery() | BracketQuery():
            return _placed(query)
        case StructuralQuery():
            return _event(query)
    return _identified(query, node_data, facts) if isinstance(query, VrsQuery) else query


def _identified(query: VrsQuery, node_data: NodeData, facts: PublicFacts) -> VariantQuery:
    row = next(node_data.vrs_index(facts).find(query.identifier), None)
    return query if row is None else _listed_row(row, query)


def has_effects(query: VariantQuery | None) -> bool:
    """Tell whether a query asks for molecular effects.

    Args:
        query: The query, or None.
    """
    if isinstance(query, RangeQuery | BracketQuery | GeneQuery):
        return bool(query.restrictions.effects)
    return False


def names_one_allele(query: VariantQuery | None) -> bool:
    """Tell whether a query in its canonical form names one allele.

    Args:
        query: What :func:`canonical_query` returned.
    """
    return isinstance(query, HgvsQuery | StructuralQuery | VrsQuery) or (
        isinstance(query, SequenceQuery) and not query.ref and PLAIN.issuperset(query.alt)
    )


def variant_text(query: VariantQuery | None) -> str:
    """Write a query in its canonical form as text.

    Args:
        query: What :func:`canonical_query` returned.

    Returns:
        The same text for the same alleles.
    """
    if isinstance(query, HgvsQuery):
        return query.description.text  # the range to search follows from it
    return "no variant" if query is None else repr(query)


def _named(contig: str, start: int, ref: str | None, alt: str) -> VariantQuery | None:
    """Return the query for one allele, however it is spelled. None if the codes allow several."""
    if ref is None or ref == alt or not PLAIN.issuperset(ref + alt):
        return None
    allele = genomic_names.trimmed(contig, start, ref, alt)
    if not allele.deleted:  # whether it is a duplication depends on the bases that REF shows
        return SequenceQuery(contig, allele.start, "", allele.inserted)
    text = genomic_names.describe(contig, start, ref, alt)
    return HgvsQuery(hgvs.Description(contig, allele.start, allele.end, text))


def _insertion(description: hgvs.Description) -> SequenceQuery | None:
    found = _INSERTION.fullmatch(description.text)
    if found is None:
        return None
    return SequenceQuery(description.contig, int(found["behind"]) - 1, "", found["bases"])


def _listed(query: VariantQuery, node_data: NodeData, facts: PublicFacts) -> VariantQuery:
    """Return the query for the listed allele that an insertion or deletion is."""
    is_indel = (isinstance(query, SequenceQuery) and query.ref == "") or (
        isinstance(query, HgvsQuery) and query.description.text.endswith(("del", "dup"))
    )
    row = next(search_variants(query, node_data, FirstAlleles(facts)), None) if is_indel else None
    return query if row is None or row.svlen else _listed_row(row, query)


def _listed_row(row: PublicAllele, query: VariantQuery) -> VariantQuery:
    """Return the query for a listed allele, however it is asked for."""
    if row.svlen:
        return _event(StructuralQuery(row.contig, row.start, row.alt, row.svlen))
    return _named(row.contig, row.start, row.ref, row.alt) or query


def _at_last_place(query: VariantQuery, reference: ReferenceBases | None) -> VariantQuery:
    """Write a long deletion or duplication at its last place in a repeat, as HGVS has it."""
    indel = _long_indel(query)
    places = None if indel is None else places_of(indel, reference)
    if indel is None or places is None:
        return query
    start, end = places[1], places[1] + indel.length
    deleted = "<DEL>" if indel.is_deletion else "<DUP>"
    return _structural(indel.contig, start - 1, end, deleted) or query


def _long_indel(query: VariantQuery) -> Indel | None:
    indel = None
    if isinstance(query, HgvsQuery):
        indel = indel_described(query.description)
    elif isinstance(query, SequenceQuery) and query.ref == "" and PLAIN.issuperset(query.alt):
        indel = indel_of_bases(query.contig, query.start, "", query.alt)
    return None if indel is None or indel.length <= LONGEST_INDEL else indel


def _placed(query: RangeQuery | BracketQuery) -> VariantQuery:
    if has_effects(query):
        return query
    needed = replace(query, restrictions=_needed(query))
    one = _only_event(needed) if isinstance(needed, BracketQuery) else None
    return needed if one is None else one


def _needed(query: RangeQuery | BracketQuery) -> Restrictions:
    """Return the restrictions of a query without those that restrict nothing."""
    given = query.restrictions
    if given.ref and given.alt and len(given.ref) == len(given.alt) == 1:
        kind = None if given.variant_type == "SNP" else given.variant_type
        shortest, longest = 1, 1
    else:
        kind = _SAME_CLASSES.get(given.variant_type or "", given.variant_type)
        shortest, longest = _lengths(kind, query)
    low, high = given.minimum_length or 0, given.maximum_length
    return replace(
        given,
        variant_type=kind,
        minimum_length=None if low <= shortest else low,
        maximum_length=None if high is None or high >= longest else high,
    )


_SAME_CLASSES = {"copy number gain": "DUP"}
# types of alleles that change as many bases as lie between their ends
_BETWEEN_ENDS = frozenset({"DEL", "DUP", "DUP:TANDEM", "INV", "CNV", "copy number loss"})


def _lengths(kind: str | None, query: RangeQuery | BracketQuery) -> tuple[int, int]:
    """Return the lengths between which those of all alleles are that a type and a place admit."""
    if kind == "SNP":
        return 1, 1
    least = 2 if kind in ("MNP", "DELINS") else 1
    if isinstance(query, RangeQuery):
        return least, CONTIG_LENGTHS[query.contig]
    (first, last), (low, high) = query.start, query.end
    if kind in _BETWEEN_ENDS:  # the base before the event is not counted
        return max(least, low - last - 1), high - first - 1
    if kind == "MNP":
        return max(least, low - last), high - first
    return least, CONTIG_LENGTHS[query.contig]


def _structural(contig: str, start: int, end: int, alt: str) -> HgvsQuery | None:
    """Return the query for one structural variant by its description. None if it has none."""
    text = genomic_names.describe_structural(contig, start, end, alt)
    return None if text is None else HgvsQuery(hgvs.Description(contig, start + 1, end, text))


def _event(query: StructuralQuery) -> VariantQuery:
    end = query.start + 1 + query.length
    return _structural(query.contig, query.start, end, query.alt) or replace(query, ref="")


# DUP also covers copy numbers above 2, which have no description
_OF_TYPE = {"DEL": "<DEL>", "INV": "<INV>"}


def _only_event(query: BracketQuery) -> HgvsQuery | None:
    """Return the query for one deletion or inversion between two known positions."""
    (first, last), (low, high), kind = query.start, query.end, query.restrictions.variant_type
    length = high - first - 1
    if kind == "copy number loss" and length > LONGEST_INDEL:
        kind = "DEL"
    if kind not in _OF_TYPE or (first, low) != (last, high) or length < 1:
        return None
    # the length follows from the positions
    if query.restrictions != Restrictions(query.restrictions.variant_type):
        return None
    return _structural(query.contig, first, high, _OF_TYPE[kind])
