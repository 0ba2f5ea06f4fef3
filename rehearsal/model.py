"""The data types that all packages share.

Coordinates are 0-based half-open everywhere in the library. docs/architecture.md lists the formats
and texts that use 1-based positions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from rehearsal.errors import InputError, mismatch, shown

SYNTHETIC = "SYNTHETIC data: simulated people, no real genomes"  # label in files

Sex = Literal["female", "male"]
SEXES: tuple[Sex, ...] = ("female", "male")

AnswerState = Literal["answered", "refused", "failed", "late"]
ANSWER_STATES: tuple[AnswerState, ...] = ("answered", "refused", "late", "failed")
Granularity = Literal["boolean", "count", "record"]
GRANULARITIES: tuple[Granularity, ...] = ("boolean", "count", "record")  # from coarse to fine
Tier = Literal["public", "registered", "controlled"]
TIERS: tuple[Tier, ...] = (
    "public",
    "registered",
    "controlled",
)  # each may see what the one before may


@dataclass(frozen=True, slots=True)
class Country:
    """One row of ``config/countries.tsv``: one population in the model and one node."""

    code: str  # ISO 3166-1 alpha-2, with "GR" and "GB" as the initiative writes them
    name: str
    latitude: float  # of the population-weighted centre, degrees north
    longitude: float  # of the same, degrees east
    census_millions: float  # people, in millions
    capital: str  # name of the capital
    capital_latitude: float  # degrees north
    capital_longitude: float  # degrees east
    signed_declaration: str  # when it signed the declaration of 2018; "no": not by 2023


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """A region ``[start, end)`` of one GRCh38 contig, simulated as one independent job."""

    contig: str  # such as chr17
    start: int  # 0-based
    end: int  # exclusive

    @property
    def id(self) -> str:
        """The block's name in paths, e.g. ``chr17-42957000-43225000``.

        A hyphen, not a colon: htslib, rsync and scp read ``name:`` as a protocol or a host.
        """
        return f"{self.contig}-{self.start}-{self.end}"

    @classmethod
    def from_id(cls, text: str) -> Block:
        """Parse the ``id`` of a block.

        Args:
            text: CONTIG-START-END.

        Returns:
            The block.

        Raises:
            ValueError: The text is not the id of a block.
        """
        match = re.fullmatch(r"(\w+)-(\d+)-(\d+)", text)
        if not match:
            raise ValueError(mismatch("block id", "CONTIG-START-END", shown(text)))
        return cls(match[1], int(match[2]), int(match[3]))

    @property
    def region(self) -> str:
        """The block as a region: ``chr17:42957000-43225000``, 0-based half-open."""
        return f"{self.contig}:{self.start}-{self.end}"

    @property
    def length(self) -> int:
        """The number of bases."""
        return self.end - self.start

    def holds(self, contig: str, position: int) -> bool:
        """Tell whether a position lies in the block.

        Args:
            contig: The contig of the position.
            position: 0-based.
        """
        return contig == self.contig and self.start <= position < self.end

    def holds_variant(self, variant: Variant) -> bool:
        """Tell whether a variant's whole reference allele lies in the block.

        Args:
            variant: The variant.
        """
        last = variant.start + len(variant.ref) - 1
        return self.holds(variant.contig, variant.start) and last < self.end


@dataclass(frozen=True, slots=True, order=True)
class Variant:
    """One alternate allele at one position, with the alleles of VCF."""

    contig: str
    start: int  # 0-based position of the first base of ref
    ref: str
    alt: str

    def __str__(self) -> str:
        """The variant in GA4GH style with its 1-based position: ``chr17-43124027-ACT-A``."""
        return f"{self.contig}-{self.start + 1}-{self.ref}-{self.alt}"


@dataclass(frozen=True, slots=True)
class PlantedVariant:
    """One row of ``config/variants.tsv``: a variant put into the genomes on purpose.

    Patients of stories may carry it too. A variant with inheritance ``somatic`` is in tumours
    only: its position is simulated, but no germline holds the variant.
    """

    variant: Variant
    gene: str
    name: str  # HGVS coding name
    inheritance: str  # dominant, recessive, X-linked, dose, somatic
    story: str  # the story that needs it
    frequency: dict[str, float] = field(default_factory=dict)  # by country; "*": all others
    minimum_per_country: int = 0  # fewest carriers of a country
    # (country, role, number of people or families); role: homozygous, heterozygous, hemizygous,
    # or brothers
    carriers: tuple[tuple[str, str, int], ...] = ()

    @property
    def label(self) -> str:
        """The variant's name in stories: ``BRCA1 c.68_69del``."""
        return f"{self.gene} {self.name}".strip()

    @property
    def is_somatic(self) -> bool:
        """Whether the variant occurs in tumours only."""
        return self.inheritance == "somatic"


@dataclass(frozen=True, slots=True)
class Finding:
    """An HPO term that a story records for a patient."""

    code: str
    label: str
    age_of_onset: float = 0.0  # years


@dataclass(frozen=True, slots=True)
class Consent:
    """What a person permits."""

    basis: str  # legal basis
    uses: tuple[str, ...]  # DUO terms
    withdrawn: bool = False  # whether the person has withdrawn all of it


@dataclass(frozen=True, slots=True)
class Patient:
    """A person whom a story adds to a country's cohort.

    Facts that the story leaves open (None) are drawn at random. Ranges are (lowest, highest).
    Diseases, measurements and treatments have their names in the file of traits.
    """

    story: str
    handle: str  # the story's own name for the patient
    country: str
    sex: Sex
    born: tuple[int, int]  # range of years
    where: tuple[str, str]  # file, and line and key in it, for errors
    template: str = ""  # the entry of the file that describes this patient and others like it
    name: str = ""
    mother: str | None = None  # handle of a patient of the same story
    father: str | None = None  # likewise
    carries: dict[Variant, int] = field(default_factory=dict)  # copies of planted variants
    lacks: tuple[Variant, ...] = ()  # planted variants that the patient must not carry
    tumour: tuple[Variant, ...] = ()  # somatic variants of the patient's tumour
    diseases: dict[str, tuple[float, float]] | None = None  # ranges of ages of onset, years
    measurements: dict[str, tuple[float, float]] = field(default_factory=dict)  # ranges of values
    genetic_values: dict[str, float] = field(default_factory=dict)  # about so many standard
    # deviations, by the name of a polygenic trait
    treatments: tuple[str, ...] | None = None
    features: tuple[Finding, ...] | None = None
    excluded: tuple[Finding, ...] = ()
    candidate_genes: tuple[str, ...] = ()
    consent: Consent | None = None

    def error(self, expected: str, found: str) -> InputError:
        """Make an error about this patient, for the caller to raise.

        Args:
            expected: What is allowed, as a noun phrase.
            found: What stands there instead.

        Returns:
            The error.
        """
        return InputError(*self.where, expected, found)


@dataclass(frozen=True, slots=True)
class PatientSelection:
    """A patient whom a story selects from the cohort.

    Of the people who fit, it is the first in the order of a column of one of the run's tables,
    joined by ``individual``.
    """

    story: str
    handle: str  # the story's own name for the patient
    where: tuple[str, str]  # file, and line and key in it, for errors
    name: str = ""
    country: str | None = None
    sex: Sex | None = None
    age: tuple[int, int] = (0, 150)  # range, years
    table: str = ""  # path below the results; empty: cohort/people.parquet
    rows: dict[str, str] = field(default_factory=dict)  # only the table's rows with these values
    order: str = "id"  # column to sort by
    highest: bool = False  # whether the highest value comes first


@dataclass(frozen=True, slots=True)
class Gene:
    """A gene at ``[start, end)`` of a contig."""

    name: str
    contig: str
    start: int  # 0-based
    end: int  # exclusive
    strand: str  # + or -
    identifiers: tuple[str, ...] = ()  # of HGNC, Ensembl and NCBI Gene


@dataclass(frozen=True, slots=True)
class AlleleCounts:
    """Counts of one allele in one group of people. ``ac == 2 * hom + het + hemi``."""

    an: int  # alleles called: 2 per person on autosomes, 1 per man on X
    ac: int  # copies of the allele
    hom: int  # people with two copies
    het: int  # people with one copy who have two alleles there
    hemi: int  # people with one copy who have one allele there

    def __add__(self, other: AlleleCounts) -> AlleleCounts:
        """The counts of both groups together."""
        return AlleleCounts(
            self.an + other.an,
            self.ac + other.ac,
            self.hom + other.hom,
            self.het + other.het,
            self.hemi + other.hemi,
        )


@dataclass(frozen=True, slots=True)
class Query:
    """One query of the query suite, as it is sent to every node."""

    id: str
    kind: str  # one of evaluation.templates.KINDS
    entry_type: str  # g_variants, individuals, datasets, ...
    request: dict[str, Any]  # the Beacon v2 request body
    tier: str = "controlled"  # public, registered, controlled
    method: Literal["GET", "POST"] = "POST"
    purpose: str | None = None  # DUO terms; None: not stated

    @property
    def granularity(self) -> Granularity:
        """The granularity that the query requests.

        Raises:
            KeyError: The request names none.
        """
        granularity: Granularity = self.request["query"]["requestedGranularity"]
        return granularity


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of one node, or of the network, to one query, as the client received it."""

    query: str  # id of the query
    node: str  # country code of the node
    state: AnswerState
    http_status: int | None  # None: no HTTP answer came
    body: dict[str, Any] | None  # JSON of the answer
    latency_s: float
    size_bytes: int  # of the body
    reason: str = ""  # why it was refused, late or failed
