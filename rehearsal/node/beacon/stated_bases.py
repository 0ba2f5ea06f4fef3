"""Queries beside the node's public reference: the bases that they state, and names without them.

An allele's REF is what the reference has at its place. A query that states another one asks for an
allele that nobody can have. The reference is public, so this is decided before any data of people
are looked at, for every caller in the same way.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from rehearsal.errors import mismatch, shown
from rehearsal.genomes import genomic_names
from rehearsal.genomes.coding_sequence import reverse_complement
from rehearsal.genomes.variant_classes import LONGEST_INDEL
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.base_codes import may_be_same
from rehearsal.node.beacon.variant_queries import (
    PLAIN,
    BracketQuery,
    HgvsQuery,
    RangeQuery,
    SequenceQuery,
    StructuralQuery,
    VariantQuery,
)
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from rehearsal.stores.node_reference import ReferenceBases

_NEW_BASES = re.compile(r".*:[gm]\.[0-9_]+(?:delins(?P<bases>[ACGT]+)|inv)")
_MOST_REPLACED = 10_000  # bases that a name without them replaces


class _Stated(NamedTuple):
    """Bases that a query states."""

    contig: str
    start: int  # 0-based
    bases: str  # IUPAC codes


def contradiction(query: VariantQuery | None, reference: ReferenceBases | None) -> str | None:
    """Tell how a query contradicts the reference.

    Args:
        query: The query, on GRCh38.
        reference: The node's reference, or None if it has none.

    Returns:
        A warning, which says what the reference has there. None where the query states no bases at
        one place, or bases that the reference may have: it has N where it is not known.
    """
    if reference is None or query is None:
        return None
    stated = _stated(query)
    if stated is None or not stated.bases:
        return None
    contig, start, bases = stated
    there = reference.get(contig, start, start + len(bases))
    if there is None or there == bases or may_be_same(there, bases):
        return None
    has = f"{shown(there)}, which the reference has" if there else "a place before the end"
    expected = f"{has} at {contig}:{start + 1} (counted from 1)"
    return f"{mismatch('reference bases', expected, shown(bases))}; nobody has such an allele"


def _stated(query: VariantQuery) -> _Stated | None:
    """Return the bases of the reference that a query states, where it has only one place."""
    match query:
        case SequenceQuery(contig, start, ref):
            return _Stated(contig, start, ref or "")
        case StructuralQuery():
            return _Stated(query.contig, query.start, query.ref)
        case HgvsQuery(description):
            return _Stated(description.contig, description.start, description.stated)
        case BracketQuery(contig, (first, last)) if first == last:
            return _Stated(contig, first, query.restrictions.ref or "")
        case RangeQuery(contig, start) if _is_at_one_base(query):
            return _Stated(contig, start, query.restrictions.ref or "")
    return None


def _is_at_one_base(query: RangeQuery) -> bool:
    """Tell whether REF of what a range finds is at its start: an allele without letters may not."""
    given = query.restrictions
    return query.end - query.start == len(given.ref or "") == 1 and bool(given.alt)


def on_reference(
    description: hgvs.Description, reference: ReferenceBases | None
) -> hgvs.Description:
    """Complete a name that leaves out the bases of the reference, as an allele has it.

    ``g.43057063delinsA`` is ``g.43057063G>A``, and the inversion of a few bases is a ``delins``.

    Args:
        description: The description, on GRCh38.
        reference: The node's reference, or None if it has none.

    Returns:
        The description that nodes give the allele, or the same one.

    Raises:
        Problem: The new bases are those of the reference, or the name is that of a substitution
            whose base is not known without a reference (400).
    """
    match = None if description.stated else _NEW_BASES.fullmatch(description.text)
    if match is None:
        return description
    if reference is None:
        if description.end - description.start == len(match["bases"] or "") == 1:
            expected = "both bases, like g.43057063G>A, as this node has no reference"
            raise Problem.mismatch("genomicAlleleShortForm", expected, shown(description.text))
        return description
    there = _bases_of(description, reference, _MOST_REPLACED if match["bases"] else LONGEST_INDEL)
    if there is None:
        return description
    new = match["bases"] or reverse_complement(there)
    if new == there:
        expected = "bases other than those of the reference"
        raise Problem.mismatch("genomicAlleleShortForm", expected, shown(description.text))
    text = genomic_names.describe(description.contig, description.start, there, new)
    return hgvs.parse(text)


def _bases_of(description: hgvs.Description, reference: ReferenceBases, longest: int) -> str | None:
    """Return the bases of a description's range. None: too many, or not all known."""
    size = description.end - description.start
    if size > longest:
        return None
    there = reference.get(description.contig, description.start, description.end) or ""
    return there if len(there) == size and PLAIN.issuperset(there) else None
