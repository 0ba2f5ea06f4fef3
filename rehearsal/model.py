"""The plain data types that every package shares.

Coordinates are 0-based half-open everywhere in the library. The two places where a person meets
1-based positions are ``config/variants.tsv`` (VCF convention) and VCF/BCF text itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Literal

Sex = Literal["female", "male"]
SEXES: tuple[Sex, ...] = ("female", "male")

AnswerState = Literal["answered", "refused", "failed", "late"]
Granularity = Literal["boolean", "count", "record"]


class InputError(ValueError):
    """What a user gave cannot be used. One line: the file, the key and what was expected."""

    def __init__(self, source: object, key: str, expected: str) -> None:
        self.source, self.key, self.expected = str(source), key, expected
        super().__init__(" ".join(f"{source}: {key}: {expected}".split()))


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
    ``homozygous``, ``heterozygous``, ``hemizygous``, ``brothers``. Both empty: the variant is
    somatic, its place must be simulated and the germline must not hold it.
    """

    variant: Variant
    gene: str
    name: str
    inheritance: str  # dominant, recessive, X-linked, dose, somatic
    story: str
    frequency: dict[str, float] = field(default_factory=dict)
    minimum_per_country: int = 0
    carriers: tuple[tuple[str, str, int], ...] = ()


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
