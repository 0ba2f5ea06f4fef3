"""Parses a match request (Matchmaker Exchange API 1.1).

In addition to the standard, a patient has ``_consent``: the uses that the patient of the request
permits, as DUO terms. Matching requires at least one feature, and at least one gene or variant.
Unknown keys are ignored, because the standard lets others add keys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from msgspec import UNSET, Meta, UnsetType, field

from rehearsal.errors import mismatch, shown
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

MAX_BODY = 256 * 1024  # bytes
MAX_NESTING = 3000  # lists and objects, for the most features and candidates
MAX_FEATURES = 200
MAX_GENOMIC = 500
MAX_TEXT = 200  # characters of an identifier, a gene, a label
MAX_BASES = 1000
LONGEST = max(CONTIG_LENGTHS.values())
GENOMIC_FEATURES = "patient.genomicFeatures"

Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
Unused = Annotated[Text | UnsetType, Meta(description="Not used for matching.")]
Bases = Annotated[str, Meta(pattern=whole("[ACGTN]+"), max_length=MAX_BASES, title="A, C, G, T, N")]
Use = Annotated[
    str, Meta(pattern=whole(TERM.pattern), title="a DUO term", examples=[CLINICAL_CARE])
]


class MatchmakerModel(RequestModel, forbid_unknown_fields=False):
    """An object whose texts are printable, because answers and logs repeat them."""

    def __post_init__(self) -> None:
        names = zip(self.__struct_fields__, self.__struct_encode_fields__, strict=True)
        for name, key in names:
            value = getattr(self, name)
            if isinstance(value, str) and not value.isprintable():
                raise ModelError("printable characters", shown(value), key)


class Contact(MatchmakerModel):
    """How to reach the clinician who asks."""

    name: Annotated[Text, Meta(description="Name of the clinician.")]
    href: Annotated[Text, Meta(description="Address, as mailto: or https: URL.")]


class Feature(MatchmakerModel):
    """A phenotypic feature, observed or excluded."""

    id: Annotated[Text, Meta(description="Term of HPO, for example HP:0001250.")]
    label: Unused = UNSET
    observed: Annotated[
        Literal["yes", "no"], Meta(description="Whether it was observed or excluded.")
    ] = "yes"
    age_of_onset: Unused = UNSET


class CandidateGene(MatchmakerModel):
    """A gene that may cause the disease."""

    id: Annotated[Text, Meta(description="Gene symbol.")]


class VariantReference(MatchmakerModel):
    """The keys that every variant has, of any assembly."""

    assembly: Annotated[
        Text, Meta(description="Assembly. For others than GRCh38, only the gene is matched.")
    ]
    reference_name: Annotated[Text, Meta(description="Contig, as 17, chr17 or NC_000017.11.")]


class CandidateVariant(VariantReference):
    """A variant of GRCh38."""

    start: Annotated[int, Meta(ge=0, lt=LONGEST, description="Position, 0-based.")]
    reference_bases: Annotated[Bases, Meta(description="Reference bases.")]
    alternate_bases: Annotated[Bases, Meta(description="Alternate bases.")]


# read as a CandidateVariant when it is on GRCh38 and has a position
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
    variant: Annotated[AnyVariant, Meta(description="A variant of GRCh38.")] | UnsetType = UNSET
    zygosity: Annotated[Literal[1, 2], Meta(description="Copies of the variant.")] | None = None


class MatchPatient(MatchmakerModel):
    """The patient to find matches for."""

    id: Annotated[Text, Meta(description="Your identifier of the patient.")]
    contact: Contact
    features: Annotated[
        tuple[Feature, ...],
        Meta(min_length=1, max_length=MAX_FEATURES, description="Phenotypic features."),
    ]
    genomic_features: Annotated[
        tuple[GenomicFeature, ...],
        Meta(min_length=1, max_length=MAX_GENOMIC, description="Candidate genes and variants."),
    ]
    consent: Annotated[
        tuple[Use, ...],
        Meta(max_length=MAX_FEATURES, description="Uses that the patient permits, as DUO terms."),
    ] = field(name="_consent")
    disorders: Annotated[
        tuple[Any, ...], Meta(max_length=MAX_FEATURES, description="Not used for matching.")
    ] = ()
    label: Unused = UNSET
    species: Unused = UNSET
    sex: Unused = UNSET
    age_of_onset: Unused = UNSET
    inheritance_mode: Unused = UNSET


class MatchBody(MatchmakerModel):
    """The body of a match request."""

    patient: MatchPatient


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """A parsed match request."""

    id: str  # the sender's identifier of the patient
    observed: tuple[str, ...]  # HPO terms
    absent: tuple[str, ...]  # excluded HPO terms
    genes: tuple[str, ...]  # symbols
    variants: tuple[Variant, ...]  # on GRCh38
    uses: tuple[str, ...]  # DUO terms that the patient permits
    gene_of: Mapping[Variant, str]  # the gene given with a variant
    notes: tuple[str, ...]  # messages about parts that cannot be used


def read_match(body: bytes) -> MatchRequest:
    """Parse the body of a match request.

    Args:
        body: JSON, UTF-8.

    Returns:
        The request.

    Raises:
        Problem: A value is invalid (400). The message names its place.
    """
    patient = decode_body(body, MatchBody, MAX_NESTING).patient
    observed, absent = (_terms(patient, choice) for choice in ("yes", "no"))
    if not observed:
        raise Problem.mismatch("patient.features", "at least one observed HPO term", "none")
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
            raise Problem.mismatch(place, "a gene, a variant, or both", "neither")
        return _Candidate(gene, None)
    place = f"{place}.variant"
    fault = _reason_not_to_compare(place, feature.variant)
    if fault is None:
        return _Candidate(gene, _read_variant(place, feature.variant))
    where, expected, found = fault
    if gene is None:
        raise Problem.mismatch(where, f"{expected}, as there is no gene", found)
    return _Candidate(gene, None, f"{mismatch(where, expected, found)}; only the gene is matched")


def _reason_not_to_compare(place: str, variant: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """Return where, expected and found of a variant that cannot be compared, else None."""
    assembly = convert_values(variant, VariantReference, within=place).assembly
    if assembly not in ASSEMBLIES:
        return f"{place}.assembly", "GRCh38", shown(assembly)
    if variant.keys().isdisjoint(("start", "referenceBases", "alternateBases")):
        return place, "a position and bases", "neither"
    return None


def _read_variant(place: str, variant: Mapping[str, Any]) -> Variant:
    found = convert_values(variant, CandidateVariant, within=place)
    contig = find_contig(found.reference_name)
    if contig is None:
        expected = "a contig of GRCh38, like chr17"
        raise Problem.mismatch(f"{place}.referenceName", expected, shown(found.reference_name))
    if found.start >= CONTIG_LENGTHS[contig]:
        expected = f"a 0-based position on {contig}, below {CONTIG_LENGTHS[contig]}"
        raise Problem.mismatch(f"{place}.start", expected, shown(found.start))
    return Variant(contig, found.start, found.reference_bases, found.alternate_bases)
