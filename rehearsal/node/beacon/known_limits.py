"""What is no for everybody by public knowledge, and where a no says little.

All of it follows from the query, the node's reference and its gene model, never from people. So it
is told before the people are asked, and costs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rehearsal.errors import mismatch, shown
from rehearsal.genomes.variant_classes import LONGEST_INDEL
from rehearsal.node.beacon.effects_above import effects_below
from rehearsal.node.beacon.indels import Indel, indel_described, indel_of_bases, places_of
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
    Restrictions,
    SequenceQuery,
    StructuralQuery,
    VariantQuery,
)
from rehearsal.node.beacon.variant_types import finds_nothing
from rehearsal.node.beacon.vrs_index import VrsQuery

if TYPE_CHECKING:
    from rehearsal.genomes.gene_bases import GeneBases

MOST_NAMED = 20  # regions of a contig
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
NO_EFFECTS = (
    "filters: this node has no gene model and does not know the molecular effects of its "
    f"alleles{_NO_NO}"
)
NO_REPEATS = (
    "g_variants: this node was built without a reference, so that it does not know the other "
    f"places of an insertion or deletion in a repeat{_NO_NO}"
)
OTHER_SEQUENCE = (
    "g_variants: an identifier does not tell its sequence; those of alleles here are computed on "
    f"GRCh38, or on the node's own sequence where its bases are not real{_NO_NO}"
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
    return contradiction(query, node_data.reference) or _no_change(query)


def _no_change(query: VariantQuery | None) -> str | None:
    """Tell of a query that states the same bases twice that this is no variant."""
    stated = query.restrictions if isinstance(query, RangeQuery | BracketQuery) else query
    if not isinstance(stated, SequenceQuery | Restrictions) or stated.ref != stated.alt:
        return None
    if not stated.ref or not PLAIN.issuperset(stated.ref):
        return None
    expected = "bases other than those of the reference"
    return f"{mismatch('alternateBases', expected, shown(stated.alt))}; nobody has such an allele"


def outside(query: VariantQuery | None, node_data: NodeData) -> str | None:
    """Tell that the germline data of a node do not cover any base of a query.

    Args:
        query: The query, on GRCh38.
        node_data: The node's data, of which only the regions that they cover are used.

    Returns:
        A warning. None: some of its place is covered, or it has no place.
    """
    place = _place(query, node_data)
    if place is None:
        return None
    contig, start, end = place
    covered = node_data.regions.get(contig, ())
    if any(first <= end and start <= last for first, last in covered):
        return None
    has = ", ".join(f"{contig}:{first + 1}-{last}" for first, last in covered[:MOST_NAMED])
    others = ", ".join(node_data.regions) or "nothing"
    return (
        f"g_variants: the data of this node do not cover this place, but "
        f"{has or others} (counted from 1){_NO_NO}"
    )


def _place(query: VariantQuery | None, node_data: NodeData) -> tuple[str, int, int] | None:
    """Return contig, start and end of the place where a query searches, 0-based half-open."""
    match query:
        case SequenceQuery(contig, start, ref):
            return contig, start, start + len(ref or "N")
        case RangeQuery(contig, start, end):
            return contig, start, end
        case BracketQuery(contig, (first, _), (_, high)):
            return contig, first, high
        case HgvsQuery(description):
            return description.contig, description.start, description.end
        case StructuralQuery(contig, start):
            return contig, start, start + 1 + query.length
        case GeneQuery(symbol):
            gene = node_data.gene(symbol)
            return gene.contig, gene.start, gene.end
    return None


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
    if isinstance(query, VrsQuery):
        return (OTHER_SEQUENCE,)
    if isinstance(query, RangeQuery | BracketQuery | GeneQuery):
        effects = query.restrictions.effects
        return tuple(_limits_of_effects(effects, node_data)) if effects else ()
    if isinstance(query, HgvsQuery) and _replaces_unknown(query, node_data):
        return (REPLACED,)
    return tuple(_limits_of_indel(_indel(query), node_data))


def _limits_of_effects(effects: tuple[str, ...], node_data: NodeData) -> Iterator[str]:
    if node_data.gene_bases is None:
        yield NO_EFFECTS
    for one in effects:
        if not effects_below(one):
            expected = "an effect that nodes compute, or a term above one"
            yield f"{mismatch('filters', expected, shown(one))}{_NO_NO}"


def _limits_of_indel(indel: Indel | None, node_data: NodeData) -> Iterator[str]:
    if indel is None:
        return
    is_long = not indel.is_deletion and indel.length > LONGEST_INDEL
    if is_long and places_of(indel, node_data.reference) is None:
        yield LONG_INSERTION
    if not node_data.settings.knows_repeats:
        yield NO_REPEATS


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


def _indel(query: VariantQuery | None) -> Indel | None:
    """Return the insertion or deletion that a query names. None: it names none."""
    if isinstance(query, HgvsQuery):
        return indel_described(query.description)
    if isinstance(query, SequenceQuery) and PLAIN.issuperset(f"{query.ref}{query.alt}"):
        return indel_of_bases(query.contig, query.start, query.ref or "", query.alt)
    return None
