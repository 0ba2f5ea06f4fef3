"""The variants of a store that a query asks for, in order of contig and position."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.errors import shown
from rehearsal.model import Variant
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.contigs import contig_named
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.variant_queries import (
    BracketQuery,
    GeneQuery,
    HgvsQuery,
    ProteinQuery,
    RangeQuery,
    Restrictions,
    SequenceQuery,
    VariantQuery,
)
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from rehearsal.stores.variant_store import VariantRow

IUPAC = {
    **{"A": "A", "C": "C", "G": "G", "T": "T", "R": "AG", "Y": "CT", "S": "CG", "W": "AT"},
    **{"K": "GT", "M": "AC", "B": "CGT", "D": "AGT", "H": "ACT", "V": "ACG", "N": "ACGT"},
}
PLAIN = frozenset("ACGT")
INTERNAL_ID = re.compile(
    r"(?P<contig>[^-]*)-(?P<position>0*[1-9][0-9]{0,9})-(?P<ref>[ACGT]+)-(?P<alt>[ACGT]+)"
)


def search_variants(query: VariantQuery | None, node_data: NodeData) -> Iterator[VariantRow]:
    """The rows that a query asks for; all rows for None.

    A store holds only alleles that somebody carries. Raises Problem (when first advanced)
    for a gene that the node does not know.
    """
    match query:
        case None:
            for contig, length in node_data.variants.contigs.items():
                yield from node_data.variants.overlapping(contig, 0, length)
        case SequenceQuery():
            yield from _exact(query, node_data)
        case RangeQuery(contig, start, end, restrictions):
            yield from _restricted(_overlapping(node_data, contig, start, end), restrictions)
        case BracketQuery():
            yield from _restricted(_bracketed(query, node_data), query.restrictions)
        case GeneQuery(symbol, restrictions):
            gene = node_data.gene(symbol)
            rows = _overlapping(node_data, gene.contig, gene.start, gene.end)
            yield from _restricted(rows, restrictions)
        case ProteinQuery():
            yield from _changing_protein(query, node_data)
        case HgvsQuery(description):
            yield from _described(description, node_data)


def search_even_uncarried(
    query: VariantQuery | None, node_data: NodeData
) -> tuple[Iterator[VariantRow], bool]:
    """The rows that a query asks for, and whether it names one allele by itself.

    An allele that is named has a row also when nobody carries it: what is told of it is then
    worked out as for any other, so that neither the answer's form nor its timing tells.
    """
    named = _named_variant(query) if isinstance(query, SequenceQuery) else None
    if named is None:
        return search_variants(query, node_data), False
    return iter((node_data.variants.read(named),)), True


def _named_variant(query: SequenceQuery) -> Variant | None:
    """The one variant that a query names; None where its bases leave several possible."""
    if not query.ref or not query.alt or not PLAIN.issuperset(query.ref + query.alt):
        return None
    return Variant(query.contig, query.start, query.ref, query.alt)


def _bracketed(query: BracketQuery, node_data: NodeData) -> Iterator[VariantRow]:
    (first, last), (low, high) = query.start, query.end
    for row in _overlapping(node_data, query.contig, first, last + 1):
        if first <= row.start <= last and low <= row.start + len(row.ref) <= high:
            yield row


def _described(description: hgvs.Description, node_data: NodeData) -> Iterator[VariantRow]:
    # the anchor base of an insertion or deletion in VCF stands just before it
    start, end = max(0, description.start - 1), description.end + 1
    for row in _overlapping(node_data, description.contig, start, end):
        if hgvs.describe(row.contig, row.start, row.ref, row.alt) == description.text:
            yield row


def _overlapping(node_data: NodeData, contig: str, start: int, end: int) -> Iterator[VariantRow]:
    if contig in node_data.variants.contigs:
        yield from node_data.variants.overlapping(contig, start, end)


def _exact(query: SequenceQuery, node_data: NodeData) -> Iterator[VariantRow]:
    """By key where bases are plain; else by looking at every allele that starts there."""
    if query.contig not in node_data.variants.contigs:
        return
    named = _named_variant(query)
    if named is not None:
        row = node_data.variants.get(named.contig, named.start, named.ref, named.alt)
        if row is not None:
            yield row
        return
    is_trimmed = query.ref == "" or query.alt == ""
    # an empty allele is one trimmed of the anchor base that VCF writes before it
    first = max(0, query.start - 1) if is_trimmed else query.start
    for row in node_data.variants.overlapping(query.contig, first, query.start + 1):
        if _is_allele(row, query, is_trimmed):
            yield row


def _is_allele(row: VariantRow, query: SequenceQuery, is_trimmed: bool) -> bool:
    """Whether a row is what a query describes. ``is_trimmed``: without shared bases."""
    start, ref, alt = row.start, row.ref, row.alt
    if is_trimmed:
        allele = hgvs.trimmed(row.contig, start, ref, alt)
        start, ref, alt = allele.start, allele.deleted, allele.inserted
    return start == query.start and is_base_match(alt, query.alt) and is_base_match(ref, query.ref)


def is_base_match(bases: str, pattern: str | None) -> bool:
    """Whether bases are what IUPAC codes allow; anything for None."""
    if pattern is None:
        return True
    return len(bases) == len(pattern) and all(
        base in IUPAC[code] for base, code in zip(bases, pattern, strict=True)
    )


def _restricted(rows: Iterator[VariantRow], wanted: Restrictions) -> Iterator[VariantRow]:
    if wanted == Restrictions():
        yield from rows
        return
    for row in rows:
        allele = hgvs.trimmed(row.contig, row.start, row.ref, row.alt)
        length = max(len(allele.deleted), len(allele.inserted))
        if (
            wanted.variant_type in (None, variant_type(row.ref, row.alt))
            and (wanted.minimum_length or 0) <= length
            and (wanted.maximum_length is None or length <= wanted.maximum_length)
            and is_base_match(row.ref, wanted.ref)
            and is_base_match(row.alt, wanted.alt)
        ):
            yield row


def variant_type(ref: str, alt: str) -> str:
    """SNP, MNP, INS, DEL or INDEL of an allele as VCF writes it."""
    if len(ref) == len(alt) == 1:
        return "SNP"
    allele = hgvs.trimmed("", 0, ref, alt)
    deleted, inserted = len(allele.deleted), len(allele.inserted)
    if deleted == inserted:
        return "SNP" if deleted == 1 else "MNP"
    if not deleted:
        return "INS"
    return "DEL" if not inserted else "INDEL"


def _changing_protein(query: ProteinQuery, node_data: NodeData) -> Iterator[VariantRow]:
    if query.gene is not None:
        node_data.gene(query.gene)
    for change in node_data.settings.protein_changes:
        if change.change == query.change and query.gene in (None, change.gene):
            row = node_data.variants.get(change.contig, change.start, change.ref, change.alt)
            if row is not None:
                yield row


def query_of_identifier(identifier: str) -> SequenceQuery:
    """The query for one variant by its ``variantInternalId``, e.g. ``chr17-43124027-ACT-A``.

    The position is 1-based, as VCF has it. Raises Problem (404) for another form.
    """
    match = INTERNAL_ID.fullmatch(identifier)
    if match is None:
        raise Problem(
            f"no variant {shown(identifier)}: identifiers are like chr17-43124027-ACT-A", 404
        )
    start = int(match["position"]) - 1
    return SequenceQuery(contig_named(match["contig"]), start, match["ref"], match["alt"])
