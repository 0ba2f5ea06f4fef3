"""The plain data types that every package shares.

Coordinates are 0-based half-open everywhere in the library; docs/architecture.md lists where a
format or a person wants 1-based positions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from rehearsal.errors import InputError

SYNTHETIC = "SYNTHETIC data: simulated people, no real genomes"  # what files say of themselves

Sex = Literal["female", "male"]
SEXES: tuple[Sex, ...] = ("female", "male")

AnswerState = Literal["answered", "refused", "failed", "late"]
ANSWER_STATES: tuple[AnswerState, ...] = ("answered", "refused", "late", "failed")
Granularity = Literal["boolean", "count", "record"]
GRANULARITIES: tuple[Granularity, ...] = ("boolean", "count", "record")  # from coarse to fine
Tier = Literal["public", "registered", "controlled"]
TIERS: tuple[Tier, ...] = ("public", "registered", "controlled")  # each sees what the last may


@dataclass(frozen=True, slots=True)
class Country:
    """One row of ``config/countries.tsv``: one population in the model and one node."""

    code: str  # ISO 3166-1 alpha-2, the initiative's "GR" and "GB" included
    name: str
    latitude: float  # population-weighted centre, degrees
    longitude: float
    census_millions: float
    capital: str
    capital_latitude: float
    capital_longitude: float
    signed_declaration: str  # when the declaration of 2018 was signed; "no": not by 2020


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """A stretch ``[start, end)`` of one GRCh38 contig, simulated as one independent job."""

    contig: str
    start: int
    end: int

    @property
    def id(self) -> str:
        """The block's name in paths, e.g. ``chr17-42957000-43225000``.

        A hyphen, not a colon: htslib, rsync and scp read ``name:`` as a protocol or a host.
        """
        return f"{self.contig}-{self.start}-{self.end}"

    @classmethod
    def from_id(cls, text: str) -> Block:
        """The block that ``id`` names. Raises ValueError for anything else."""
        match = re.fullmatch(r"(\w+)-(\d+)-(\d+)", text)
        if not match:
            raise ValueError(f"not a block id: {text!r}; expected CONTIG-START-END")
        return cls(match[1], int(match[2]), int(match[3]))

    @property
    def region(self) -> str:
        """As regions are asked for: ``chr17:42957000-43225000``, 0-based, half-open."""
        return f"{self.contig}:{self.start}-{self.end}"

    @property
    def length(self) -> int:
        return self.end - self.start

    def holds(self, contig: str, position: int) -> bool:
        """Whether the 0-based position lies inside."""
        return contig == self.contig and self.start <= position < self.end

    def holds_variant(self, variant: Variant) -> bool:
        """Whether the variant's whole reference allele lies inside."""
        last = variant.start + len(variant.ref) - 1
        return self.holds(variant.contig, variant.start) and last < self.end


@dataclass(frozen=True, slots=True, order=True)
class Variant:
    """One alternate allele at one place, as VCF writes it but 0-based."""

    contig: str
    start: int
    ref: str
    alt: str

    def __str__(self) -> str:
        """GA4GH-style text with the 1-based VCF position: ``chr17-43124027-ACT-A``."""
        return f"{self.contig}-{self.start + 1}-{self.ref}-{self.alt}"


@dataclass(frozen=True, slots=True)
class PlantedVariant:
    """One row of ``config/variants.tsv``.

    ``frequency`` maps a country code, or ``"*"`` for all others, to an allele frequency.
    ``carriers`` lists (country, role, number of people or families) with role one of
    ``homozygous``, ``heterozygous``, ``hemizygous``, ``brothers``. Patients of stories may carry
    it beside. Inheritance ``somatic``: its place must be simulated and the germline must not hold
    it.
    """

    variant: Variant
    gene: str
    name: str
    inheritance: str  # dominant, recessive, X-linked, dose, somatic
    story: str
    frequency: dict[str, float] = field(default_factory=dict)
    minimum_per_country: int = 0
    carriers: tuple[tuple[str, str, int], ...] = ()

    @property
    def label(self) -> str:
        """How stories name it: ``BRCA1 c.68_69del``."""
        return f"{self.gene} {self.name}"

    @property
    def is_somatic(self) -> bool:
        return self.inheritance == "somatic"


@dataclass(frozen=True, slots=True)
class Finding:
    """An HPO term that a story notes of somebody. ``age_of_onset``: years."""

    code: str
    label: str
    age_of_onset: float = 0.0


@dataclass(frozen=True, slots=True)
class Consent:
    """What somebody permits: a legal basis, DUO terms, and whether they took it all back."""

    basis: str
    uses: tuple[str, ...]
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Patient:
    """Somebody whom a story puts into a country's cohort; what it leaves open (None) is drawn.

    ``mother``, ``father``: handles of patients of the same story. ``carries``: copies of planted
    variants; ``lacks``: planted variants that nobody may give them. Ranges are (lowest, highest).
    ``genetic_values``: about so many standard deviations, by the name of a polygenic trait.
    ``diseases`` (ages of onset), ``measurements`` and ``treatments`` go by their names in the
    traits.
    """

    story: str
    handle: str
    country: str
    sex: Sex
    born: tuple[int, int]
    where: tuple[str, str]  # file, and line and key in it: for complaints
    template: str = ""  # the patient of the file that this is one of
    name: str = ""
    mother: str | None = None
    father: str | None = None
    carries: dict[Variant, int] = field(default_factory=dict)
    lacks: tuple[Variant, ...] = ()
    tumour: tuple[Variant, ...] = ()
    diseases: dict[str, tuple[float, float]] | None = None
    measurements: dict[str, tuple[float, float]] = field(default_factory=dict)
    genetic_values: dict[str, float] = field(default_factory=dict)
    treatments: tuple[str, ...] | None = None
    features: tuple[Finding, ...] | None = None
    excluded: tuple[Finding, ...] = ()
    candidate_genes: tuple[str, ...] = ()
    consent: Consent | None = None

    def error(self, expected: str) -> InputError:
        """The complaint about this patient, for the caller to raise."""
        return InputError(*self.where, expected)


@dataclass(frozen=True, slots=True)
class PatientSelection:
    """A patient whom a story finds in the cohort: of those who fit, the first in order of a
    column of a table of the run (by ``individual``), highest or lowest first."""

    story: str
    handle: str
    where: tuple[str, str]
    name: str = ""
    country: str | None = None
    sex: Sex | None = None
    age: tuple[int, int] = (0, 150)
    table: str = ""  # path below the results; empty: cohort/people.parquet
    rows: dict[str, str] = field(default_factory=dict)  # only the table's rows with these values
    order: str = "id"
    highest: bool = False


@dataclass(frozen=True, slots=True)
class Gene:
    """Where a gene lies: ``[start, end)`` on a contig."""

    name: str
    contig: str
    start: int
    end: int
    strand: str


@dataclass(frozen=True, slots=True)
class AlleleCounts:
    """Counts of one allele in one group of people. ``ac == 2 * hom + het + hemi``."""

    an: int  # alleles called: 2 a person on autosomes, 1 a man on X
    ac: int  # copies of the allele
    hom: int  # PEOPLE with two copies
    het: int  # people with one copy of two
    hemi: int  # people with one copy of one

    def __add__(self, other: AlleleCounts) -> AlleleCounts:
        return AlleleCounts(
            self.an + other.an,
            self.ac + other.ac,
            self.hom + other.hom,
            self.het + other.het,
            self.hemi + other.hemi,
        )


@dataclass(frozen=True, slots=True)
class Query:
    """One question of the query suite, as it is sent to every node."""

    id: str
    kind: str  # allele_frequency, presence, count, range, gene, individuals, absent, ill_formed
    entry_type: str  # g_variants, individuals, datasets, ...
    request: dict[str, Any]  # the Beacon v2 request body
    tier: str = "controlled"  # public, registered, controlled
    method: Literal["GET", "POST"] = "POST"
    purpose: str | None = None  # what the answer is for, as DUO terms; None: not stated

    @property
    def granularity(self) -> Granularity:
        """What is asked for. Raises KeyError for a request that does not say."""
        granularity: Granularity = self.request["query"]["requestedGranularity"]
        return granularity


@dataclass(frozen=True, slots=True)
class Answer:
    """What one node (or the network) said to one query, as the asker saw it."""

    query: str
    node: str
    state: AnswerState
    http_status: int | None
    body: dict[str, Any] | None
    latency_s: float
    size_bytes: int
    reason: str = ""
