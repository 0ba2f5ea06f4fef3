"""What care costs and gains, person by person: lives in continuous time, drawn one by one.

The models of care compute shares of a cohort in cycles of a year (``rehearsal.policy.care``). Here
every person has a score and ages of disease and death, with and without the care that is judged, by
the same random numbers. Assumptions are read from the YAML file a second time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from rehearsal.truth.lives import (
    Numbers,
    Points,
    add_up,
    cumulative_deaths,
    discounted,
    end_lives,
    solve_baseline,
    time_of,
    times_hazard,
    value_at,
)
from rehearsal.yaml_files import load_yaml

NO_RISK = ((0, 0.0),)  # of people without a variant, where a disease gives none


@dataclass(frozen=True, slots=True)
class TrueGain:
    """Mean costs and effects per person, of care or of one against another, with errors."""

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
) -> dict[str, dict[str, Any] | None]:
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
        ``ratio``, ``benefit`` and ``arms`` (costs and effects with ``usual`` care and with this
        ``care``); None for what is not known.

    Raises:
        InputError: A file is no YAML.
    """
    assumptions, diseases = read_assumptions(economics), load_yaml(traits)["diseases"]
    worth = assumptions["euro_per_qaly"]
    gains: dict[str, dict[str, Any] | None] = {"prevention": None, "cascade": None}
    if has_score:
        heart = diseases[assumptions["score_based_prevention"]["disease"]]
        log_ratio = float(np.log(heart["genetics"]["hazard_ratio_per_sd"]))
        risk = {sex: _points(heart["cumulative_risk"], sex) for sex in ("female", "male")}
        prevention = prevention_gain(assumptions, risk, log_ratio, people, seed)
        usual = usual_without_prevention(assumptions, risk, log_ratio, people, seed + 1)
        gains["prevention"] = _told(prevention, usual, worth)
    if carriers:
        cancer = diseases[assumptions["cascade_testing"]["disease"]]
        genes, others = (
            cancer["genes"],
            _points(cancer.get("cumulative_risk", dict(NO_RISK)), "female"),
        )
        risks = [_points(genes[gene]["cumulative_risk"], "female") for gene in carriers]
        total = sum(carriers.values())
        shares = [count / total for count in carriers.values()]
        usual = usual_without_testing(assumptions, risks, shares, others, people, seed + 1)
        cascade = cascade_gain(assumptions, risks, shares, people, seed, others)
        gains["cascade"] = _told(cascade, usual, worth)
    return gains


def _told(gain: TrueGain, usual: TrueGain, euro_per_qaly: float) -> dict[str, Any]:
    care = TrueGain(
        usual.euro + gain.euro,
        usual.qaly + gain.qaly,
        math.hypot(usual.euro_error, gain.euro_error),
        math.hypot(usual.qaly_error, gain.qaly_error),
    )
    more: dict[str, Any] = {"benefit": gain.benefit(euro_per_qaly)}
    more["arms"] = {"usual": asdict(usual), "care": asdict(care)}
    if gain.qaly > 0 and gain.euro > 0:
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
    whole = times_hazard(value_at(points, ages), policy["risk_ratio"])
    baseline = solve_baseline(whole, log_ratio)
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
    dying = cumulative_deaths(assumptions["mortality"][sex], ages)
    gains = []
    for effect in (policy["hazard_ratio_of_treatment"], 1.0):
        cumulative = np.append(0, np.cumsum(rise * np.where(treated, effect, 1.0)))
        ill = time_of(begins, cumulative, years)
        lives = end_lives(ill, death, dying, policy["mortality_ratio_ill"] * dying, fatal, years)
        euro, qaly = add_up(lives, assumptions["discount_rate"], policy)
        if effect != 1.0:
            time = discounted(
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
    others: Points = NO_RISK,
) -> TrueGain:
    """Simulate cascade testing, per woman tested.

    Args:
        assumptions: As :func:`read_assumptions` returns them.
        risks: Cumulative risk of women who carry a variant of each gene.
        shares: True share of each gene among carriers.
        people: Carriers to simulate.
        seed: Of the random numbers.
        others: Cumulative risk of women without a variant.

    Returns:
        The gain.
    """
    policy = assumptions["cascade_testing"]
    rng = np.random.default_rng(seed)
    start = policy["start_age"]
    ages = np.arange(start, assumptions["last_age"] + 1)
    years = ages - start
    gene = rng.choice(len(risks), size=people, p=shares)
    whole = np.array([value_at(one, ages) for one in risks])
    total = -np.log(1 - whole) * policy["risk_ratio"]
    weight = np.exp(-total[gene, 0])
    weight *= _carriers_among_well(policy, float(weight.mean()), others) / weight.mean()
    begins, death = rng.exponential(size=people), rng.exponential(size=(2, people))
    has_surgery = rng.random(people) < policy["surgery_share"]
    dying = cumulative_deaths(assumptions["mortality"]["female"], ages)
    until = policy["end_age"] - start  # examinations end
    never = np.zeros(people, bool)

    def onset(operated: NDArray[np.bool_]) -> Numbers:
        ill = np.empty(people)
        for number in range(len(risks)):
            some = gene == number
            cumulative = total[number] - total[number, 0]
            # fewer cancers are as if the same hazard were reached later
            harder = np.where(operated[some], policy["hazard_ratio_of_surgery"], 1.0)
            ill[some] = time_of(begins[some] / harder, cumulative, years)
        return ill

    def follow(knows: bool) -> tuple[Numbers, Numbers]:
        surgery = has_surgery & knows
        ill = onset(surgery)
        found = knows & ~surgery & (ill < until)  # by an examination: fewer deaths for life
        euro, qaly = np.zeros(people), np.zeros(people)
        for here, effect in ((found, policy["hazard_ratio_of_examination"]), (~found, 1.0)):
            ends = dying + policy["deaths_a_year_ill"] * effect * years
            lives = end_lives(ill[here], death[:, here], dying, ends, never[here], years)
            euro[here], qaly[here] = add_up(lives, assumptions["discount_rate"], policy)
            if knows:
                time = np.minimum(np.minimum(lives.ill, lives.end), until)
                each = policy["examination_euro_a_year"] * ~surgery[here]
                euro[here] += each * discounted(0.0, time, assumptions["discount_rate"])
        euro += surgery * policy["surgery_euro"]
        qaly -= surgery * policy["surgery_qaly"]
        return euro, qaly

    (euro_with, qaly_with), (euro_without, qaly_without) = follow(True), follow(False)
    gain = _mean(weight * (euro_with - euro_without), weight * (qaly_with - qaly_without))
    return TrueGain(gain.euro + policy["test_euro"], gain.qaly, gain.euro_error, gain.qaly_error)


def usual_without_prevention(
    assumptions: Mapping[str, Any],
    risk: Mapping[str, Points],
    log_ratio: float,
    people: int,
    seed: int,
) -> TrueGain:
    """Simulate people with any score and usual care. Half of them are women.

    Args:
        assumptions: As :func:`read_assumptions` returns them.
        risk: Cumulative risk of the disease by sex.
        log_ratio: True logarithm of the hazard ratio per standard deviation of the score.
        people: People to simulate.
        seed: Of the random numbers.

    Returns:
        Means of those who are well at the start, with their errors.
    """
    policy, rng = assumptions["score_based_prevention"], np.random.default_rng(seed)
    ages = np.arange(policy["start_age"], assumptions["last_age"] + 1)
    each = []
    for sex, points in risk.items():
        whole = times_hazard(value_at(points, ages), policy["risk_ratio"])
        baseline = solve_baseline(whole, log_ratio)
        ratio = np.exp(log_ratio * rng.standard_normal(people // len(risk)))
        dying = cumulative_deaths(assumptions["mortality"][sex], ages)
        fatal = rng.random(len(ratio)) < policy["fatality"]
        dying_ill = policy["mortality_ratio_ill"] * dying
        hazards = rng.exponential(size=len(ratio)) / ratio, baseline - baseline[0]
        told = _usual(assumptions, policy, hazards, (dying, dying_ill), fatal, rng)
        weight = np.exp(-baseline[0] * ratio)
        each.append(_mean(*told, weight))
    return _mix(each, [1 / len(each)] * len(each))


def usual_without_testing(
    assumptions: Mapping[str, Any],
    risks: Sequence[Points],
    shares: Sequence[float],
    others: Points,
    people: int,
    seed: int,
) -> TrueGain:
    """Simulate relatives of carriers with usual care: those who carry a variant, and the others.

    Args:
        assumptions: As :func:`read_assumptions` returns them.
        risks: Cumulative risk of women who carry a variant of each gene.
        shares: True share of each gene among carriers.
        others: Cumulative risk of women without a variant.
        people: Women to simulate, for each gene and without.
        seed: Of the random numbers.

    Returns:
        Means of those who are well at the start, with their errors.
    """
    policy, rng = assumptions["cascade_testing"], np.random.default_rng(seed)
    ages = np.arange(policy["start_age"], assumptions["last_age"] + 1)
    dying = cumulative_deaths(assumptions["mortality"]["female"], ages)
    dying_ill = dying + policy["deaths_a_year_ill"] * (ages - ages[0])
    never = np.zeros(people, bool)
    means, well = [], []
    by_gene = ((one, policy["risk_ratio"]) for one in risks)
    for points, ratio in [*by_gene, (others, policy["risk_ratio_of_others"])]:
        total = -np.log(1 - value_at(points, ages)) * ratio
        hazards = rng.exponential(size=people), total - total[0]
        told = _usual(assumptions, policy, hazards, (dying, dying_ill), never, rng)
        means.append(_mean(*told))
        well.append(float(np.exp(-total[0])))
    of_genes = np.multiply(shares, well[:-1])
    share = _carriers_among_well(policy, float(of_genes.sum()), others)
    return _mix(means, [*(share * of_genes / of_genes.sum()), 1 - share])


def _carriers_among_well(policy: Mapping[str, Any], well: float, others: Points) -> float:
    """Return the share of carriers among relatives who are well at the start, by Bayes' rule."""
    start = np.array([policy["start_age"]])
    free = float(1 - times_hazard(value_at(others, start), policy["risk_ratio_of_others"])[0])
    prior = policy["carrier_share"]
    return float(prior * well / (prior * well + (1 - prior) * free))


def _usual(
    assumptions: Mapping[str, Any],
    policy: Mapping[str, Any],
    hazards: tuple[Numbers, Numbers],  # at which each person falls ill; cumulative ones by year
    dying: tuple[Numbers, Numbers],  # cumulative hazards while well and while ill
    fatal: NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[Numbers, Numbers]:
    """Return costs and quality-adjusted years of each person with usual care."""
    begins, cumulative = hazards
    years = np.arange(len(cumulative))
    death = rng.exponential(size=(2, len(begins)))
    lives = end_lives(time_of(begins, cumulative, years), death, *dying, fatal, years)
    return add_up(lives, assumptions["discount_rate"], policy)


def _mean(euro: Numbers, qaly: Numbers, weights: Numbers | None = None) -> TrueGain:
    share = np.full(len(euro), 1 / len(euro)) if weights is None else weights / weights.sum()
    means = [float(share @ one) for one in (euro, qaly)]
    far = euro - means[0], qaly - means[1]
    return TrueGain(*means, *(float(np.linalg.norm(share * one)) for one in far))


def _mix(groups: Sequence[TrueGain], shares: Sequence[float]) -> TrueGain:
    """Return the mean of groups that were simulated apart from each other."""
    euro, qaly, *errors = np.array([list(asdict(one).values()) for one in groups]).T
    squared = (float(np.linalg.norm(np.multiply(shares, one))) for one in errors)
    return TrueGain(float(np.dot(shares, euro)), float(np.dot(shares, qaly)), *squared)
