"""Alleles in normal form: the fewest bases that name them.

VCF gives all alleles of a site one REF, which reaches to the end of the longest deletion there.
Where that deletion is absent, the others need fewer bases: a record is cut to what its own alleles
need, and an allele that stands alone to what it needs. So one allele has one name in all files.

Only last bases are cut. All insertions and deletions of a site stand behind its first base, so the
first bases never are more than are needed. Left-aligned and cut, an
allele is in the normal form of Tan, Abecasis and Kang 2015 (doi:10.1093/bioinformatics/btv112).
"""

from __future__ import annotations

from collections.abc import Sequence


def shared_end(*alleles: str) -> int:
    """Count the last bases that alleles share and can all lose, with a base left of each.

    Args:
        alleles: REF and alternate alleles, as in VCF.

    Returns:
        The number of bases, 0 where an allele is symbolic.
    """
    if any(allele.startswith("<") for allele in alleles):
        return 0
    most = min(map(len, alleles)) - 1
    shared = 0
    while shared < most and len({allele[-1 - shared] for allele in alleles}) == 1:
        shared += 1
    return shared


def own_name(ref: str, alt: str) -> tuple[str, str]:
    """Cut an allele to the fewest bases that name it alone.

    Args:
        ref: REF of its site, as in VCF.
        alt: The alternate allele.

    Returns:
        REF and ALT without the last bases that they share.
    """
    shared = shared_end(ref, alt)
    return (ref[: len(ref) - shared], alt[: len(alt) - shared])


def without_shared_bases(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Remove the shared last bases, then the shared first ones, but leave a base in REF and ALT.

    Args:
        start: Position of the first REF base.
        ref: Bases of the reference.
        alt: Bases instead of them.

    Returns:
        Position, REF and ALT. Of a substitution or of bases that are replaced by others, this is
        the only form.
    """
    most = min(len(ref), len(alt)) - 1
    end = first = 0
    while end < most and ref[-1 - end] == alt[-1 - end]:
        end += 1
    while first < most - end and ref[first] == alt[first]:
        first += 1
    return start + first, ref[first : len(ref) - end], alt[first : len(alt) - end]


def states_by_name(alleles: Sequence[str | None]) -> dict[tuple[str, str], str]:
    """List the alternate alleles of a site of a tree sequence by their own names.

    Args:
        alleles: The ancestral state, then the others; tskit adds None for samples without any.

    Returns:
        The state by REF and ALT.
    """
    ref, *alts = (allele for allele in alleles if allele is not None)
    return {own_name(ref, alt): alt for alt in alts}


def is_normal(ref: str, alt: str) -> bool:
    """Tell whether an allele is left-aligned and has no base too many.

    That is so if the last bases differ, and the first ones do, or one allele is a single base
    (Tan, Abecasis and Kang 2015).

    Args:
        ref: Bases of the reference.
        alt: Bases instead of them.
    """
    return ref[-1] != alt[-1] and (ref[0] != alt[0] or min(len(ref), len(alt)) == 1)
