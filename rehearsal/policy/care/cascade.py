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

    The women are relatives of carriers, well at the start. Tests are right. Carriers who know of it
    are examined every year or choose surgery at the start.

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
    usual, best = _arms(economics, risks, given, given_shares(carriers))
    shares = draw_shares(carriers, rng, draws)
    _, drawn = _arms(economics, risks, draw_values(values, rng, draws), shares)
    changes, changed = single_changes(values)
    _, single = _arms(economics, risks, changed, given_shares(carriers))
    return replace(
        summarise(best, drawn, economics.euro_per_qaly),
        arms=both_arms(_with_others(economics, others, given, usual), best),
        single=compare_single(changes, single, economics.euro_per_qaly),
    )


def _arms(
    economics: Economics,
    risks: Sequence[Curve],
    values: Mapping[str, Numbers],
    shares: Numbers,  # of the genes, shape (genes, draws)
) -> tuple[tuple[Numbers, Numbers], Gain]:
    """Return costs and effects of carriers with usual care, and the gain of a woman tested."""
    policy = economics.cascade
    ages = np.arange(policy.start_age, economics.last_age + 1)
    cumulative = np.stack([cumulative_hazards(curve, ages) for curve in risks])
    hazards = np.diff(cumulative).T[..., None] * values["risk_ratio"]  # (years, genes, draws)
    well = shares * np.exp(-cumulative[:, :1] * values["risk_ratio"])
    well /= well.sum(axis=0)
    deaths = deaths_a_year(economics.mortality["female"], ages[:-1])[:, None, None]
    examined_in = ages[:-1] < policy.end_age

    def follow(is_examined: bool, has_surgery: bool) -> tuple[Numbers, Numbers]:
        examined = (examined_in & is_examined)[:, None, None]
        course = _course(values, hazards, deaths, examined, has_surgery)
        euro, qaly = run_cohort(course, len(ages) - 1, values["discount_rate"])
        return (well * euro).sum(axis=0), (well * qaly).sum(axis=0)

    usual, examined, operated = follow(False, False), follow(True, False), follow(False, True)
    surgery = values["surgery_share"]
    known = [
        (1 - surgery) * one + surgery * other for one, other in zip(examined, operated, strict=True)
    ]
    euro, qaly = (now - before for now, before in zip(known, usual, strict=True))
    share = values["carrier_share"]
    return usual, Gain(values["test_euro"] + share * euro, share * qaly)


def _with_others(
    economics: Economics,
    others: Curve | None,
    values: Mapping[str, Numbers],
    carriers: tuple[Numbers, Numbers],
) -> tuple[Numbers, Numbers]:
    """Return costs and effects of a woman tested with usual care, those who carry nothing too."""
    ages = np.arange(economics.cascade.start_age, economics.last_age + 1)
    cumulative = np.zeros(len(ages)) if others is None else cumulative_hazards(others, ages)
    hazards = np.diff(cumulative)[:, None, None]
    deaths = deaths_a_year(economics.mortality["female"], ages[:-1])[:, None, None]
    course = _course(values, hazards, deaths, np.zeros_like(deaths, bool), False)
    without = run_cohort(course, len(ages) - 1, values["discount_rate"])
    share = values["carrier_share"]
    euro, qaly = (
        share * one + (1 - share) * other[0] for one, other in zip(carriers, without, strict=True)
    )
    return euro, qaly


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
