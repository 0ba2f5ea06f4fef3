"""The one form of all variant queries that ask for the same alleles.

Noise is drawn from it and the privacy budget is charged by it, so that nobody gets a second answer
to a question by spelling it differently. It depends on the query, the node's settings and public
facts only. An HGVS duplication does not state its bases, and a node has no reference sequence, so
one that public facts do not list is another question than the insertion of these bases.
"""

from __future__ import annotations

import re
from dataclasses import replace

from rehearsal.model import Variant
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.variant_queries import (
    BracketQuery,
    GeneQuery,
    HgvsQuery,
    ProteinQuery,
    RangeQuery,
    SequenceQuery,
    VariantQuery,
)
from rehearsal.node.beacon.variant_search import PLAIN, restricted, search_variants
from rehearsal.node.privacy.public_facts import FirstAlleles, PublicFacts

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
    match query:
        case SequenceQuery():
            return _named(query.contig, query.start, query.ref, query.alt) or query
        case HgvsQuery(description):
            return _insertion(description) or _duplication(query, node_data, facts) or query
        case GeneQuery(symbol, restrictions):
            gene = node_data.gene(symbol)
            return _placed(RangeQuery(gene.contig, gene.start, gene.end, restrictions))
        case RangeQuery() | BracketQuery():
            return _placed(query)
        case ProteinQuery():
            return _changing_protein(query, node_data)
    return query


def names_one_allele(query: VariantQuery | None) -> bool:
    """Tell whether a query in its canonical form names one allele.

    Args:
        query: What :func:`canonical_query` returned.
    """
    return isinstance(query, HgvsQuery) or (
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
    allele = hgvs.trimmed(contig, start, ref, alt)
    if not allele.deleted:  # whether it is a duplication depends on the bases that REF shows
        return SequenceQuery(contig, allele.start, "", allele.inserted)
    text = hgvs.describe(contig, start, ref, alt)
    return HgvsQuery(hgvs.Description(contig, allele.start, allele.end, text))


def _insertion(description: hgvs.Description) -> SequenceQuery | None:
    found = _INSERTION.fullmatch(description.text)
    if found is None:
        return None
    return SequenceQuery(description.contig, int(found["behind"]) - 1, "", found["bases"])


def _duplication(query: HgvsQuery, node_data: NodeData, facts: PublicFacts) -> VariantQuery | None:
    if not query.description.text.endswith("dup"):
        return None
    row = next(search_variants(query, node_data, FirstAlleles(facts)), None)
    return None if row is None else _named(row.contig, row.start, row.ref, row.alt)


def _placed(query: RangeQuery | BracketQuery) -> VariantQuery:
    given = query.restrictions
    if given.ref and given.alt and len(given.ref) == _only_length(query):
        start = query.start if isinstance(query, RangeQuery) else query.start[0]
        allele = Variant(query.contig, start, given.ref, given.alt)
        named = _named(allele.contig, allele.start, allele.ref, allele.alt)
        if named is not None and any(restricted(iter([allele]), given)):
            return named
    if (given.minimum_length or 0) <= 1:  # every allele has a base
        return replace(query, restrictions=replace(given, minimum_length=None))
    return query


def _only_length(query: RangeQuery | BracketQuery) -> int:
    """Return the number of reference bases of an allele that has only one place here; else 0."""
    if isinstance(query, RangeQuery):
        return 1 if query.end - query.start == 1 else 0
    (first, last), (low, high) = query.start, query.end
    return low - first if (first, low) == (last, high) else 0


def _changing_protein(query: ProteinQuery, node_data: NodeData) -> VariantQuery:
    """Return the query for the allele with the effect. If there are several, name their gene."""
    if query.gene is not None:
        node_data.gene(query.gene)
    changes = [
        one
        for one in node_data.settings.protein_changes
        if one.change == query.change and query.gene in (None, one.gene)
    ]
    if len(changes) == 1:
        (one,) = changes
        return _named(one.contig, one.start, one.ref, one.alt) or query
    genes = {one.gene for one in changes}
    return ProteinQuery(query.change, genes.pop()) if len(genes) == 1 else query
