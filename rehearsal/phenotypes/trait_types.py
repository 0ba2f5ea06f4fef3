"""Traits as data: the types behind ``config/traits.yaml``.

The code knows no trait, disease or gene by name. It simulates what a user writes into the file.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rehearsal.model import Sex
from rehearsal.phenotypes.age_curves import Curve
from rehearsal.phenotypes.clinical_types import (
    Exposure,
    MissingRule,
    Outcome,
    Sequencing,
    Treatment,
)

Distribution = Literal["normal", "lognormal"]


@dataclass(frozen=True, slots=True)
class Genetics:
    """The polygenic part of a trait."""

    heritability: float  # share of the variance (of the liability, for a disease)
    causal_sites: int  # in all autosomes; the blocks have their share of them
    minimum_frequency: float  # of the rarer allele, over all countries
    frequency_dependence: float  # effects scale with (2p(1-p))**(this/2)
    hazard_ratio_per_sd: float | None = None  # of a disease, instead of a heritability (then 0)
    simulated_share: float | None = None  # of the sites and their variance; None: that of bases

    def share_in_blocks(self, autosomal_share: float) -> float:
        """Return the share of the genetic variance that the blocks of a run hold.

        Args:
            autosomal_share: The share of the autosomes that the blocks cover.
        """
        return autosomal_share if self.simulated_share is None else self.simulated_share


@dataclass(frozen=True, slots=True)
class Feature:
    """An HPO term that everybody with the disease has."""

    code: str  # for example ``HP:0003124``
    label: str


@dataclass(frozen=True, slots=True)
class ThresholdFeature:
    """An HPO term of everybody whose measured value is high enough."""

    code: str
    label: str
    at_least: float  # lowest such value, in the unit of the measurement


@dataclass(frozen=True, slots=True)
class Measurement:
    """A quantitative trait, measured once in everybody at their present age."""

    name: str
    code: str
    label: str
    unit: str  # UCUM
    decimals: int  # digits kept after the point
    distribution: Distribution
    mean: Mapping[Sex, Curve]  # in the unit
    sd: Mapping[Sex, Curve]  # in the unit
    genetics: Genetics | None
    causes: Mapping[str, float]  # weight by the name of an exposure or an earlier measurement
    features: tuple[ThresholdFeature, ...]
    only_with: str | None = None  # a disease: measured only in people who have it, at onset


@dataclass(frozen=True, slots=True)
class DerivedMeasurement:
    """A measurement computed from others: ``factor * product(value ** power)``."""

    name: str
    code: str
    label: str
    unit: str
    decimals: int
    factor: float
    powers: Mapping[str, float]  # by the name of a measurement
    features: tuple[ThresholdFeature, ...]


@dataclass(frozen=True, slots=True)
class GeneRisk:
    """The cumulative risk of people with damaged copies of one gene."""

    gene: str
    copies: Mapping[Sex, int]  # least number of copies: 2 is recessive, 2 and 1 X-linked
    cumulative_risk: Mapping[Sex, Curve]


@dataclass(frozen=True, slots=True)
class Disease:
    """A disease by liability, with polygenic, measured and monogenic causes, each optional."""

    name: str
    code: str
    label: str
    mondo: str
    mondo_label: str
    cumulative_risk: Mapping[Sex, Curve]  # of people without a GeneRisk; no risk if left out
    genetics: Genetics | None
    causes: Mapping[str, float]  # weight by the name of a measurement or an exposure
    genes: tuple[GeneRisk, ...]
    features: tuple[Feature, ...]
    first_year: int | None = None  # nobody has it earlier


@dataclass(frozen=True, slots=True)
class Traits:
    """The content of ``config/traits.yaml``, in its order."""

    source: str  # the file, for messages
    measurements: tuple[Measurement, ...]
    derived: tuple[DerivedMeasurement, ...]
    diseases: tuple[Disease, ...]
    exposures: tuple[Exposure, ...] = ()
    treatments: tuple[Treatment, ...] = ()
    missing: tuple[MissingRule, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    sequencing: Sequencing | None = None
    gene_identifiers: Mapping[str, str] = field(default_factory=dict)  # HGNC, by symbol

    @property
    def measurable(self) -> tuple[Measurement | DerivedMeasurement, ...]:
        """Everything that is in the table of measurements."""
        return (*self.measurements, *self.derived)

    @property
    def scored(self) -> tuple[Measurement | Disease, ...]:
        """Everything that has a score of its own: measurements, then diseases."""
        both: tuple[Measurement | Disease, ...] = (*self.measurements, *self.diseases)
        return both

    @property
    def genes(self) -> frozenset[str]:
        """The genes whose damaged copies matter, for a disease or an adverse event."""
        of_diseases = {risk.gene for disease in self.diseases for risk in disease.genes}
        events = (drug.adverse_event for one in self.treatments for drug in one.drugs)
        return frozenset(of_diseases.union(*(event.odds_ratios for event in events if event)))

    @property
    def polygenic(self) -> tuple[Measurement | Disease, ...]:
        """The traits that have causal sites."""
        return tuple(trait for trait in self.scored if trait.genetics is not None)
