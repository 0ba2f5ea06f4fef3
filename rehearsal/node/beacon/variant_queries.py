"""The shapes in which a variant can be asked for, and which parameters make which shape.

Coordinates are 0-based half-open, as in the Beacon standard. A request whose parameters do not
make exactly one shape is refused: dropping one of them would answer another question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass

from rehearsal.errors import shown
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.contig_names import ASSEMBLIES
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.contigs import contig_named
from rehearsal.node.beacon.request_models import BASES, VariantParameters
from rehearsal.web.problem import Problem

IUPAC_CODES = re.compile(BASES)
WHOLE_NUMBER = re.compile("[+-]?[0-9]{1,18}")
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

NARROWING = frozenset(
    {"variantType", "variantMinLength", "variantMaxLength", "referenceBases", "alternateBases"}
)

AMINO_ACIDS = {
    **{"Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E"},
    **{"Gly": "G", "His": "H", "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F"},
    **{"Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*"},
}


def make_variant_query(
    parameters: VariantParameters, given: Collection[str]
) -> VariantQuery | None:
    """The query that request parameters make; None when there are none of them.

    ``given``: names of those that are there, as they were sent. Raises Problem with the reason
    for an ill-mixed shape or an impossible value.
    """
    assembly = _text("assemblyId", parameters.assembly_id)
    if assembly is not None and assembly.partition(".")[0] not in ASSEMBLIES:
        raise Problem(f"assemblyId {shown(assembly)}: this node holds GRCh38 only")
    if "mateName" in given:
        raise Problem("mateName: this node holds no variants between two contigs")
    names = set(given) - {"assemblyId"}
    if not names:
        return None
    for leading, others, make in LED_BY:
        if leading in names:
            if strangers := names - others - {leading}:
                raise Problem(f"{leading} cannot be combined with {', '.join(sorted(strangers))}")
            return make(parameters)
    return _placed_query(parameters, names)


def _hgvs_query(parameters: VariantParameters) -> HgvsQuery:
    description = _text("genomicAlleleShortForm", parameters.genomic_allele_short_form)
    return HgvsQuery(hgvs.parse(description or ""))


def _protein_query(parameters: VariantParameters) -> ProteinQuery:
    """Of ``V600E`` for any of ``V600E``, ``Val600Glu``, ``p.Val600Glu``."""
    given = _text("aminoacidChange", parameters.aminoacid_change) or ""
    match = re.fullmatch(r"(?:p\.)?([A-Z][a-z]{2}|[A-Z*])(\d{1,5})([A-Z][a-z]{2}|[A-Z*?=])", given)
    if match is None:
        raise Problem(f"aminoacidChange {shown(given)} is not of the form V600E")
    old, position, new = match.groups()
    change = f"{AMINO_ACIDS.get(old, old)}{position}{AMINO_ACIDS.get(new, new)}"
    return ProteinQuery(change, _text("geneId", parameters.gene_id))


def _gene_query(parameters: VariantParameters) -> GeneQuery:
    return GeneQuery(_text("geneId", parameters.gene_id) or "", _restrictions(parameters))


# a parameter that decides what is asked for, and those that may go with it
LED_BY: tuple[tuple[str, frozenset[str], Callable[[VariantParameters], VariantQuery]], ...] = (
    ("genomicAlleleShortForm", frozenset(), _hgvs_query),
    ("aminoacidChange", frozenset({"geneId"}), _protein_query),
    ("geneId", NARROWING, _gene_query),
)


def _placed_query(parameters: VariantParameters, given: set[str]) -> VariantQuery:
    """A sequence, range or bracket query."""
    if "start" not in given:
        raise Problem(f"{', '.join(sorted(given))}: start is missing")
    name = _text("referenceName", parameters.reference_name)
    if name is None:
        raise Problem("start: referenceName is missing")
    contig = contig_named(name)
    starts = _positions("start", parameters.start, contig)
    ends = _positions("end", parameters.end, contig)
    if not ends:
        return _sequence_query(parameters, given, contig, starts)
    if len(starts) != len(ends):
        raise Problem("start and end: one value each (range) or two each (bracket)")
    if len(starts) == 1:
        return _range_query(parameters, contig, starts[0], ends[0])
    return _bracket_query(parameters, contig, (starts[0], starts[1]), (ends[0], ends[1]))


def _sequence_query(
    parameters: VariantParameters, given: set[str], contig: str, starts: list[int]
) -> SequenceQuery:
    if len(starts) != 1:
        raise Problem("start: two values (bracket) need two values of end")
    alt = _bases("alternateBases", parameters.alternate_bases)
    if alt is None:
        raise Problem("start without end needs alternateBases; a range needs end")
    if strangers := given & NARROWING - {"referenceBases", "alternateBases"}:
        raise Problem(f"{', '.join(sorted(strangers))}: only together with end")
    ref = _bases("referenceBases", parameters.reference_bases)
    if not ref and not alt:
        raise Problem("referenceBases and alternateBases are both empty")
    return SequenceQuery(contig, starts[0], ref, alt)


def _range_query(parameters: VariantParameters, contig: str, start: int, end: int) -> RangeQuery:
    restrictions = _restrictions(parameters)
    if start >= end:
        raise Problem(f"start {start} must be less than end {end}")
    return RangeQuery(contig, start, end, restrictions)


def _bracket_query(
    parameters: VariantParameters, contig: str, start: tuple[int, int], end: tuple[int, int]
) -> BracketQuery:
    restrictions = _restrictions(parameters)
    if start[0] > start[1] or end[0] > end[1] or start[0] >= end[1]:
        raise Problem("start and end: a bracket's values go from smaller to larger")
    return BracketQuery(contig, start, end, restrictions)


def _restrictions(parameters: VariantParameters) -> Restrictions:
    low = whole_number("variantMinLength", parameters.variant_min_length)
    high = whole_number("variantMaxLength", parameters.variant_max_length, 1)
    if low is not None and high is not None and low > high:
        raise Problem(f"variantMinLength {low} is more than variantMaxLength {high}")
    return Restrictions(
        _variant_type(parameters),
        low,
        high,
        _bases("referenceBases", parameters.reference_bases),
        _bases("alternateBases", parameters.alternate_bases),
    )


def _variant_type(parameters: VariantParameters) -> str | None:
    given = _text("variantType", parameters.variant_type)
    if given is None:
        return None
    kind = VARIANT_TYPES.get(given.upper(), given.upper())
    if kind not in VARIANT_TYPES and kind not in ABSENT_TYPES:
        known = ", ".join(sorted({*VARIANT_TYPES.values(), *ABSENT_TYPES}))
        raise Problem(f"variantType {shown(kind)} is none of {known}")
    return kind


def _positions(name: str, sent: int | str | tuple[int | str, ...] | None, contig: str) -> list[int]:
    items = sent if isinstance(sent, tuple) else (sent,)
    numbers = [whole_number(name, item, 0 if name == "start" else 1) for item in items]
    for number in numbers:
        if number is not None and number > CONTIG_LENGTHS[contig]:
            raise Problem(f"{name} {number} lies beyond {contig} ({CONTIG_LENGTHS[contig]})")
    return [number for number in numbers if number is not None]


def whole_number(name: str, sent: int | str | None, minimum: int = 0) -> int | None:
    """A number that may be sent as text. Raises Problem for another text or one below the
    minimum."""
    if sent is None or isinstance(sent, int):
        return sent
    if not WHOLE_NUMBER.fullmatch(sent):
        raise Problem(f"{name}: a whole number, not {shown(sent)}")
    if int(sent) < minimum:
        raise Problem(f"{name}: a whole number of at least {minimum}, not {shown(sent)}")
    return int(sent)


def _text(name: str, sent: str | tuple[str, ...] | None) -> str | None:
    """A text that may be sent as a list of one."""
    text = sent[0] if isinstance(sent, tuple) else sent
    if text is not None and not text.isprintable():
        raise Problem(f"{name}: one text that can be printed, not {shown(text)}")
    return text


def _bases(name: str, sent: str | tuple[str, ...] | None) -> str | None:
    text = _text(name, sent)
    if text is None:
        return None
    if not IUPAC_CODES.fullmatch(text):
        raise Problem(f"{name}: IUPAC codes of bases, not {shown(text)}")
    return text.upper().replace("U", "T").strip(".-")
