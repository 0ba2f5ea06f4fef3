"""Read ``config/economics.yaml``: the assumptions of the models of care, with their sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast, get_args

from rehearsal.phenotypes.yaml_reader import Entry, read_yaml
from rehearsal.policy.prices import FIRST_YEAR, last_year

Draw = Literal["fixed", "lognormal", "gamma", "beta"]

PREVENTION = (
    "risk_ratio",
    "test_euro",
    "treatment_euro_a_year",
    "hazard_ratio_of_treatment",
    "disutility_of_treatment",
    "event_euro",
    "ill_euro_a_year",
    "event_qaly",
    "utility_well",
    "utility_ill",
    "fatality",
    "mortality_ratio_ill",
)
CASCADE = (
    "carrier_share",
    "test_euro",
    "examination_euro_a_year",
    "surgery_share",
    "surgery_euro",
    "surgery_qaly",
    "hazard_ratio_of_surgery",
    "risk_ratio",
    "risk_ratio_of_others",
    "event_euro",
    "ill_euro_a_year",
    "event_qaly",
    "utility_well",
    "utility_ill",
    "deaths_a_year_ill",
    "hazard_ratio_of_examination",
)
SHARES = ("carrier_share", "surgery_share", "fatality", "utility_well", "utility_ill")
MORTALITY = (("mode", 40, 120), ("slope", 0.01, 0.5))  # name, least and most; years, per year
LOSSES = ("disutility_of_treatment", "event_qaly", "surgery_qaly")  # of utility, so at most 1


@dataclass(frozen=True, slots=True)
class Value:
    """An assumption."""

    value: float
    se: float  # standard error; of a lognormal value, of its logarithm; 0: it is not varied
    draw: Draw
    source: str
    low: float | None = None  # of a value without error, for the analysis of single assumptions
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Mortality:
    """Deaths of people who are not ill: hazard ``slope exp(slope (age - mode))`` a year."""

    mode: float  # age at which most people die, in years
    slope: float  # per year


@dataclass(frozen=True, slots=True)
class Prevention:
    """The section ``score_based_prevention``; ages in years."""

    disease: str
    story: str
    start_age: int
    end_age: int
    threshold_sd: float  # standard deviations of the score
    values: Mapping[str, Value]  # by the names of ``PREVENTION``


@dataclass(frozen=True, slots=True)
class Cascade:
    """The section ``cascade_testing``; ages in years."""

    disease: str
    story: str
    carriers: Mapping[str, tuple[str, ...]]  # ids of the story's questions by gene
    start_age: int
    end_age: int
    values: Mapping[str, Value]  # by the names of ``CASCADE``


@dataclass(frozen=True, slots=True)
class Economics:
    """The assumptions of the models of care."""

    currency_year: int
    discount_rate: Value  # a year, of costs and effects
    euro_per_qaly: float  # what a quality-adjusted year of life is taken to be worth
    last_age: int  # the models end there
    mortality: Mapping[str, Mortality]  # by sex
    shared: Mapping[str, Value]  # assumptions of both ways, with their sources, discount rate apart
    prevention: Prevention
    cascade: Cascade


def read_economics(path: Path) -> Economics:
    """Read the assumptions.

    Args:
        path: The file.

    Returns:
        The assumptions.

    Raises:
        InputError: Names the file, the key, what was expected and what was found.
    """
    part = read_yaml(path).fields(
        [
            "currency_year",
            "discount_rate",
            "euro_per_qaly",
            "last_age",
            "mortality",
            "score_based_prevention",
            "cascade_testing",
        ]
    )
    sexes = part["mortality"].fields(["female", "male"])
    last_age = part["last_age"].whole_number(50, 120)
    worth = _value(part["euro_per_qaly"], "euro_per_qaly")
    deaths = {sex: _mortality(entry) for sex, entry in sexes.items()}
    shared = {f"mortality_{name}_{sex}": one for sex in sexes for name, one in deaths[sex].items()}
    return Economics(
        currency_year=part["currency_year"].whole_number(FIRST_YEAR, last_year()),
        discount_rate=_value(part["discount_rate"], "discount_rate", 0.2),
        euro_per_qaly=worth.value,
        last_age=last_age,
        mortality={
            sex: Mortality(one["mode"].value, one["slope"].value) for sex, one in deaths.items()
        },
        shared={"euro_per_qaly": worth, **shared},
        prevention=_prevention(part["score_based_prevention"], last_age),
        cascade=_cascade(part["cascade_testing"], last_age),
    )


def _mortality(entry: Entry) -> dict[str, Value]:
    part = entry.fields(["mode", "slope"])
    return {name: _value(part[name], name, most, least) for name, least, most in MORTALITY}


def _prevention(entry: Entry, last_age: int) -> Prevention:
    part = entry.fields(["disease", "story", "start_age", "end_age", "threshold_sd", *PREVENTION])
    start_age, end_age = _ages(part, last_age)
    return Prevention(
        disease=part["disease"].text(),
        story=part["story"].text(),
        start_age=start_age,
        end_age=end_age,
        threshold_sd=part["threshold_sd"].number(-10, 10),
        values=_values(part, PREVENTION),
    )


def _cascade(entry: Entry, last_age: int) -> Cascade:
    keys = ["disease", "story", "carriers", "start_age", "end_age"]
    part = entry.fields([*keys, *CASCADE])
    start_age, end_age = _ages(part, last_age)
    genes = part["carriers"].children()
    if not genes:
        raise part["carriers"].error("at least one gene with the questions that count its carriers")
    return Cascade(
        disease=part["disease"].text(),
        story=part["story"].text(),
        carriers={
            str(gene): tuple(one.text() for one in questions.items())
            for gene, questions in genes.items()
        },
        start_age=start_age,
        end_age=end_age,
        values=_values(part, CASCADE),
    )


def _ages(part: Mapping[str, Entry], last_age: int) -> tuple[int, int]:
    start_age = part["start_age"].whole_number(0, last_age - 1)
    return start_age, part["end_age"].whole_number(start_age + 1, last_age)


def _values(part: Mapping[str, Entry], names: Sequence[str]) -> dict[str, Value]:
    values = {name: _value(part[name], name) for name in names}
    if values["utility_ill"].value > values["utility_well"].value:
        well = values["utility_well"].value
        found = f"{values['utility_ill'].value:g}"
        raise part["utility_ill"].error(f"at most utility_well, {well:g}", found)
    low = values["utility_well"].low
    if low is not None and low < values["utility_ill"].value:
        ill = values["utility_ill"].value
        raise part["utility_well"].error(f"a low of at least utility_ill, {ill:g}", f"{low:g}")
    return values


def _value(entry: Entry, name: str, largest: float = 1e9, smallest: float = 1e-9) -> Value:
    """Read a value with its source. Shares and losses are from 0 to 1."""
    part = entry.fields(["value", "source"], ["se", "draw", "low", "high"])
    least = (
        0.0 if name in (*SHARES, *LOSSES, "discount_rate") or name.endswith("_euro") else smallest
    )
    most = 1.0 if name in (*SHARES, *LOSSES) else largest
    source = part["source"].text()
    value = part["value"].number(least, most)
    if "se" not in part and "draw" not in part:
        return Value(value, 0.0, "fixed", source, *_range(entry, part, (least, value, most)))
    return Value(value, *_error_and_draw(entry, part, value), source)


def _error_and_draw(entry: Entry, part: Mapping[str, Entry], value: float) -> tuple[float, Draw]:
    """Read the standard error of an assumption, and how it is drawn."""
    if not {"se", "draw"} <= set(part):
        raise entry.error("se and draw, or neither", "one of them")
    if "low" in part or "high" in part:
        raise entry.error("se and draw, or low and high", "both")
    draw = part["draw"].text()
    known = [one for one in get_args(Draw) if one != "fixed"]
    if draw not in known:
        raise part["draw"].error(f"one of {', '.join(known)}")
    return part["se"].number(1e-9, largest_error(draw, value)), cast(Draw, draw)


def _range(
    entry: Entry, part: Mapping[str, Entry], bounds: tuple[float, float, float]
) -> tuple[float, float] | tuple[()]:
    """Read the low and the high value of an assumption without error, if they are given."""
    if ("low" in part) != ("high" in part):
        raise entry.error("low and high, or neither", "one of them")
    if "low" not in part:
        return ()
    least, value, most = bounds
    return part["low"].number(least, value), part["high"].number(value, most)


def largest_error(draw: str, value: float) -> float:
    """Return the largest standard error with which a value can be drawn.

    A beta distribution is of values between 0 and 1, and has one mode with an error well below
    ``sqrt(value (1 - value))``; half of it is allowed.

    Args:
        draw: How the value is drawn.
        value: The value.
    """
    if draw == "beta":
        return float((value * max(1 - value, 0.0)) ** 0.5 / 2)
    return 1.0 if draw == "lognormal" else value
