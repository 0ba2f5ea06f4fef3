"""Cascade testing: relatives of carriers are tested, and those who carry it too are cared for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from rehearsal.phenotypes.age_curves import Curve
from rehearsal.policy.care.cohort_model import Course, Illness, run_cohort
from rehearsal.policy.care.hazards import cumulative_hazards, deaths_a_year
from rehearsal.policy.care.parameters import Economics
from rehearsal.policy.care.sensitivity import (
    DRAWS,
    Gain,
    Summary,
    both_arms,
    compare_single,
    draw_shares,
    draw_values,
    given_shares,
    given_values,
    single_changes,
    summarise,
)

Numbers = NDArray[np.float64]


def assess_cascade(
    economics: Economics,
    risks: Sequence[Curve],
    others: Curve | None,
    carriers: Sequence[int],
    seed: int,
    draws: int = DRAWS,
) -> Summary:
    """Compare cascade testing with usual care, per woman tested.

    The women are relatives of carriers, well at the start: a carrier is less often among them than
    among all relatives, because she is ill more often before. Tests are right.
    Carriers who know of it are examined every year or choose surgery at the start.

    Args:
        economics: The assumptions.
        risks: Cumulative risk of women who carry a variant of each gene.
        others: Cumulative risk of women who carry none; None: they have no risk.
        carriers: Carriers of each gene that the nodes counted.
        seed: Decides the draws.
        draws: Number of draws.

    Returns:
        The gain, with its uncertainty: that of the assumptions and of the shares of the genes;
        costs and effects with and without the tests; and the gain with single assumptions changed.
    """
    rng = np.random.default_rng(seed)
    values = {**economics.cascade.values, "discount_rate": economics.discount_rate}
    given = given_values(values)
    curves = (risks, others)
    usual, best = _arms(economics, curves, given, given_shares(carriers))
    shares = draw_shares(carriers, rng, draws)
    _, drawn = _arms(economics, curves, draw_values(values, rng, draws), shares)
    changes, changed = single_changes(values)
    _, single = _arms(economics, curves, changed, given_shares(carriers))
    return replace(
        summarise(best, drawn, economics.euro_per_qaly),
        arms=both_arms(usual, best),
        single=compare_single(changes, single, economics.euro_per_qaly),
    )


def _arms(
    economics: Economics,
    curves: tuple[Sequence[Curve], Curve | None],  # of carriers by gene, and of others
    values: Mapping[str, Numbers],
    shares: Numbers,  # of the genes, shape (genes, draws)
) -> tuple[tuple[Numbers, Numbers], Gain]:
    """Return costs and effects of a woman tested with usual care, and her gain."""
    policy, (risks, others) = economics.cascade, curves
    ages = np.arange(policy.start_age, economics.last_age + 1)
    cumulative = np.stack([cumulative_hazards(curve, ages) for curve in risks])
    hazards = np.diff(cumulative).T[..., None] * values["risk_ratio"]  # (years, genes, draws)
    well = shares * np.exp(-cumulative[:, :1] * values["risk_ratio"])
    of_others = np.zeros(len(ages)) if others is None else cumulative_hazards(others, ages)
    share = _share_of_well(values, well.sum(axis=0), of_others[0])
    well /= well.sum(axis=0)
    deaths = deaths_a_year(economics.mortality["female"], ages[:-1])[:, None, None]
    examined_in = ages[:-1] < policy.end_age

    def follow(is_examined: bool, has_surgery: bool) -> tuple[Numbers, Numbers]:
        examined = (examined_in & is_examined)[:, None, None]
        course = _course(values, hazards, deaths, examined, has_surgery)
        euro, qaly = run_cohort(course, len(ages) - 1, values["discount_rate"])
        return (well * euro).sum(axis=0), (well * qaly).sum(axis=0)

    without = _follow_others(values, of_others, deaths)
    usual, examined, operated = follow(False, False), follow(True, False), follow(False, True)
    surgery = values["surgery_share"]
    known = [
        (1 - surgery) * one + surgery * other for one, other in zip(examined, operated, strict=True)
    ]
    euro, qaly = (now - before for now, before in zip(known, usual, strict=True))
    before_test = [
        share * one + (1 - share) * other for one, other in zip(usual, without, strict=True)
    ]
    gain = Gain(values["test_euro"] + share * euro, share * qaly)
    return (before_test[0], before_test[1]), gain


def _share_of_well(
    values: Mapping[str, Numbers], well_carriers: Numbers, hazard_of_others: float
) -> Numbers:
    """Return the share of carriers among the relatives who are well at the start."""
    carriers = values["carrier_share"] * well_carriers
    others = np.exp(-hazard_of_others * values["risk_ratio_of_others"])
    return carriers / (carriers + (1 - values["carrier_share"]) * others)


def _follow_others(
    values: Mapping[str, Numbers], cumulative: Numbers, deaths: Numbers
) -> tuple[Numbers, Numbers]:
    """Return costs and effects of a woman who carries no variant."""
    hazards = np.diff(cumulative)[:, None, None] * values["risk_ratio_of_others"]
    course = _course(values, hazards, deaths, np.zeros_like(deaths, bool), False)
    euro, qaly = run_cohort(course, len(deaths), values["discount_rate"])
    return euro[0], qaly[0]


def _course(
    values: Mapping[str, Numbers],
    hazards: Numbers,
    deaths: Numbers,
    examined: NDArray[np.bool_],
    has_surgery: bool,
) -> Course:
    """Build the course of carriers. ``examined``: years in which examinations find the disease.

    A disease that an examination found has fewer deaths for life, also after the last examination.
    """
    is_found, by_disease = examined.ravel(), values["deaths_a_year_ill"]
    fewer = by_disease * values["hazard_ratio_of_examination"]
    return Course(
        falls_ill=hazards * (values["hazard_ratio_of_surgery"] if has_surgery else 1.0),
        dies_well=deaths,
        illnesses=(
            Illness(~is_found, deaths + by_disease),
            Illness(is_found, deaths + fewer),
        ),
        euro_well=np.where(examined, values["examination_euro_a_year"], 0.0),
        utility_well=np.broadcast_to(
            values["utility_well"], (len(deaths), 1, len(values["utility_well"]))
        ),
        euro_ill=values["ill_euro_a_year"],
        utility_ill=values["utility_ill"],
        euro_event=values["event_euro"],
        qaly_event=values["event_qaly"],
        fatality=np.zeros(1),
        euro_start=values["surgery_euro"] if has_surgery else np.zeros(1),
        qaly_start=values["surgery_qaly"] if has_surgery else np.zeros(1),
    )
