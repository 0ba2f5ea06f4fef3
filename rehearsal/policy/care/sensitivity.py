"""Uncertainty: parameters are drawn together, and what comes of each draw is summarised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, gammaincinv

from rehearsal.policy.care.parameters import Value

Numbers = NDArray[np.float64]

DRAWS = 2_000
LEVEL = 0.95
WORTHS = (5_000, 10_000, 20_000, 50_000)  # euro for a QALY, beside the assumed one
CLEAR_GAIN = 0.999  # share of draws with a gain of effect, above which a ratio has an interval


def draw_values(
    values: Mapping[str, Value], rng: np.random.Generator, draws: int
) -> dict[str, Numbers]:
    """Draw assumptions around their values, independently of each other.

    Args:
        values: The assumptions by name.
        rng: Generator of random numbers.
        draws: Number of draws.

    Returns:
        By name, shape (draws,): the median of lognormal draws and the mean of the others is the
        value.
    """
    return {name: _draw(one, rng, draws) for name, one in values.items()}


def _draw(one: Value, rng: np.random.Generator, draws: int) -> Numbers:
    if one.draw == "lognormal":
        return one.value * np.exp(one.se * rng.standard_normal(draws))
    if one.draw == "gamma":
        shape, scale = _gamma(one)
        return rng.gamma(shape, scale, draws)
    if one.draw == "beta":
        return rng.beta(*_beta(one), draws)
    return np.full(draws, one.value)


def _gamma(one: Value) -> tuple[float, float]:
    """Return shape and scale of the gamma distribution with a mean and standard deviation."""
    shape = (one.value / one.se) ** 2
    return shape, one.value / shape


def _beta(one: Value) -> tuple[float, float]:
    """Return both parameters of the beta distribution with a mean and standard deviation."""
    size = one.value * (1 - one.value) / one.se**2 - 1
    return one.value * size, (1 - one.value) * size


def low_and_high(one: Value) -> tuple[float, float] | None:
    """Return the low and high value with which a single assumption is tried.

    Args:
        one: The assumption.

    Returns:
        The given ones, or the interval that has 95 % of its draws; None if it has neither.
    """
    if one.low is not None and one.high is not None:
        return one.low, one.high
    tails = np.array([(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    if one.draw == "lognormal":
        ends = one.value * np.exp(one.se * np.array(list(map(NormalDist().inv_cdf, tails))))
    elif one.draw == "gamma":
        shape, scale = _gamma(one)
        ends = scale * gammaincinv(shape, tails)
    elif one.draw == "beta":
        ends = betaincinv(*_beta(one), tails)
    else:
        return None
    return float(ends[0]), float(ends[1])


def single_changes(values: Mapping[str, Value]) -> tuple[list[Change], dict[str, Numbers]]:
    """Change one assumption at a time, to its low and its high value.

    Args:
        values: The assumptions by name.

    Returns:
        The changes, and the values by name, shape (2 changes,): the low one of each change, then
        its high one.
    """
    ends = {name: low_and_high(one) for name, one in values.items()}
    changes = [Change(name, *both) for name, both in ends.items() if both is not None]
    changed = {name: np.full(2 * len(changes), one.value) for name, one in values.items()}
    for number, one in enumerate(changes):
        changed[one.name][2 * number : 2 * number + 2] = one.low, one.high
    return changes, changed


def given_values(values: Mapping[str, Value]) -> dict[str, Numbers]:
    """Return assumptions as they are, each of shape (1,).

    Args:
        values: The assumptions by name.
    """
    return {name: np.array([one.value]) for name, one in values.items()}


def given_shares(counts: Sequence[float]) -> Numbers:
    """Return the shares of groups as they were counted.

    Args:
        counts: People of each group.

    Returns:
        Shares, shape (groups, 1).
    """
    numbers = np.array(counts, np.float64)
    return (numbers / numbers.sum())[:, None]


def draw_shares(counts: Sequence[float], rng: np.random.Generator, draws: int) -> Numbers:
    """Draw the shares of groups of which so many were counted.

    Args:
        counts: People of each group.
        rng: Generator of random numbers.
        draws: Number of draws.

    Returns:
        Shares, shape (groups, draws): Dirichlet, with one more person over all groups.
    """
    numbers = np.array(counts, np.float64)
    return rng.dirichlet(numbers + 1 / len(numbers), draws).T


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a single assumption."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Arm:
    """Costs and effects of a way of care itself, per person, at the given assumptions."""

    euro: float
    qaly: float


@dataclass(frozen=True, slots=True)
class Gain:
    """What a way of care costs and gains per person, compared with another. Shape (draws,)."""

    euro: Numbers
    qaly: Numbers

    def benefit(self, euro_per_qaly: float) -> Numbers:
        """Return the net monetary benefit in euro.

        Args:
            euro_per_qaly: What a quality-adjusted year is worth.
        """
        return self.qaly * euro_per_qaly - self.euro


@dataclass(frozen=True, slots=True)
class Summary:
    """A gain at the given assumptions, with intervals of the draws."""

    euro: float
    qaly: float
    euro_interval: tuple[float, float]
    qaly_interval: tuple[float, float]
    ratio: float | None  # euro per QALY; None unless the care gains and costs more
    ratio_interval: tuple[float, float] | None  # from 0 on; None if some draws lose
    benefit: float  # euro per person
    benefit_interval: tuple[float, float]
    worth_it: float  # share of the draws with a benefit above 0
    worth_at: list[dict[str, float]]  # the same as a ``share`` at several ``euro`` for a QALY
    arms: dict[str, Arm] = field(
        default_factory=dict
    )  # with ``usual`` care, and with this ``care``
    single: list[dict[str, Any]] = field(default_factory=list)  # of :func:`compare_single`


def summarise(best: Gain, drawn: Gain, euro_per_qaly: float) -> Summary:
    """Summarise a gain.

    The ratio of costs and effects has no meaningful interval where effects near 0 are among the
    draws; the net benefit always has one (Stinnett and Mullahy 1998,
    doi:10.1177/0272989X98018002S09). Draws that gain and save money
    count as a ratio of 0, and the few without a gain as the highest ratios.

    Args:
        best: The gain at the given assumptions, shape (1,).
        drawn: The gain of each draw.
        euro_per_qaly: What a quality-adjusted year is worth.

    Returns:
        The summary.
    """
    benefit = drawn.benefit(euro_per_qaly)
    gains, priced = drawn.qaly > 0, np.maximum(drawn.euro, 0)
    has_interval = gains.mean() >= CLEAR_GAIN
    ratios = np.where(gains, priced / np.where(gains, drawn.qaly, 1.0), np.inf)
    return Summary(
        euro=float(best.euro[0]),
        qaly=float(best.qaly[0]),
        euro_interval=interval(drawn.euro),
        qaly_interval=interval(drawn.qaly),
        ratio=_ratio(float(best.euro[0]), float(best.qaly[0])),
        ratio_interval=interval(ratios) if has_interval else None,
        benefit=float(best.benefit(euro_per_qaly)[0]),
        benefit_interval=interval(benefit),
        worth_it=float((benefit > 0).mean()),
        worth_at=[
            {"euro": worth, "share": float((drawn.benefit(worth) > 0).mean())} for worth in WORTHS
        ],
    )


def _ratio(euro: float, qaly: float) -> float | None:
    """Return euro per QALY, which orders decisions only where care gains and costs more."""
    return euro / qaly if qaly > 0 and euro > 0 else None


def both_arms(usual: tuple[Numbers, Numbers], gain: Gain) -> dict[str, Arm]:
    """Return costs and effects with usual care and with the care that is judged.

    Args:
        usual: Costs and effects with usual care, both of shape (1,).
        gain: What the care costs and gains beyond, shape (1,).
    """
    euro, qaly = (float(one[0]) for one in usual)
    more_euro, more_qaly = float(gain.euro[0]), float(gain.qaly[0])
    return {"usual": Arm(euro, qaly), "care": Arm(euro + more_euro, qaly + more_qaly)}


def compare_single(
    changes: Sequence[Change], gain: Gain, euro_per_qaly: float
) -> list[dict[str, Any]]:
    """Say what a change of each single assumption does, the others as they are.

    Args:
        changes: The changes.
        gain: The gain with the low and the high value of each, shape (2 changes,).
        euro_per_qaly: What a quality-adjusted year is worth.

    Returns:
        By change ``name``, ``low`` and ``high``, and at both (``at_low``, ``at_high``) ``euro``,
        ``qaly``, ``ratio`` (None unless it gains and costs more) and ``benefit``; those that move
        the benefit most come first.
    """
    benefit = gain.benefit(euro_per_qaly)

    def at(place: int) -> dict[str, float | None]:
        euro, qaly = float(gain.euro[place]), float(gain.qaly[place])
        figures = {"euro": euro, "qaly": qaly, "ratio": _ratio(euro, qaly)}
        return {**figures, "benefit": float(benefit[place])}

    rows = [
        {**asdict(one), "at_low": at(2 * number), "at_high": at(2 * number + 1)}
        for number, one in enumerate(changes)
    ]
    spans = np.abs(np.diff(benefit.reshape(-1, 2))).ravel()
    return [rows[place] for place in np.argsort(-spans, kind="stable")]


def interval(values: Numbers, level: float = LEVEL) -> tuple[float, float]:
    """Return the interval that leaves equal shares of values on both sides.

    Args:
        values: The values.
        level: The share of values within.
    """
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
