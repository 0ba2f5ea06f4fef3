"""What care costs and gains, person by person: lives in continuous time, drawn one by one.

The models of care compute shares of a cohort in cycles of a year (``rehearsal.policy.care``). Here
every person has a score, an age at which the disease would begin, and an age of death, with and
without the care that is judged, by the same random numbers. Assumptions are read from the YAML file
a second time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rehearsal.yaml_files import load_yaml

Numbers = NDArray[np.float64]
Points = Sequence[tuple[float, float]]  # ages and values, linear between them

QUANTILES = 4_000  # of the score, when the baseline of a disease is solved for
HALVINGS = 60


@dataclass(frozen=True, slots=True)
class TrueGain:
    """Mean costs and effects per person of a way of care, against another, and their errors."""

    euro: float
    qaly: float
    euro_error: float  # standard error of the simulation
    qaly_error: float

    def benefit(self, euro_per_qaly: float) -> float:
        """Return the net benefit in euro.

        Args:
            euro_per_qaly: What a quality-adjusted year is worth.
        """
        return self.qaly * euro_per_qaly - self.euro


def true_gains(
    economics: Path,
    traits: Path,
    has_score: bool,
    carriers: Mapping[str, int] | None,
    people: int,
    seed: int,
) -> dict[str, dict[str, float] | None]:
    """Simulate both ways of care by the assumptions and the diseases as they were simulated.

    Args:
        economics: File of the assumptions.
        traits: File of the diseases.
        has_score: Whether a score is known; without it, prevention is not simulated.
        carriers: Carriers of each gene among all people. None: there are none.
        people: People to simulate for each way of care.
        seed: Of the random numbers.

    Returns:
        The gains of ``prevention`` and ``cascade`` with ``euro`` and ``qaly`` and their errors,
        ``ratio`` and ``benefit``; None for what is not known.

    Raises:
        InputError: A file is no YAML.
    """
    assumptions, diseases = read_assumptions(economics), load_yaml(traits)["diseases"]
    worth = assumptions["euro_per_qaly"]
    gains: dict[str, dict[str, float] | None] = {"prevention": None, "cascade": None}
    if has_score:
        heart = diseases[assumptions["score_based_prevention"]["disease"]]
        log_ratio = float(np.log(heart["genetics"]["hazard_ratio_per_sd"]))
        risk = {sex: _points(heart["cumulative_risk"], sex) for sex in ("female", "male")}
        prevention = prevention_gain(assumptions, risk, log_ratio, people, seed)
        gains["prevention"] = _told(prevention, worth)
    if carriers:
        genes = diseases[assumptions["cascade_testing"]["disease"]]["genes"]
        risks = [_points(genes[gene]["cumulative_risk"], "female") for gene in carriers]
        total = sum(carriers.values())
        shares = [count / total for count in carriers.values()]
        gains["cascade"] = _told(cascade_gain(assumptions, risks, shares, people, seed), worth)
    return gains


def _told(gain: TrueGain, euro_per_qaly: float) -> dict[str, float]:
    more = {"benefit": gain.benefit(euro_per_qaly)}
    if gain.qaly > 0:
        more["ratio"] = gain.euro / gain.qaly
    return {**asdict(gain), **more}


def _points(risk: Mapping[Any, Any], sex: str) -> Points:
    """Return the points of a curve that may be given for each sex or for both."""
    return sorted(risk.get(sex, risk).items())


def read_assumptions(path: Path) -> dict[str, Any]:
    """Read the values of ``config/economics.yaml``, without errors and sources.

    Args:
        path: The file.

    Returns:
        The file's mapping, with a number in the place of each value that has a source.

    Raises:
        InputError: The file is no YAML.
    """
    plain: dict[str, Any] = _plain(load_yaml(path))
    return plain


def _plain(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return value["value"] if "source" in value else {key: _plain(one) for key, one in value.items()}


@dataclass(frozen=True)
class _Lives:
    """Lives from an age on: when the disease begins and when they end, in years from there."""

    ill: Numbers  # inf for never before death
    end: Numbers
    dies_of_event: NDArray[np.bool_]


def prevention_gain(
    assumptions: Mapping[str, Any],
    risk: Mapping[str, Points],
    log_ratio: float,
    people: int,
    seed: int,
) -> TrueGain:
    """Simulate score-based prevention, per person tested.

    Args:
        assumptions: As :func:`read_assumptions` returns them.
        risk: Cumulative risk of the disease by sex.
        log_ratio: True logarithm of the hazard ratio per standard deviation of the score.
        people: People with a high score to simulate, half of them women.
        seed: Of the random numbers.

    Returns:
        The gain. People with low scores only pay for the test.
    """
    policy = assumptions["score_based_prevention"]
    rng = np.random.default_rng(seed)
    parts = [
        _prevention_of(assumptions, policy, sex, points, log_ratio, people // len(risk), rng)
        for sex, points in risk.items()
    ]
    euro, qaly = (np.concatenate(one) for one in zip(*parts, strict=True))
    return _mean(euro + policy["test_euro"], qaly)


def _prevention_of(
    assumptions: Mapping[str, Any],
    policy: Mapping[str, Any],
    sex: str,
    points: Points,
    log_ratio: float,
    people: int,
    rng: np.random.Generator,
) -> tuple[Numbers, Numbers]:
    """Return each person's gain; it counts people with low scores by a factor below 1."""
    start, last = policy["start_age"], assumptions["last_age"]
    ages = np.arange(start, last + 1)
    whole = _at(points, ages)
    baseline = _baseline(whole, log_ratio)
    share = float(ndtr(-policy["threshold_sd"]))
    score = ndtri(1 - share * rng.random(people))
    ratio = np.exp(log_ratio * score)
    # well at the start: kept with that chance, in proportion to all who are well then
    weight = share * np.exp(-baseline[0] * ratio) / (1 - whole[0])
    years = ages - start
    rise = np.diff(baseline)
    treated = ages[:-1] < policy["end_age"]
    begins = rng.exponential(size=people) / ratio
    death = rng.exponential(size=(2, people))
    fatal = rng.random(people) < policy["fatality"]
    dying = _cumulative_deaths(assumptions["mortality"][sex], ages)
    gains = []
    for effect in (policy["hazard_ratio_of_treatment"], 1.0):
        cumulative = np.append(0, np.cumsum(rise * np.where(treated, effect, 1.0)))
        ill = _age_of(begins, cumulative, years)
        lives = _lives(ill, death, dying, policy["mortality_ratio_ill"] * dying, fatal, years)
        euro, qaly = _costs(lives, assumptions["discount_rate"], policy)
        if effect != 1.0:
            time = _discounted(
                0.0,
                np.minimum(np.minimum(lives.ill, lives.end), policy["end_age"] - start),
                assumptions["discount_rate"],
            )
            euro += time * policy["treatment_euro_a_year"]
            qaly -= time * policy["disutility_of_treatment"]
        gains.append((euro, qaly))
    (euro_with, qaly_with), (euro_without, qaly_without) = gains
    return weight * (euro_with - euro_without), weight * (qaly_with - qaly_without)


def cascade_gain(
    assumptions: Mapping[str, Any],
    risks: Sequence[Points],
    shares: Sequence[float],
    people: int,
    seed: int,
) -> TrueGain:
    """Simulate cascade testing, per woman tested.

    Args:
        assumptions: As :func:`read_assumptions` returns them.
        risks: Cumulative risk of women who carry a variant of each gene.
        shares: True share of each gene among carriers.
        people: Carriers to simulate.
        seed: Of the random numbers.

    Returns:
        The gain.
    """
    policy = assumptions["cascade_testing"]
    rng = np.random.default_rng(seed)
    start = policy["start_age"]
    ages = np.arange(start, assumptions["last_age"] + 1)
    years = ages - start
    gene = rng.choice(len(risks), size=people, p=shares)
    whole = np.array([_at(one, ages) for one in risks])
    total = -np.log(1 - whole) * policy["risk_ratio"]
    weight = np.exp(-total[gene, 0])
    weight /= weight.mean()
    begins, death = rng.exponential(size=people), rng.exponential(size=(2, people))
    has_surgery = rng.random(people) < policy["surgery_share"]
    dying = _cumulative_deaths(assumptions["mortality"]["female"], ages)
    until = policy["end_age"] - start  # examinations end
    never = np.zeros(people, bool)

    def onset(operated: NDArray[np.bool_]) -> Numbers:
        ill = np.empty(people)
        for number in range(len(risks)):
            some = gene == number
            cumulative = total[number] - total[number, 0]
            # fewer cancers are as if the same hazard were reached later
            harder = np.where(operated[some], policy["hazard_ratio_of_surgery"], 1.0)
            ill[some] = _age_of(begins[some] / harder, cumulative, years)
        return ill

    def follow(knows: bool) -> tuple[Numbers, Numbers]:
        surgery = has_surgery & knows
        ill = onset(surgery)
        found = knows & ~surgery & (ill < until)  # by an examination: fewer deaths for life
        euro, qaly = np.zeros(people), np.zeros(people)
        for here, effect in ((found, policy["hazard_ratio_of_examination"]), (~found, 1.0)):
            ends = dying + policy["deaths_a_year_ill"] * effect * years
            lives = _lives(ill[here], death[:, here], dying, ends, never[here], years)
            euro[here], qaly[here] = _costs(lives, assumptions["discount_rate"], policy)
            if knows:
                time = np.minimum(np.minimum(lives.ill, lives.end), until)
                each = policy["examination_euro_a_year"] * ~surgery[here]
                euro[here] += each * _discounted(0.0, time, assumptions["discount_rate"])
        euro += surgery * policy["surgery_euro"]
        qaly -= surgery * policy["surgery_qaly"]
        return euro, qaly

    (euro_with, qaly_with), (euro_without, qaly_without) = follow(True), follow(False)
    share = policy["carrier_share"]
    gain = _mean(
        share * weight * (euro_with - euro_without), share * weight * (qaly_with - qaly_without)
    )
    return TrueGain(gain.euro + policy["test_euro"], gain.qaly, gain.euro_error, gain.qaly_error)


def _at(points: Points, ages: NDArray[np.int64]) -> Numbers:
    """Evaluate a curve that is linear between its points and constant beyond them."""
    given, values = np.array(points).T
    curve: Numbers = np.interp(ages, given, values)
    return curve


def _mean(euro: Numbers, qaly: Numbers) -> TrueGain:
    errors = [float(one.std() / np.sqrt(len(one))) for one in (euro, qaly)]
    return TrueGain(float(euro.mean()), float(qaly.mean()), *errors)


def _baseline(risk: Numbers, log_ratio: float) -> Numbers:
    """Solve for cumulative hazards at an average score, by halving, from quantiles of the score."""
    effect = np.exp(log_ratio * ndtri((np.arange(QUANTILES) + 0.5) / QUANTILES))
    low, high = np.zeros(len(risk)), np.full(len(risk), 50.0)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        ill = 1 - np.exp(-middle[:, None] * effect).mean(axis=1)
        low, high = np.where(ill < risk, middle, low), np.where(ill < risk, high, middle)
    return (low + high) / 2


def _cumulative_deaths(mortality: Mapping[str, float], ages: NDArray[np.int64]) -> Numbers:
    """Integrate Gompertz's hazard ``slope exp(slope (age - mode))`` from the first age on."""
    slope, mode = mortality["slope"], mortality["mode"]
    whole: Numbers = np.exp(slope * (ages - mode)) - np.exp(slope * (ages[0] - mode))
    return whole


def _age_of(hazard: Numbers, cumulative: Numbers, years: NDArray[np.int64]) -> Numbers:
    """Return the times at which cumulative hazards are reached, inf where they are not."""
    reached = np.interp(hazard, cumulative, years)
    return np.where(hazard > cumulative[-1], np.inf, reached)


def _lives(
    ill: Numbers,
    death: Numbers,
    dying: Numbers,
    dying_ill: Numbers,
    fatal: NDArray[np.bool_],
    years: NDArray[np.int64],
) -> _Lives:
    """Draw the ends of lives. ``death``: two exponential numbers of each person."""
    last = float(years[-1])
    end_well = np.minimum(_age_of(death[0], dying, years), last)
    falls = ill < end_well
    at_onset = np.interp(np.where(falls, ill, 0.0), years, dying_ill)
    end_ill = np.minimum(_age_of(at_onset + death[1], dying_ill, years), last)
    end = np.where(falls, np.where(fatal, ill, end_ill), end_well)
    return _Lives(np.where(falls, ill, np.inf), end, fatal & falls)


def _costs(lives: _Lives, rate: float, policy: Mapping[str, Any]) -> tuple[Numbers, Numbers]:
    """Add up discounted costs and quality-adjusted years, without those of the care itself."""
    falls = np.isfinite(lives.ill)
    well_until = np.where(falls, lives.ill, lives.end)
    well = _discounted(0.0, well_until, rate)
    ill = _discounted(well_until, lives.end, rate)
    event = np.where(falls, (1 + rate) ** -np.where(falls, lives.ill, 0.0), 0.0)
    euro = ill * policy["ill_euro_a_year"] + event * policy["event_euro"]
    qaly = (
        well * policy["utility_well"] + ill * policy["utility_ill"] - event * policy["event_qaly"]
    )
    return euro, qaly


def _discounted(begin: float | Numbers, end: Numbers, rate: float) -> Numbers:
    """Integrate the discount factor over times in years."""
    if rate == 0:
        return end - begin
    force = np.log1p(rate)
    whole: Numbers = (np.exp(-force * np.asarray(begin)) - np.exp(-force * end)) / force
    return whole
