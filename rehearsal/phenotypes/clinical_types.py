"""What the clinical record holds beyond traits, as data: the other types behind
``config/traits.yaml``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.model import Sex
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
"""HL7 version 3, code system NullFlavor, with what they mean (from memory)."""


@dataclass(frozen=True, slots=True)
class ExposureValue:
    """One value of an exposure. ``share``: of the people of a sex and age; of the first value
    None, it gets the rest."""

    term: Coded
    share: Mapping[Sex, Curve] | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """Something that people are exposed to, such as smoking."""

    name: str
    code: str
    label: str
    values: tuple[ExposureValue, ...]  # from the least exposed to the most


@dataclass(frozen=True, slots=True)
class AdverseEvent:
    """An event that ends a treatment. ``odds_ratios``: a copy of planted variants, by gene."""

    term: Coded  # HPO
    risk: float  # of those without such a copy
    odds_ratios: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Drug:
    """A drug with its share among the drugs of a treatment."""

    term: Coded  # ATC
    share: float
    dose: float | None  # mg, once daily; None: no single number
    adverse_event: AdverseEvent | None


@dataclass(frozen=True, slots=True)
class Treatment:
    """Everybody indicated may get one of its drugs, once."""

    name: str
    indications: tuple[str, ...]  # names of diseases
    share: Mapping[Sex, Curve]  # of the indicated people who are treated, by their present age
    years_to_start: float  # mean after the onset of a disease
    years_to_response: float  # before it nobody can tell
    stopped_yearly: float  # share of the treated who stop in a year
    duration_years: float | None  # the course ends then
    drugs: tuple[Drug, ...]
    responses: tuple[tuple[Coded, float], ...]  # with their shares


@dataclass(frozen=True, slots=True)
class RiskGroup:
    """Patients with a risk of their own. Ranges are (lowest, highest), both in."""

    measurements: Mapping[str, tuple[float, float]]
    onset: tuple[float, float]  # of the disease before, years
    risk: float
    treated: Mapping[str, float]  # the risk of those with a treatment


@dataclass(frozen=True, slots=True)
class Outcome:
    """What may follow a disease within some years; itself a disease of the traits."""

    disease: str
    after: str
    within_years: float
    risk: float  # of patients in no group
    groups: tuple[RiskGroup, ...]  # the first that fits counts


@dataclass(frozen=True, slots=True)
class MissingRule:
    """Fields that are missing together, in a share of everybody."""

    fields: tuple[str, ...]  # measurements, exposures; of a treatment: its response
    rate: float
    flavours: Mapping[str, float]  # HL7 null flavours with their shares


@dataclass(frozen=True, slots=True)
class ReadFigure:
    """A read-level quality figure: normal, cut at minimum and maximum."""

    name: str
    mean: float
    sd: float
    minimum: float
    maximum: float
    decimals: int
    coverage_correlation: float  # with the first figure


@dataclass(frozen=True, slots=True)
class Sequencing:
    """How everybody was sampled, sequenced and analysed."""

    tissue: Coded
    sample_type: Coded
    organism: Coded
    collected_within_years: float  # before the end of the reference year
    target: str
    platforms: tuple[tuple[Coded, float], ...]  # instrument models with their shares
    figures: tuple[ReadFigure, ...]
    input_format: str
    output_format: str
    genome: str
    pipeline: str
    aligner: str
    variant_caller: str
