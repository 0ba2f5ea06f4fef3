"""Search for the variants that match a query, in order of contig and position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rehearsal.errors import shown
from rehearsal.genomes import genomic_names
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.variant_classes import LONGEST_INDEL
from rehearsal.model import Variant
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.allele_source import AlleleSource
from rehearsal.node.beacon.base_codes import IUPAC, Spelling, is_base_match
from rehearsal.node.beacon.contigs import contig_named
from rehearsal.node.beacon.effects_above import effects_below
from rehearsal.node.beacon.indels import (
    Indel,
    equivalent_rows,
    indel_described,
    indel_of_bases,
    structural_shift,
)
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.protein_changes import names_like
from rehearsal.node.beacon.transcript_names import CodingQuery, ProteinQuery
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
    query_of_name,
)
from rehearsal.node.beacon.variant_types import finds_nothing, is_of_type
from rehearsal.node.beacon.vrs_index import IDENTIFIER, VrsQuery
from rehearsal.node.privacy.public_facts import FirstAlleles
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from rehearsal.stores.node_reference import ReferenceBases

LONGEST_CONTIG = max(CONTIG_LENGTHS.values())
INTERNAL_ID = re.compile(
    rf"(?P<contig>[^-]*)-(?P<position>0*[1-9][0-9]{{0,9}})-(?P<ref>[{''.join(IUPAC)}]+)-"
    rf"(?:(?P<alt>[{''.join(IUPAC)}]+)|(?P<symbol>[A-Z0-9:]+)-(?P<length>[1-9][0-9]{{0,9}}))",
    re.IGNORECASE | re.ASCII,
)


def search_variants(
    query: VariantQuery | None, node_data: NodeData, source: AlleleSource | None = None
) -> Iterator[Any]:
    """Find the variants that match a query.

    A store holds only alleles with carriers.

    Args:
        query: The query. None matches all variants.
        node_data: The node's data, with its tables of genes and protein changes.
        source: Where to search. None searches the node's variants.

    Yields:
        Rows of the source: ``VariantRow`` of a variant store.

    Raises:
        Problem: A gene is not in the node's table (400), when first advanced.
    """
    rows = node_data.variants if source is None else source
    match query:
        case None:
            for contig, length in rows.contigs.items():
                yield from rows.overlapping(contig, 0, length)
        case SequenceQuery():
            yield from find_allele(query, rows, node_data.reference)
        case RangeQuery() | BracketQuery() | GeneQuery():
            yield from _at_place(query, node_data, rows)
        case ProteinQuery():
            yield from _changing_protein(query, node_data, rows)
        case HgvsQuery() | StructuralQuery() | VrsQuery():
            yield from _by_name(query, node_data, rows)


def _by_name(
    query: HgvsQuery | StructuralQuery | VrsQuery, node_data: NodeData, source: AlleleSource
) -> Iterator[Any]:
    """Find the allele with a description or identifier."""
    if isinstance(query, HgvsQuery):
        yield from _described(query.description, source, node_data.reference)
    elif isinstance(query, StructuralQuery):
        yield from _structural(query, source)
    elif not isinstance(source, FirstAlleles):  # else it would be another query by now
        yield from node_data.vrs_index(node_data.variants).find(query.identifier)


def _at_place(
    query: RangeQuery | BracketQuery | GeneQuery, node_data: NodeData, source: AlleleSource
) -> Iterator[Any]:
    """Find the alleles at a place that meet the query's restrictions."""
    symbol = None
    if isinstance(query, RangeQuery):
        rows = _overlapping(source, query.contig, query.start, query.end)
    elif isinstance(query, BracketQuery):
        rows = _bracketed(query, source, node_data.reference)
    else:
        gene = node_data.gene(query.gene)
        symbol = gene.name
        rows = _overlapping(source, gene.contig, gene.start, gene.end)
    given = query.restrictions
    yield from _with_effects(restricted(rows, given), given, node_data, symbol)


def _named_variant(query: SequenceQuery) -> Variant | None:
    """Return the one variant that a query names. None when its codes allow several."""
    if not query.ref or not query.alt or not PLAIN.issuperset(query.ref + query.alt):
        return None
    return Variant(query.contig, query.start, query.ref, query.alt)


def _bracketed(
    query: BracketQuery, source: AlleleSource, reference: ReferenceBases | None
) -> Iterator[Any]:
    (first, last), (low, high) = query.start, query.end
    last = min(last, high - 1)  # an allele ends after its start
    for row in _overlapping(source, query.contig, first, last + 1):
        if first <= row.start <= last and low <= row.end <= high:
            yield row
    length = low - first - 1
    if (first, low) == (last, high) and length > LONGEST_INDEL:  # one event, at any of its places
        for is_deletion in (True, False):
            event = Indel(query.contig, first + 1, length, is_deletion, None, first + 1)
            for row in equivalent_rows(event, source, reference):
                if (row.start, row.end) != (first, low):
                    yield row


def _described(
    description: hgvs.Description, source: AlleleSource, reference: ReferenceBases | None
) -> Iterator[Any]:
    # in VCF, the anchor base of an insertion or deletion is one base before it
    start = max(0, description.start - 1)
    found = set()
    for row in _overlapping(source, description.contig, start, start + 2):
        if described(row) == description.text:
            found.add((row.start, row.ref, row.alt, row.svlen))
            yield row
    indel = indel_described(description)
    if indel is not None:
        for row in equivalent_rows(indel, source, reference):
            if (row.start, row.ref, row.alt, row.svlen) not in found:
                yield row


def _structural(query: StructuralQuery, source: AlleleSource) -> Iterator[Any]:
    for row in _overlapping(source, query.contig, query.start, query.start + 1):
        if (row.start, row.alt, row.svlen) == (query.start, query.alt, query.length):
            yield row


def described(row: Any, reference: ReferenceBases | None = None) -> str | None:
    """Write the genomic HGVS description of an allele, at its last place in a repeat.

    Args:
        row: A row of a source of alleles.
        reference: The node's reference, in which structural variants are moved, or None.

    Returns:
        The description. None for a structural variant that has none.
    """
    if row.svlen:
        shift = structural_shift(row, reference)
        return genomic_names.describe_structural(row.contig, row.start, row.end, row.alt, shift)
    return genomic_names.describe(row.contig, row.start, row.ref, row.alt, row.shift)


def _overlapping(source: AlleleSource, contig: str, start: int, end: int) -> Iterator[Any]:
    if contig in source.contigs:
        yield from source.overlapping(contig, start, end)


def find_allele(
    query: SequenceQuery, source: AlleleSource, reference: ReferenceBases | None
) -> Iterator[Any]:
    """Find the alleles with stated bases: by key, or among all at the position.

    Args:
        query: The bases, without those that both alleles share.
        source: Where to search.
        reference: The node's reference, in which long insertions are compared with duplications.

    Yields:
        Rows of the source.
    """
    if query.contig not in source.contigs:
        return
    named = _named_variant(query)
    if named is not None:
        yield from _of_name(named, source, reference)
        return
    if query.ref is None:
        rows = source.overlapping(query.contig, query.start, query.start + 1)
        at_start = (row for row in rows if row.start == query.start)
        yield from (row for row in at_start if is_base_match(row.alt, query.alt))
        return
    same = _equivalent(query, source, reference)
    yield from _written(query, query.ref, source) if same is None else same


def _written(query: SequenceQuery, ref: str, source: AlleleSource) -> Iterator[Any]:
    """Find the alleles that can be written as a query with IUPAC codes writes them."""
    spelling = Spelling.of(query.start, ref, query.alt)
    shift = 0 if len(ref) == len(query.alt) else source.longest_shift[query.contig]
    first = max(0, query.start - shift - 1)  # VCF writes a base before an indel
    for row in source.overlapping(query.contig, first, query.start + len(ref) + 1):
        if spelling.is_of(row):
            yield row


def _of_name(
    named: Variant, source: AlleleSource, reference: ReferenceBases | None
) -> Iterator[Any]:
    row = source.get(named.contig, named.start, named.ref, named.alt)
    found = None if row is not None else _equivalent(named, source, reference)
    return iter((row,)) if row is not None else found or iter(())


def _equivalent(
    named: Variant | SequenceQuery, source: AlleleSource, reference: ReferenceBases | None
) -> Iterator[Any] | None:
    """Find an insertion or deletion at any place of its repeat. None: the bases are neither."""
    if named.ref is None or not PLAIN.issuperset(named.ref + named.alt):
        return None
    indel = indel_of_bases(named.contig, named.start, named.ref, named.alt)
    return None if indel is None else equivalent_rows(indel, source, reference)


def restricted(rows: Iterator[Any], wanted: Restrictions) -> Iterator[Any]:
    """Keep the alleles that meet the conditions of a query.

    Args:
        rows: Alleles with contig, 0-based start, ref and alt.
        wanted: The conditions.

    Yields:
        The alleles kept.
    """
    if wanted == Restrictions():
        yield from rows
        return
    if _is_impossible(wanted):
        return
    yield from (row for row in rows if _meets(row, wanted))


def _with_effects(
    rows: Iterator[Any], wanted: Restrictions, node_data: NodeData, gene: str | None = None
) -> Iterator[Any]:
    """Keep the alleles that have all effects of a query, in any gene or in one."""
    if not wanted.effects:
        yield from rows
        return
    for row in rows:
        effects = node_data.variants.effects(row)
        having = {one.term for one in effects if gene in (None, one.gene)}
        if not any(having.isdisjoint(effects_below(term)) for term in wanted.effects):
            yield row


def _meets(row: Any, wanted: Restrictions) -> bool:
    if wanted.variant_type and not is_of_type(row.ref, row.alt, wanted.variant_type):
        return False
    length = row.svlen or _length(row)
    return (
        (wanted.minimum_length or 0) <= length
        and (wanted.maximum_length is None or length <= wanted.maximum_length)
        and is_base_match(row.ref, wanted.ref)
        and is_base_match(row.alt, wanted.alt)
    )


def _length(row: Any) -> int:
    allele = genomic_names.trimmed(row.contig, row.start, row.ref, row.alt)
    return max(len(allele.deleted), len(allele.inserted))


def _is_impossible(wanted: Restrictions) -> bool:
    """Tell whether the conditions exclude every allele, so that none needs to be looked at."""
    longest = LONGEST_CONTIG
    if wanted.ref is not None and wanted.alt is not None:
        longest = max(len(wanted.ref), len(wanted.alt))
    return finds_nothing(wanted.variant_type) or (wanted.minimum_length or 0) > longest


def _changing_protein(
    query: ProteinQuery, node_data: NodeData, source: AlleleSource
) -> Iterator[Any]:
    if isinstance(source, FirstAlleles):  # public facts do not list what alleles change
        return
    for allele in node_data.variants.changing_protein(names_like(query.change), query.gene):
        row = source.get(*allele)
        if row is not None:
            yield row


def identifier_of(row: Any) -> str:
    """Build the ``variantInternalId`` of an allele: of a structural variant with its length.

    Args:
        row: A row of a source of alleles.

    Returns:
        For example ``chr17-43124027-ACT-A`` or ``chr17-43124027-T-DUP:TANDEM-310``, with a 1-based
        position as in VCF.
    """
    if not row.svlen:
        return str(Variant(row.contig, row.start, row.ref, row.alt))
    return f"{row.contig}-{row.start + 1}-{row.ref}-{row.alt[1:-1]}-{row.svlen}"


def query_of_identifier(
    identifier: str,
) -> SequenceQuery | StructuralQuery | HgvsQuery | CodingQuery | ProteinQuery | VrsQuery:
    """Build the query for one variant by its ``variantInternalId`` or its name.

    Args:
        identifier: As :func:`identifier_of` builds it, or a description or name in HGVS, or a
            computed identifier of VRS.

    Returns:
        The query.

    Raises:
        Problem: The identifier has another form (404), its contig is unknown or it is a wrong
            description (400).
    """
    if any(kind in identifier for kind in (":g.", ":m.", ":c.", ":p.")):
        return query_of_name(identifier)
    if IDENTIFIER.fullmatch(identifier):
        return VrsQuery(identifier)
    match = INTERNAL_ID.fullmatch(identifier)
    if match is None:
        expected = "a variant identifier like chr17-43124027-ACT-A"
        raise Problem.mismatch("g_variants", expected, shown(identifier), 404)
    contig, start = contig_named(match["contig"], "g_variants"), int(match["position"]) - 1
    if match["symbol"]:
        alt, length = f"<{match['symbol'].upper()}>", int(match["length"])
        return StructuralQuery(contig, start, alt, length, match["ref"].upper())
    return SequenceQuery(contig, start, match["ref"].upper(), match["alt"].upper())
