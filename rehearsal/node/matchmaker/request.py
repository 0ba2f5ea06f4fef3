"""What a match request asks: its patient, read and checked (Matchmaker Exchange API 1.1).

Beyond the standard a patient has ``_consent``: the uses that the asking patient permits, as DUO
terms. Without a feature and a gene or variant there is nothing to match by: both are needed here.
Keys that are not known are passed over, as the standard lets others add some.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from msgspec import UNSET, Meta, UnsetType, field

from rehearsal.errors import shown
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.contig_names import ASSEMBLIES, find_contig
from rehearsal.model import Variant
from rehearsal.node.access.consent import TERM
from rehearsal.node.access.settings import CLINICAL_CARE
from rehearsal.web.model_errors import ModelError
from rehearsal.web.openapi import schema_of
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import RequestModel, convert_values, decode_body, whole

T = TypeVar("T")

MAX_FEATURES = 200
MAX_GENOMIC = 500
MAX_TEXT = 200  # characters of an identifier, a gene, a label
MAX_BASES = 1000
LONGEST = max(CONTIG_LENGTHS.values())
GENOMIC_FEATURES = "patient.genomicFeatures"

Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
Bases = Annotated[str, Meta(pattern=whole("[ACGTN]+"), max_length=MAX_BASES, title="A, C, G, T, N")]
Use = Annotated[
    str, Meta(pattern=whole(TERM.pattern), title="a DUO term", examples=[CLINICAL_CARE])
]


class MatchmakerModel(RequestModel, forbid_unknown_fields=False):
    """An object whose texts are printable: answers and logs repeat them."""

    def __post_init__(self) -> None:
        names = zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True)
        for name, key in names:
            value = getattr(self, name)
            if isinstance(value, str) and not value.isprintable():
                raise ModelError("printable characters", shown(value), key)


class Contact(MatchmakerModel):
    name: Text
    href: Text


class Feature(MatchmakerModel):
    id: Annotated[Text, Meta(description="a term of HPO")]
    label: Text | UnsetType = UNSET
    observed: Literal["yes", "no"] = "yes"
    age_of_onset: Text | UnsetType = UNSET


class CandidateGene(MatchmakerModel):
    id: Annotated[Text, Meta(description="symbol")]


class VariantReference(MatchmakerModel):
    """What every variant says, of whatever assembly."""

    assembly: Annotated[Text, Meta(description="GRCh38; of others the gene alone is used")]
    reference_name: Annotated[Text, Meta(description="17, chr17 or NC_000017.11")]


class CandidateVariant(VariantReference):
    """A variant of GRCh38."""

    start: Annotated[int, Meta(ge=0, lt=LONGEST, description="0-based")]
    reference_bases: Bases
    alternate_bases: Bases


# read as a CandidateVariant if it is of GRCh38 and has a position
AnyVariant = Annotated[
    dict[str, Any],
    Meta(
        extra_json_schema=schema_of(CandidateVariant)
        | {"title": "Variant", "description": "", "required": ["assembly", "referenceName"]}
    ),
]


class GenomicFeature(MatchmakerModel):
    """A gene, a variant, or both."""

    gene: CandidateGene | UnsetType = UNSET
    variant: AnyVariant | UnsetType = UNSET
    zygosity: Annotated[Literal[1, 2], Meta(description="copies")] | None = None


class MatchPatient(MatchmakerModel):
    id: Text
    contact: Contact
    features: Annotated[tuple[Feature, ...], Meta(min_length=1, max_length=MAX_FEATURES)]
    genomic_features: Annotated[
        tuple[GenomicFeature, ...], Meta(min_length=1, max_length=MAX_GENOMIC)
    ]
    consent: Annotated[
        tuple[Use, ...], Meta(max_length=MAX_FEATURES, description="uses that the patient permits")
    ] = field(name="_consent")
    disorders: Annotated[tuple[Any, ...], Meta(max_length=MAX_FEATURES)] = ()
    label: Text | UnsetType = UNSET
    species: Text | UnsetType = UNSET
    sex: Text | UnsetType = UNSET
    age_of_onset: Text | UnsetType = UNSET
    inheritance_mode: Text | UnsetType = UNSET


class MatchBody(MatchmakerModel):
    patient: MatchPatient


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """``observed``, ``absent``: HPO terms; ``genes``: symbols; ``variants``: of GRCh38. ``uses``:
    what the asking patient permits. ``gene_of``: the gene that came with a variant. ``notes``:
    what was sent and cannot be used."""

    id: str
    observed: tuple[str, ...]
    absent: tuple[str, ...]
    genes: tuple[str, ...]
    variants: tuple[Variant, ...]
    uses: tuple[str, ...]
    gene_of: Mapping[Variant, str]
    notes: tuple[str, ...]


def read_match(body: bytes) -> MatchRequest:
    """The request in a body. Raises Problem (400) that names the key."""
    patient = decode_body(body, MatchBody).patient
    observed, absent = (_terms(patient, choice) for choice in ("yes", "no"))
    if not observed:
        raise Problem("patient.features: at least one HPO term that was observed")
    candidates = _read_candidates(patient.genomic_features)
    return MatchRequest(
        id=patient.id,
        observed=observed,
        absent=absent,
        uses=patient.consent,
        genes=_distinct(one.gene for one in candidates),
        variants=_distinct(one.variant for one in candidates),
        gene_of={
            one.variant: one.gene
            for one in candidates
            if one.variant is not None and one.gene is not None
        },
        notes=tuple(one.note for one in candidates if one.note),
    )


def _distinct(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(one for one in values if one is not None))


def _terms(patient: MatchPatient, choice: str) -> tuple[str, ...]:
    return _distinct(one.id for one in patient.features if one.observed == choice)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A gene, a variant, or both. ``note``: why its variant is not used."""

    gene: str | None
    variant: Variant | None
    note: str = ""


def _read_candidates(features: Sequence[GenomicFeature]) -> list[_Candidate]:
    return [_read_candidate(f"{GENOMIC_FEATURES}[{i}]", one) for i, one in enumerate(features)]


def _read_candidate(place: str, feature: GenomicFeature) -> _Candidate:
    gene = feature.gene.id if isinstance(feature.gene, CandidateGene) else None
    if not isinstance(feature.variant, dict):
        if gene is None:
            raise Problem(f"{place}: a gene, a variant, or both")
        return _Candidate(gene, None)
    place = f"{place}.variant"
    reason = _reason_not_to_compare(place, feature.variant)
    if reason is None:
        return _Candidate(gene, _read_variant(place, feature.variant))
    if gene is None:
        raise Problem(f"{place}: {reason}, and there is no gene")
    return _Candidate(gene, None, f"{place}: {reason}: matched by the gene alone")


def _reason_not_to_compare(place: str, variant: Mapping[str, Any]) -> str | None:
    """Why a variant cannot be compared with the node's; None for one that can."""
    assembly = convert_values(variant, VariantReference, within=place).assembly
    if assembly not in ASSEMBLIES:
        return f"of {shown(assembly)}, not GRCh38"
    if variant.keys().isdisjoint(("start", "referenceBases", "alternateBases")):
        return "no position and bases"
    return None


def _read_variant(place: str, variant: Mapping[str, Any]) -> Variant:
    found = convert_values(variant, CandidateVariant, within=place)
    contig = find_contig(found.reference_name)
    if contig is None:
        raise Problem(f"{place}.referenceName: a contig of GRCh38, not {found.reference_name!r}")
    if found.start >= CONTIG_LENGTHS[contig]:
        raise Problem(f"{place}.start: a 0-based position on {contig}, not {found.start}")
    return Variant(contig, found.start, found.reference_bases, found.alternate_bases)
