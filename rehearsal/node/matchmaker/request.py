"""Parses a match request (Matchmaker Exchange API 1.1).

In addition to the standard, a patient may have ``_consent``: the uses that the patient of the
request permits, as DUO terms. Matching requires a feature, a gene or a variant. What cannot be
compared gets a note. Unknown keys are ignored, because the standard lets others add keys.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

import orjson
from msgspec import Meta, field

from rehearsal.errors import mismatch, shown
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.contig_names import (
    ASSEMBLIES,
    EARLIER_ASSEMBLIES,
    find_contig,
    find_contig_of_grch37,
)
from rehearsal.model import Variant
from rehearsal.node.access.consent import TERM
from rehearsal.node.access.settings import CLINICAL_CARE
from rehearsal.node.beacon.entries import LIFTED
from rehearsal.node.beacon.liftover import Liftover
from rehearsal.node.beacon.variant_queries import SequenceQuery
from rehearsal.web.model_errors import ModelError
from rehearsal.web.openapi import schema_of
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import RequestModel, convert_values, decode_body, whole

T = TypeVar("T")

MAX_BODY = 256 * 1024  # bytes
MAX_NESTING = 3000  # lists and objects, for the most features and candidates
MAX_FEATURES = 200
MAX_GENOMIC = 500
MAX_TEXT = 255  # characters of an identifier, a gene, a name, as the standard says
MAX_BASES = 1000
COMPARED = frozenset(name.lower() for name in ASSEMBLIES)
MOVED = frozenset(name.lower() for name in EARLIER_ASSEMBLIES)
LONGEST = max(CONTIG_LENGTHS.values())
GENOMIC_FEATURES = "patient.genomicFeatures"
HUMAN = "NCBITaxon:9606"
ZYGOSITIES = (None, 0, 1, 2)  # clients send 0 for "two"

Text = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT)]
Bases = Annotated[str, Meta(max_length=MAX_BASES, title="A, C, G, T, N")]
BASES = re.compile("[ACGTN]+")
PATCH = re.compile(r"\.p[0-9]+", re.IGNORECASE)  # of an assembly: positions stay as they are
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
    observed: Annotated[
        Literal["yes", "no"] | None, Meta(description="Whether it was observed or excluded.")
    ] = "yes"


class CandidateGene(MatchmakerModel):
    """A gene that may cause the disease."""

    id: Annotated[
        Text | int,
        Meta(description="Symbol, or identifier of Ensembl, HGNC or NCBI Gene, in any case."),
    ]


class VariantReference(MatchmakerModel):
    """The keys that every variant has, of any assembly."""

    assembly: Annotated[
        Text,
        Meta(
            description="Assembly: GRCh38, or GRCh37 for a variant whose place on GRCh38 the node "
            "knows. For others, only the gene is matched."
        ),
    ]
    reference_name: Annotated[Text, Meta(description="Contig, as 17, chr17 or NC_000017.11.")]


class CandidateVariant(VariantReference):
    """A variant of GRCh38 or GRCh37."""

    start: Annotated[int, Meta(ge=0, lt=LONGEST, description="Position, 0-based.")]
    reference_bases: Annotated[Bases | None, Meta(description="Reference bases.")] = None
    alternate_bases: Annotated[Bases | None, Meta(description="Alternate bases.")] = None


# read as a CandidateVariant when it is on GRCh38 or GRCh37 and has a position
AnyVariant = Annotated[
    dict[str, Any],
    Meta(
        extra_json_schema=schema_of(CandidateVariant)
        | {"title": "Variant", "description": "", "required": ["assembly", "referenceName"]}
    ),
]


class GenomicFeature(MatchmakerModel):
    """A gene, a variant, or both."""

    gene: CandidateGene | None = None
    variant: Annotated[AnyVariant, Meta(description="A variant of GRCh38 or GRCh37.")] | None = None
    zygosity: Annotated[int, Meta(description="Copies of the variant. Not compared.")] | None = None


class MatchPatient(MatchmakerModel):
    """The patient to find matches for."""

    id: Annotated[Text, Meta(description="Your identifier of the patient.")]
    contact: Contact
    species: Annotated[Text, Meta(description="NCBITaxon:9606, the default: human.")] | None = None
    features: (
        Annotated[
            tuple[Feature, ...], Meta(max_length=MAX_FEATURES, description="Phenotypic features.")
        ]
        | None
    ) = None
    genomic_features: (
        Annotated[
            tuple[GenomicFeature, ...],
            Meta(max_length=MAX_GENOMIC, description="Candidate genes and variants."),
        ]
        | None
    ) = None
    consent: (
        Annotated[
            tuple[Use, ...],
            Meta(
                max_length=MAX_FEATURES,
                description="Uses that the patient permits, as DUO terms. Without, the sender "
                "vouches.",
            ),
        ]
        | None
    ) = field(name="_consent", default=None)


class MatchBody(MatchmakerModel):
    """The body of a match request."""

    patient: MatchPatient


@dataclass(frozen=True, slots=True)
class MatchRequest:
    """A parsed match request."""

    id: str  # the sender's identifier of the patient
    observed: tuple[str, ...]  # HPO terms
    absent: tuple[str, ...]  # excluded HPO terms
    genes: tuple[str, ...]  # symbols or identifiers, as in the request
    variants: tuple[Variant, ...]  # on GRCh38
    uses: tuple[str, ...] | None  # DUO terms that the patient permits; None: the sender vouches
    gene_of: Mapping[Variant, str]  # the gene given with a variant
    notes: tuple[str, ...]  # messages about parts that cannot be used, or were moved
    uncompared: int = 0  # variants that cannot be used


def read_match(body: bytes, liftover: Liftover) -> MatchRequest:
    """Parse the body of a match request.

    Args:
        body: JSON, UTF-8.
        liftover: Moves variants from GRCh37 to GRCh38.

    Returns:
        The request.

    Raises:
        Problem: A value is invalid (400; the message names its place), or the body is not JSON
            (422).
    """
    try:
        patient = decode_body(body, MatchBody, MAX_NESTING).patient
    except Problem as problem:
        raise unreadable(body, problem) from None
    features, genomic = _features_of(patient)
    candidates = _read_candidates(genomic, liftover)
    return MatchRequest(
        id=patient.id,
        observed=_terms(features, "yes"),
        absent=_terms(features, "no"),
        uses=patient.consent,
        genes=_distinct(one.gene for one in candidates),
        variants=_distinct(one.variant for one in candidates),
        gene_of=_genes_of(candidates),
        notes=(
            *_notes_on_species(patient.species),
            *(note for one in candidates for note in one.notes),
        ),
        uncompared=sum(one.is_uncompared for one in candidates),
    )


def unreadable(body: bytes, problem: Problem) -> Problem:
    """Give the problem of a body the status of the Matchmaker Exchange.

    Args:
        body: The body.
        problem: What is wrong with it.

    Returns:
        The same problem, with status 422 if the body is not JSON.
    """
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return Problem(problem.message, 422)
    return problem


def _features_of(patient: MatchPatient) -> tuple[Sequence[Feature], Sequence[GenomicFeature]]:
    """Return what a patient has to match by. Raises Problem when there is nothing."""
    features, genomic = patient.features or (), patient.genomic_features or ()
    if not features and not genomic:
        expected = "at least one of features and genomicFeatures"
        raise Problem.mismatch("patient", expected, "neither")
    return features, genomic


def _distinct(values: Iterable[T | None]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(one for one in values if one is not None))


def _terms(features: Sequence[Feature], choice: str) -> tuple[str, ...]:
    return _distinct(one.id for one in features if (one.observed or "yes") == choice)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A gene, a variant, or both. ``notes``: what is not used, and how the variant was read."""

    gene: str | None
    variant: Variant | None
    notes: tuple[str, ...] = ()
    is_uncompared: bool = False  # whether its variant cannot be used


def _genes_of(candidates: Iterable[_Candidate]) -> dict[Variant, str]:
    """Return the gene given with each variant."""
    pairs = ((one.variant, one.gene) for one in candidates)
    return {variant: gene for variant, gene in pairs if variant is not None and gene is not None}


def _read_candidates(features: Sequence[GenomicFeature], liftover: Liftover) -> list[_Candidate]:
    return [
        _read_candidate(f"{GENOMIC_FEATURES}[{i}]", one, liftover) for i, one in enumerate(features)
    ]


def _read_candidate(place: str, feature: GenomicFeature, liftover: Liftover) -> _Candidate:
    gene = None if feature.gene is None else str(feature.gene.id)
    if not feature.variant:
        if gene is None:
            raise Problem.mismatch(place, "a gene, a variant, or both", "neither")
        return _Candidate(gene, None)
    on_zygosity = tuple(_notes_on_zygosity(place, feature.zygosity))
    place = f"{place}.variant"
    reference = convert_values(feature.variant, VariantReference, within=place)
    read = _read_variant(place, feature.variant, reference)
    notes: tuple[str, ...] = ()
    if isinstance(read, Variant):
        notes = tuple(_notes_on_end(place, feature.variant.get("end"), read))
        if _assembly(reference) in MOVED:
            read, notes = _moved(place, read, reference, liftover), (f"{place}: {LIFTED}", *notes)
    if isinstance(read, Variant):
        return _Candidate(gene, read, (*notes, *on_zygosity))
    used = "the variant is not compared" if gene is None else "only the gene is matched"
    return _Candidate(gene, None, (f"{read}; {used}", *on_zygosity), is_uncompared=True)


def _notes_on_species(species: str | None) -> Iterator[str]:
    if species not in (None, HUMAN):
        fault = mismatch("patient.species", f"{HUMAN} (human)", shown(species))
        yield f"{fault}; the patient is compared as a human"


def _notes_on_zygosity(place: str, zygosity: int | None) -> Iterator[str]:
    if zygosity not in ZYGOSITIES:
        fault = mismatch(f"{place}.zygosity", "1 or 2 copies", shown(zygosity))
        yield f"{fault}; it is not compared"


def _notes_on_end(place: str, end: object, variant: Variant) -> Iterator[str]:
    """Tell that an end, 0-based exclusive, is not that of the reference bases."""
    true = variant.start + len(variant.ref)
    if end not in (None, true):
        fault = mismatch(f"{place}.end", f"{true}, where the reference bases end", shown(end))
        yield f"{fault}; it is not read"


def _assembly(reference: VariantReference) -> str:
    return PATCH.sub("", reference.assembly).lower()


def _moved(
    place: str, variant: Variant, reference: VariantReference, liftover: Liftover
) -> Variant | str:
    """Return a variant of GRCh37 on GRCh38, or why it cannot be compared."""
    query = SequenceQuery(variant.contig, variant.start, variant.ref, variant.alt)
    lifted = liftover.lift(query)
    if not isinstance(lifted, SequenceQuery):
        return mismatch(f"{place}.assembly", "GRCh38", shown(reference.assembly))
    return Variant(lifted.contig, lifted.start, lifted.ref or "", lifted.alt)


def _read_variant(
    place: str, variant: Mapping[str, Any], reference: VariantReference
) -> Variant | str:
    """Return a variant, or why it cannot be compared. Raises Problem for an invalid value."""
    assembly = _assembly(reference)
    if assembly not in COMPARED | MOVED:
        return mismatch(f"{place}.assembly", "GRCh38", shown(reference.assembly))
    find = find_contig_of_grch37 if assembly in MOVED else find_contig
    contig = find(reference.reference_name)
    if contig is None:
        found = shown(reference.reference_name)
        return mismatch(f"{place}.referenceName", "a contig of GRCh38, like chr17", found)
    if variant.keys().isdisjoint(("start", "referenceBases", "alternateBases")):
        return mismatch(place, "a position and bases", "neither")
    given = convert_values(variant, CandidateVariant, within=place)
    if given.start >= CONTIG_LENGTHS[contig] and assembly in COMPARED:
        expected = f"a 0-based position on {contig}, below {CONTIG_LENGTHS[contig]}"
        raise Problem.mismatch(f"{place}.start", expected, shown(given.start))
    bases = [(one or "").upper() for one in (given.reference_bases, given.alternate_bases)]
    if not all(map(BASES.fullmatch, bases)):
        return mismatch(place, "bases of A, C, G, T and N", _bases_found(given))
    return Variant(contig, given.start, *bases)


def _bases_found(given: CandidateVariant) -> str:
    """Name the bases that are missing, or show those that are none."""
    pair = {"referenceBases": given.reference_bases, "alternateBases": given.alternate_bases}
    lacking = [f"no {name}" for name, one in pair.items() if not one]
    return " and ".join(lacking) or shown(f"{given.reference_bases} to {given.alternate_bases}")
