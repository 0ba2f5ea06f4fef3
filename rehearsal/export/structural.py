"""What text formats say about structural variants: SVTYPE, SVLEN and END of VCF 4.3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

_COPY_NUMBER = "CN"


@dataclass(frozen=True, slots=True)
class StructuralInfo:
    """The INFO fields of a site with symbolic alleles."""

    kind: str  # DEL, DUP, INS, INV or CNV, of the first symbolic allele
    lengths: tuple[int, ...]  # by alternate allele; negative where bases are lost
    end: int  # 1-based, the last affected base

    @property
    def text(self) -> str:
        """The fields as VCF writes them."""
        lengths = ",".join(map(str, self.lengths))
        return f"SVTYPE={self.kind};SVLEN={lengths};END={self.end}"


def is_symbolic(alt: str) -> bool:
    """Tell whether an alternate allele is a symbol, such as ``<DEL>``, and not bases.

    Args:
        alt: The allele.
    """
    return alt.startswith("<")


def symbolic_kind(alt: str) -> str:
    """Return the SVTYPE of a symbolic allele: DEL, DUP, INS, INV or CNV.

    Args:
        alt: The allele, such as ``<INS:ME:ALU>`` or ``<CN2>``.
    """
    kind = alt[1:-1].split(":")[0]
    return "CNV" if kind.startswith(_COPY_NUMBER) else kind


def structural_info(letters: Sequence[str], end: int, svlen: int) -> StructuralInfo | None:
    """Build the INFO fields of a site.

    Args:
        letters: The alleles, the reference first.
        end: 0-based exclusive end of the affected bases.
        svlen: Bases that are deleted, duplicated, inserted or inverted.

    Returns:
        The fields, or None if no allele is symbolic.
    """
    symbolic = [alt for alt in letters[1:] if is_symbolic(alt)]
    if not symbolic:
        return None
    lengths = tuple(_length(letters[0], alt, svlen) for alt in letters[1:])
    return StructuralInfo(symbolic_kind(symbolic[0]), lengths, end)


def _length(ref: str, alt: str, svlen: int) -> int:
    """Return the length of ALT minus that of REF; of an inversion, the inverted bases."""
    if not is_symbolic(alt):
        return len(alt) - len(ref)
    kind = symbolic_kind(alt)
    if kind == "CNV":
        return svlen * (int(alt[len(_COPY_NUMBER) + 1 : -1]) - 1)
    return -svlen if kind == "DEL" else svlen
