"""What is no for everybody by public knowledge, and where a no says little.

All of it follows from the query, the node's reference and its gene model, never from people. So it
is told before the people are asked, and costs nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rehearsal.errors import mismatch, shown
from rehearsal.genomes.variant_classes import LONGEST_INDEL
from rehearsal.node.beacon.indels import indel_described, indel_of_bases, places_of
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.protein_changes import residues
from rehearsal.node.beacon.stated_bases import contradiction
from rehearsal.node.beacon.transcript_names import ProteinQuery
from rehearsal.node.beacon.variant_queries import (
    PLAIN,
    BracketQuery,
    GeneQuery,
    HgvsQuery,
    RangeQuery,
    SequenceQuery,
    VariantQuery,
)
from rehearsal.node.beacon.variant_types import finds_nothing

if TYPE_CHECKING:
    from rehearsal.genomes.gene_bases import GeneBases
    from rehearsal.stores.node_reference import ReferenceBases

_NO_NO = "; this answer does not say no"
REPLACED = (
    "genomicAlleleShortForm: the bases that are replaced are not known here, so that an allele "
    f"that keeps some of them is not found by this name{_NO_NO}"
)
LONG_INSERTION = (
    f"g_variants: insertions of {LONGEST_INDEL + 1} bases and more may be listed here without "
    f"their bases, and these do not repeat bases of a known reference{_NO_NO}"
)
NO_GENE_MODEL = (
    "aminoacidChange: this node has no gene model and does not know what its alleles change in "
    f"proteins{_NO_NO}"
)
_WITHOUT_BASES = re.compile(r".*(?:delins[ACGT]+|inv)")


def known_no(query: VariantQuery | None, node_data: NodeData) -> str | None:
    """Tell why nobody can have what a query asks for.

    Args:
        query: The query, on GRCh38.
        node_data: The node's data, of which only public facts are used.

    Returns:
        A warning. None: it cannot be told without the people.
    """
    if isinstance(query, ProteinQuery):
        return _other_residue(query, node_data.gene_bases)
    if isinstance(query, RangeQuery | BracketQuery | GeneQuery):
        kind = query.restrictions.variant_type
        if finds_nothing(kind):
            expected = "a type that alleles of this node can have"
            return f"{mismatch('variantType', expected, shown(kind))}; nobody has one here"
    return contradiction(query, node_data.reference)


def _other_residue(query: ProteinQuery, genes: GeneBases | None) -> str | None:
    """Compare the amino acids that a change states with all proteins of its gene."""
    transcripts = [] if genes is None or query.gene is None else genes.of_gene(query.gene)
    stated = residues(query.change)
    if genes is None or not transcripts or not stated:
        return None
    differences = [_first_other(genes.protein(one), stated) for one in transcripts]
    if None in differences or (last := differences[-1]) is None:
        return None
    number, letter, there = last
    expected = f"{there or 'a residue'} at {number} of {query.gene}"
    found = shown(f"{letter}{number}")
    return f"{mismatch('aminoacidChange', expected, found)}; nobody has such a change"


def _first_other(protein: str, stated: list[tuple[int, str]]) -> tuple[int, str, str] | None:
    """Return the first stated residue that a protein has not: its number, it, and the protein's."""
    for number, letter in stated:
        if (there := protein[number - 1 : number]) != letter:
            return number, letter, there
    return None


def limits_of_no(query: VariantQuery | None, node_data: NodeData) -> tuple[str, ...]:
    """Tell why a node may have an allele although it does not find it by a query.

    Args:
        query: The query, on GRCh38.
        node_data: The node's data, of which only public facts are used.

    Returns:
        Warnings.
    """
    if isinstance(query, ProteinQuery):
        return _limits_of_protein(query, node_data.gene_bases)
    if isinstance(query, HgvsQuery) and _replaces_unknown(query, node_data):
        return (REPLACED,)
    return (LONG_INSERTION,) if _is_long_insertion(query, node_data.reference) else ()


def _limits_of_protein(query: ProteinQuery, genes: GeneBases | None) -> tuple[str, ...]:
    if genes is None:
        return (NO_GENE_MODEL,)
    if query.gene is None or genes.of_gene(query.gene):
        return ()
    expected = "a gene with coding transcripts in this node's gene model"
    return (f"{mismatch('aminoacidChange', expected, shown(query.gene))}{_NO_NO}",)


def _replaces_unknown(query: HgvsQuery, node_data: NodeData) -> bool:
    """Tell whether a name replaces bases that neither it nor the reference states."""
    contig, start, end = query.description.contig, query.description.start, query.description.end
    named = query.description.stated or not _WITHOUT_BASES.fullmatch(query.description.text)
    if named or end - start > LONGEST_INDEL:
        return False
    reference = node_data.reference
    there = "" if reference is None else reference.get(contig, start, end) or ""
    return len(there) < end - start or not PLAIN.issuperset(there)


def _is_long_insertion(query: VariantQuery | None, reference: ReferenceBases | None) -> bool:
    indel = None
    if isinstance(query, HgvsQuery):
        indel = indel_described(query.description)
    elif isinstance(query, SequenceQuery) and PLAIN.issuperset(f"{query.ref}{query.alt}"):
        indel = indel_of_bases(query.contig, query.start, query.ref or "", query.alt)
    if indel is None or indel.is_deletion or indel.length <= LONGEST_INDEL:
        return False
    return places_of(indel, reference) is None
