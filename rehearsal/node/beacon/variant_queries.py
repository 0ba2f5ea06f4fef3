"""The shapes in which a variant can be asked for, and which parameters make which shape.

Coordinates are 0-based half-open, as in the Beacon standard. A request whose parameters do not
make exactly one shape is refused: dropping one of them would answer another question.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.contigs import ASSEMBLIES, contig_named
from rehearsal.web.problem import Problem, shown

BASES = re.compile(r"[ACGTUNRYSWKMBDHV.\-]*", re.IGNORECASE)
VARIANT_TYPES = {
    **dict.fromkeys(("SNP", "SNV", "SO:0001483"), "SNP"),
    **dict.fromkeys(("MNP", "MNV", "SO:0002007"), "MNP"),
    **dict.fromkeys(("INS", "SO:0000667"), "INS"),
    **dict.fromkeys(("DEL", "SO:0000159"), "DEL"),
    **dict.fromkeys(("INDEL", "DELINS", "SO:1000032"), "INDEL"),
}
# copy numbers are not simulated: a query for them is understood, and finds nothing
ABSENT_TYPES = frozenset({"DUP", "CNV", "BND", "INV", "DUP:TANDEM", "DEL:ME", "INS:ME"})


@dataclass(frozen=True, slots=True)
class Restrictions:
    """What a range, bracket or gene query may ask of each variant beyond its place."""

    variant_type: str | None = None  # SNP, MNP, INS, DEL, INDEL, or one of ABSENT_TYPES
    minimum_length: int | None = None  # bases of the longer of the trimmed alleles, inclusive
    maximum_length: int | None = None
    ref: str | None = None  # IUPAC codes
    alt: str | None = None


@dataclass(frozen=True, slots=True)
class SequenceQuery:
    """Exactly this allele: ``alt`` (and ``ref``, when given) at ``start``. IUPAC codes."""

    contig: str
    start: int
    ref: str | None
    alt: str


@dataclass(frozen=True, slots=True)
class RangeQuery:
    """All variants that overlap ``[start, end)``, wholly or in part."""

    contig: str
    start: int
    end: int
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class BracketQuery:
    """All variants whose start and end lie in these closed intervals of coordinates."""

    contig: str
    start: tuple[int, int]
    end: tuple[int, int]
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class GeneQuery:
    """All variants that overlap a gene of the node's table."""

    gene: str
    restrictions: Restrictions


@dataclass(frozen=True, slots=True)
class ProteinQuery:
    """Variants that change a protein in this way (one-letter form), in any gene or in one."""

    change: str
    gene: str | None


@dataclass(frozen=True, slots=True)
class HgvsQuery:
    """The allele with this genomic description."""

    description: hgvs.Description


VariantQuery = SequenceQuery | RangeQuery | BracketQuery | GeneQuery | ProteinQuery | HgvsQuery

PLACE = frozenset({"referenceName", "start", "end"})
NARROWING = frozenset(
    {"variantType", "variantMinLength", "variantMaxLength", "referenceBases", "alternateBases"}
)
PARAMETERS = PLACE | NARROWING | {"assemblyId", "geneId", "aminoacidChange"}
PARAMETERS |= {"genomicAlleleShortForm", "mateName"}

AMINO_ACIDS = {
    **{"Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E"},
    **{"Gly": "G", "His": "H", "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F"},
    **{"Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*"},
}


def variant_query(values: Mapping[str, Any]) -> VariantQuery | None:
    """The query that request parameters make; None when there are none of them.

    Values are text, whole numbers or lists of them, as GET and POST bring them.
    Raises Problem with the reason for an ill-mixed shape or an impossible value.
    """
    given = {key for key in values if key in PARAMETERS and values[key] is not None}
    assembly = text(values, "assemblyId")
    if assembly is not None and assembly.partition(".")[0] not in ASSEMBLIES:
        raise Problem(f"assemblyId {shown(assembly)}: this node holds GRCh38 only")
    given.discard("assemblyId")
    if "mateName" in given:
        raise Problem("mateName: this node holds no variants between two contigs")
    if not given:
        return None
    if "genomicAlleleShortForm" in given:
        _alone(given, "genomicAlleleShortForm", frozenset())
        return HgvsQuery(hgvs.parse(text(values, "genomicAlleleShortForm") or ""))
    if "aminoacidChange" in given:
        _alone(given, "aminoacidChange", frozenset({"geneId"}))
        return ProteinQuery(_protein_change(values), text(values, "geneId"))
    if "geneId" in given:
        _alone(given, "geneId", NARROWING)
        return GeneQuery(text(values, "geneId") or "", _restrictions(values))
    return _placed_query(values, given)


def _alone(given: set[str], name: str, allowed: frozenset[str]) -> None:
    strangers = given - allowed - {name}
    if strangers:
        raise Problem(f"{name} cannot be combined with {', '.join(sorted(strangers))}")


def _placed_query(values: Mapping[str, Any], given: set[str]) -> VariantQuery:
    """A sequence, range or bracket query."""
    if "start" not in given:
        raise Problem(f"{', '.join(sorted(given))}: start is missing")
    name = text(values, "referenceName")
    if name is None:
        raise Problem("start: referenceName is missing")
    contig = contig_named(name)
    starts, ends = _positions(values, "start", contig), _positions(values, "end", contig)
    if not ends:
        return _sequence_query(values, given, contig, starts)
    if len(starts) != len(ends):
        raise Problem("start and end: one value each (range) or two each (bracket)")
    restrictions = _restrictions(values)
    if len(starts) == 1:
        if starts[0] >= ends[0]:
            raise Problem(f"start {starts[0]} must be less than end {ends[0]}")
        return RangeQuery(contig, starts[0], ends[0], restrictions)
    if starts[0] > starts[1] or ends[0] > ends[1] or starts[0] >= ends[1]:
        raise Problem("start and end: a bracket's values go from smaller to larger")
    return BracketQuery(contig, (starts[0], starts[1]), (ends[0], ends[1]), restrictions)


def _sequence_query(
    values: Mapping[str, Any], given: set[str], contig: str, starts: list[int]
) -> SequenceQuery:
    if len(starts) != 1:
        raise Problem("start: two values (bracket) need two values of end")
    alt = _bases(values, "alternateBases")
    if alt is None:
        raise Problem("start without end needs alternateBases; a range needs end")
    strangers = given & NARROWING - {"referenceBases", "alternateBases"}
    if strangers:
        raise Problem(f"{', '.join(sorted(strangers))}: only together with end")
    ref = _bases(values, "referenceBases")
    if not ref and not alt:
        raise Problem("referenceBases and alternateBases are both empty")
    return SequenceQuery(contig, starts[0], ref, alt)


def _restrictions(values: Mapping[str, Any]) -> Restrictions:
    kind = text(values, "variantType")
    if kind is not None:
        kind = VARIANT_TYPES.get(kind.upper(), kind.upper())
        if kind not in VARIANT_TYPES and kind not in ABSENT_TYPES:
            known = ", ".join(sorted({*VARIANT_TYPES.values(), *ABSENT_TYPES}))
            raise Problem(f"variantType {shown(kind)} is none of {known}")
    low = whole_number(values, "variantMinLength", 0)
    high = whole_number(values, "variantMaxLength", 1)
    if low is not None and high is not None and low > high:
        raise Problem(f"variantMinLength {low} is more than variantMaxLength {high}")
    ref, alt = _bases(values, "referenceBases"), _bases(values, "alternateBases")
    return Restrictions(kind, low, high, ref, alt)


def _protein_change(values: Mapping[str, Any]) -> str:
    """``V600E`` for any of ``V600E``, ``Val600Glu``, ``p.Val600Glu``."""
    given = text(values, "aminoacidChange") or ""
    match = re.fullmatch(r"(?:p\.)?([A-Z][a-z]{2}|[A-Z*])(\d{1,5})([A-Z][a-z]{2}|[A-Z*?=])", given)
    if match is None:
        raise Problem(f"aminoacidChange {shown(given)} is not of the form V600E")
    old, position, new = match.groups()
    return f"{AMINO_ACIDS.get(old, old)}{position}{AMINO_ACIDS.get(new, new)}"


def text(values: Mapping[str, Any], key: str) -> str | None:
    """A parameter that must be text, or None."""
    value = values.get(key)
    if value is None:
        return None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, str) and len(value) <= 5000 and value.isprintable():
        return value
    raise Problem(f"{key}: one text, not {shown(value)}")


def whole_number(values: Mapping[str, Any], key: str, minimum: int = 0) -> int | None:
    """A parameter that must be a whole number of at least ``minimum``, or None."""
    value = values.get(key)
    return None if value is None else _whole(key, value, minimum)


def _positions(values: Mapping[str, Any], key: str, contig: str) -> list[int]:
    given = values.get(key)
    items = given if isinstance(given, list) else [] if given is None else [given]
    if len(items) > 2 or (isinstance(given, list) and not given):
        raise Problem(f"{key}: one or two values")
    minimum = 0 if key == "start" else 1
    numbers = [_whole(key, item, minimum) for item in items]
    for number in numbers:
        if number > CONTIG_LENGTHS[contig]:
            raise Problem(f"{key} {number} lies beyond {contig} ({CONTIG_LENGTHS[contig]})")
    return numbers


def _whole(key: str, value: Any, minimum: int) -> int:
    if type(value) is int and minimum <= value < 2**63:
        return value
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,18}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Problem(f"{key}: a whole number, not {shown(value)}")
    if not minimum <= value < 2**63:
        raise Problem(f"{key}: a whole number of at least {minimum}, not {shown(value)}")
    return value


def _bases(values: Mapping[str, Any], key: str) -> str | None:
    value = text(values, key)
    if value is None:
        return None
    if not BASES.fullmatch(value):
        raise Problem(f"{key} {shown(value)}: IUPAC codes of bases only")
    return value.upper().replace("U", "T").strip(".-")
