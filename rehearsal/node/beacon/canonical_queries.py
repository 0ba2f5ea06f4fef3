"""The one form of all variant queries that ask for the same alleles.

Noise is drawn from it and the privacy budget is charged by it, so that nobody gets a second answer
to a question by spelling it differently. It depends on the query, the node's settings and public
facts only. These tell the other names of the insertions and deletions that they list. Repeats are
not looked for in the reference, so one that they do not list is another question at each place of a
repeat that a query names.
"""

from __future__ import annotations

import re
from dataclasses import replace

from rehearsal.genomes import genomic_names
from rehearsal.node.beacon import hgvs
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
from rehearsal.node.beacon.variant_search import restricted, search_variants
from rehearsal.node.beacon.vrs_index import VrsQuery
from rehearsal.node.privacy.public_facts import FirstAlleles, PublicAllele, PublicFacts

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


def _placed(query: RangeQuery | BracketQuery) -> VariantQuery:
    if has_effects(query):
        return query
    one = _only_allele(query)
    if one is None and isinstance(query, BracketQuery):
        one = _only_event(query)
    if one is not None:
        return one
    given = query.restrictions
    if (given.minimum_length or 0) <= 1:  # every allele has a base
        return replace(query, restrictions=replace(given, minimum_length=None))
    return query


def _only_allele(query: RangeQuery | BracketQuery) -> VariantQuery | None:
    """Return the query for the one allele whose bases a query states at the one place it has."""
    given = query.restrictions
    if not given.ref or not given.alt or len(given.ref) != _only_length(query):
        return None
    start = query.start if isinstance(query, RangeQuery) else query.start[0]
    allele = PublicAllele(query.contig, start, given.ref, given.alt, 0, 0, 0, 0, 0)
    if not any(restricted(iter([allele]), given)):
        return None
    return _named(allele.contig, allele.start, allele.ref, allele.alt)


def _structural(contig: str, start: int, end: int, alt: str) -> HgvsQuery | None:
    """Return the query for one structural variant by its description. None if it has none."""
    text = genomic_names.describe_structural(contig, start, end, alt)
    return None if text is None else HgvsQuery(hgvs.Description(contig, start + 1, end, text))


def _event(query: StructuralQuery) -> VariantQuery:
    end = query.start + 1 + query.length
    return _structural(query.contig, query.start, end, query.alt) or replace(query, ref="")


_OF_TYPE = {"DEL": "<DEL>", "DUP": "<DUP>", "INV": "<INV>"}


def _only_event(query: BracketQuery) -> HgvsQuery | None:
    """Return the query for one deletion, duplication or inversion between two known positions."""
    (first, last), (low, high), given = query.start, query.end, query.restrictions
    length = high - first - 1
    if given.variant_type not in _OF_TYPE or (first, low) != (last, high) or length < 1:
        return None
    lengths = replace(given, variant_type=None) == Restrictions(
        None, given.minimum_length, given.maximum_length
    )
    admitted = (given.minimum_length or 0) <= length <= (given.maximum_length or length)
    if not lengths or not admitted:
        return None
    return _structural(query.contig, first, high, _OF_TYPE[given.variant_type])


def _only_length(query: RangeQuery | BracketQuery) -> int:
    """Return the number of reference bases of an allele that has only one place here; else 0."""
    if isinstance(query, RangeQuery):
        return 1 if query.end - query.start == 1 else 0
    (first, last), (low, high) = query.start, query.end
    return low - first if (first, low) == (last, high) else 0
