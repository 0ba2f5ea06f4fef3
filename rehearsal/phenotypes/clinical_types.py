"""The types behind ``config/traits.yaml`` for what the clinical record holds beyond traits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rehearsal.model import SEXES, Sex
from rehearsal.phenotypes.age_curves import Curve
from rehearsal.phenotypes.terms import Coded

NULL_FLAVOURS = {
    "NI": "no information",
    "INV": "invalid",
    "DER": "derived",
    "OTH": "other",
    "NINF": "negative infinity",
    "PINF": "positive infinity",
    "UNC": "un-encoded",
    "MSK": "masked",
    "NA": "not applicable",
    "UNK": "unknown",
    "ASKU": "asked but unknown",
    "NAV": "temporarily unavailable",
    "NASK": "not asked",
    "NAVU": "not available",
    "QS": "sufficient quantity",
    "TRC": "trace",
    "NP": "not present",
}
"""Codes of HL7 version 3, code system NullFlavor, with their meaning (unverified)."""


@dataclass(frozen=True, slots=True)
class ExposureValue:
    """One value of an exposure."""

    term: Coded  # SNOMED CT
    share: Mapping[Sex, Curve] | None  # of people of a sex and age; None: the rest (first value)


@dataclass(frozen=True, slots=True)
class Exposure:
    """Something that people are exposed to, such as smoking."""

    name: str
    code: str
    label: str
    values: tuple[ExposureValue, ...]  # from the least exposed to the most


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """An event that ends a treatment."""

    term: Coded  # HPO
    risk: float  # of people without a copy of such a variant
    odds_ratios: Mapping[str, float]  # for each damaged copy, by gene


@dataclass(frozen=True, slots=True)
class Eligibility:
    """The people who may start a drug."""

    sexes: tuple[Sex, ...] = SEXES
    age: tuple[float, float] = (0.0, 200.0)  # lowest and highest completed years at the start
    indications: tuple[str, ...] | None = None  # names of diseases; None: those of the treatment


@dataclass(frozen=True, slots=True)
class DrugEffect:
    """How a drug changes a measurement: by a share of the untreated value, then by an amount."""

    percent: float = 0.0  # -46 lowers the value by 46 %
    amount: float = 0.0  # in the unit of the measurement


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug with its share among the drugs of a treatment that a person may have."""

    term: Coded  # ATC
    share: float
    dose: float | None  # mg at a time; None: no single number
    adverse_event: AdverseEvent | None
    market_year: int | None = None  # nobody starts it earlier
    eligible: Eligibility = Eligibility()
    effects: Mapping[str, DrugEffect] = field(default_factory=dict)  # by name of a measurement
    times_per_day: int = 1  # how often the dose is taken


@dataclass(frozen=True, slots=True)
class Treatment:
    """A treatment: everybody with one of its diseases may get one of its drugs, once."""

    name: str
    indications: tuple[str, ...]  # names of diseases
    share: Mapping[Sex, Curve]  # of people with a disease who are treated, by present age
    years_to_start: float  # mean time from the onset of a disease
    years_to_response: float  # the response is unknown until then
    stopped_yearly: float  # share of the treated people who stop in a year
    duration_years: float | None  # length of a course; None: no end
    drugs: tuple[Drug, ...]
    responses: tuple[tuple[Coded, float], ...]  # each with its share


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Patients with a risk of their own. Ranges are (lowest, highest), both included."""

    measurements: Mapping[str, tuple[float, float]]  # ranges of values, by name
    onset: tuple[float, float]  # range of the age at onset of the earlier disease, years
    risk: float
    treated: Mapping[str, float]  # risk of patients with a treatment, by its name


@dataclass(frozen=True, slots=True)
class Outcome:
    """A disease that may follow another one within some years."""

    disease: str  # name of the disease that is the outcome
    after: str  # name of the disease that it follows
    within_years: float
    risk: float  # of patients who are in no group
    groups: tuple[RiskGroup, ...]  # a patient is in the first group that fits


@dataclass(frozen=True, slots=True)
class MissingRule:
    """Fields that are missing together in a share of the people."""

    fields: tuple[str, ...]  # names of measurements, exposures, treatments (their response)
    rate: float  # share of the people
    flavours: Mapping[str, float]  # shares by HL7 null flavour


@dataclass(frozen=True, slots=True)
class ReadFigure:
    """A read-level quality figure: normal, clipped at minimum and maximum."""

    name: str
    mean: float
    sd: float
    minimum: float
    maximum: float
    decimals: int
    coverage_correlation: float  # correlation with the first figure


@dataclass(frozen=True, slots=True)
class Sequencing:
    """How everybody was sampled, sequenced and analysed."""

    tissue: Coded
    sample_type: Coded
    organism: Coded
    collected_within_years: float  # longest time before the end of the reference year
    target: str
    platforms: tuple[tuple[Coded, float], ...]  # instrument models, each with its share
    figures: tuple[ReadFigure, ...]
    input_format: str
    output_format: str
    genome: str
    pipeline: str
    aligner: str
    variant_caller: str
