"""What kind of variant an allele is, how long it is and where it ends: the truth's own reading."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from rehearsal.model import Variant

if TYPE_CHECKING:
    import tskit

LOSS, GAIN = "EFO:0030067", "EFO:0030070"  # copy number loss and gain
# names that a symbolic allele answers to, by its beginning
SYMBOLIC = (
    ("<DEL", {"DEL", "CNV", LOSS}),
    ("<CN0", {"DEL", "CNV", LOSS}),
    ("<DUP:TANDEM", {"DUP", "DUP:TANDEM", "CNV", GAIN}),
    ("<CN", {"DUP", "CNV", GAIN}),
    ("<INS:ME", {"INS", "INS:ME"}),
    ("<INV", {"INV"}),
)

KNOWN = {"SNP", "MNP", "INS", "DEL", "INDEL", "DELINS"}.union(*(names for _, names in SYMBOLIC))


class Extent(NamedTuple):
    """The bases of the reference that a variant affects, and its length."""

    end: int  # 0-based, exclusive
    length: int  # of a structural variant; 0: the site has letters


def extents(trees: tskit.TreeSequence) -> tuple[np.ndarray, np.ndarray]:
    """Read the extent of every site, from its letters or its metadata.

    Args:
        trees: The tree sequence of a block.

    Returns:
        Ends (0-based, exclusive) and lengths of structural variants, each of shape (sites,).
    """
    sites = trees.tables.sites
    ends = trees.sites_position + np.diff(sites.ancestral_state_offset.astype(float))
    lengths = np.zeros(trees.num_sites, dtype=np.int64)
    for site in np.flatnonzero(np.diff(sites.metadata_offset.astype(float)) > 0):
        about = trees.site(int(site)).metadata
        ends[site], lengths[site] = about["end"], about["svlen"]
    return ends.astype(np.int64), lengths


def alone(variant: Variant) -> Variant:
    """Name an allele as if its site had no other: without bases that REF and ALT need not have.

    The shared last bases go first, then the shared first ones. One base of each stays.

    Args:
        variant: The variant by the REF of its site.
    """
    start, ref, alt = variant.start, variant.ref, variant.alt
    if alt.startswith("<") or len(ref) == len(alt) == 1:
        return variant
    behind = _count_shared(ref[:0:-1], alt[:0:-1])
    ref, alt = ref[: len(ref) - behind], alt[: len(alt) - behind]
    before = _count_shared(ref[:-1], alt[:-1])
    return Variant(variant.contig, start + before, ref[before:], alt[before:])


def _count_shared(one: str, other: str) -> int:
    """Count the first letters that two texts share."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def names_of(variant: Variant) -> set[str]:
    """Return the names by which a query may ask for variants of this kind.

    Args:
        variant: The variant.

    Returns:
        Values of ``variantType`` that find it.
    """
    ref, alt = variant.ref, variant.alt
    for beginning, names in SYMBOLIC:
        if alt.startswith(beginning):
            return names
    if len(ref) == len(alt):
        return {"SNP"} if changed_bases(variant) == 1 else {"MNP"}
    long, short = (ref, alt) if len(ref) > len(alt) else (alt, ref)
    cut = range(len(short) + 1)
    if any(long.startswith(short[:i]) and long.endswith(short[i:]) for i in cut):
        return {"INDEL", "DEL" if long is ref else "INS"}
    return {"INDEL", "DELINS"}


def changed_bases(variant: Variant) -> int:
    """Count the bases of the longer allele that the other does not share at its ends.

    Args:
        variant: The variant, with letters as alleles.
    """
    ref, alt = variant.ref, variant.alt
    most = min(len(ref), len(alt))
    first = next((i for i in range(most) if ref[i] != alt[i]), most)
    last = next((i for i in range(most) if ref[-1 - i] != alt[-1 - i]), most)
    return max(len(ref), len(alt)) - min(first + last, most)
