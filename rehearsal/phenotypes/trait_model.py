"""From causes to traits: scores, measured values, ages of onset."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import log_ndtr, ndtr, ndtri_exp

from rehearsal.errors import InputError
from rehearsal.phenotypes.subjects import Subjects, by_sex_and_age, standard_noise
from rehearsal.phenotypes.trait_types import DerivedMeasurement, Disease, Measurement

_SHARES = 1000  # equal shares of a cohort that stand for its genetic values


def standard_score(
    trait: Measurement | Disease,
    genetic_value: np.ndarray | None,
    scores: Mapping[str, np.ndarray],
    explained: float,
    subjects: Subjects,
    seed: int,
) -> np.ndarray:
    """A person's place among people of their sex and age, in standard deviations: the score of a
    measurement, the liability to a disease. n numbers.

    ``z = sqrt(h2) g + sum(w_j z_j) + sqrt(1 - h2 - explained) e``, g the standardised genetic
    value, z_j the scores of the causes and w_j their weights, e standard normal. ``explained``:
    the share of the variance that the causes explain together (``path_coefficients``).
    Where the trait has a hazard ratio in the place of a heritability, that is the rest of the
    liability, and ``proportional_hazards`` adds the genetic value.
    """
    heritability = trait.genetics.heritability if trait.genetics else 0.0
    own = np.sqrt(max(1 - heritability - explained, 0.0))
    score = own * standard_noise(subjects, seed, trait.name)
    if genetic_value is not None:
        score += np.sqrt(heritability) * genetic_value
    for name, weight in trait.causes.items():
        score += weight * scores[name]
    if trait.genetics is not None and trait.genetics.hazard_ratio_per_sd is not None:
        if genetic_value is None:
            raise ValueError(f"{trait.name}: expected genetic values")
        return proportional_hazards(score, genetic_value, trait.genetics.hazard_ratio_per_sd)
    return score


def proportional_hazards(
    rest: np.ndarray, genetic_value: np.ndarray, ratio_per_sd: float
) -> np.ndarray:
    """The liability of people whose hazard is ``ratio_per_sd ** g`` times a baseline. n numbers.

    ``rest``: what else there is in the liability, standard normal and independent of the genetic
    value g. With ``U = Phi(-rest)`` uniform, ``h = -log(1 - U) ratio ** -g`` is the cumulative
    baseline hazard at which a person falls ill (Cox 1972; drawn as Bender et al. 2005 do). The
    share of everybody who has fallen ill by h is ``M(h) = 1 - mean(exp(-h ratio ** g))``, over
    the g of the cohort; ``-Phi^-1(M(h))`` is standard normal, and as a liability keeps each
    configured cumulative risk: the baseline is the one that gives it.
    """
    effect = np.log(ratio_per_sd) * genetic_value
    log_hazard = np.log(-log_ndtr(rest)) - effect
    # M is smooth: a grid in log h, over the middles of equal shares of the cohort
    shares = np.exp(np.quantile(effect, (np.arange(_SHARES) + 0.5) / _SHARES))
    grid = np.linspace(log_hazard.min(), log_hazard.max(), _SHARES)
    log_ill = np.log(-np.expm1(-np.outer(np.exp(grid), shares)).mean(axis=1))
    return -ndtri_exp(np.minimum(np.interp(log_hazard, grid, log_ill), -1e-300))


def measured(trait: Measurement, score: np.ndarray, subjects: Subjects) -> np.ndarray:
    """The value with mean and sd of the person's sex and age, in the trait's unit, rounded.

    Lognormal: ``exp(mu + sigma z)`` with ``sigma**2 = log(1 + sd**2 / mean**2)`` and
    ``mu = log(mean) - sigma**2 / 2``, which has just that mean and sd.
    """
    mean, sd = by_sex_and_age(trait.mean, subjects), by_sex_and_age(trait.sd, subjects)
    if trait.distribution == "lognormal":
        variance = np.log1p((sd / mean) ** 2)
        values = mean * np.exp(np.sqrt(variance) * score - variance / 2)
    else:
        values = mean + sd * score
    return np.round(values, trait.decimals)


def derived(trait: DerivedMeasurement, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """``factor * product(value ** power)`` of measured values, in the trait's unit, rounded."""
    product = np.asarray(trait.factor)
    for name, power in trait.powers.items():
        product = product * values[name] ** power
    return np.round(product, trait.decimals)


def ages_of_onset(
    disease: Disease,
    liability: np.ndarray,
    copies: Mapping[str, np.ndarray],
    subjects: Subjects,
) -> np.ndarray:
    """Everybody's age of onset in years, inf for those who never fall ill; not yet cut by age.

    A liability L is above the lifetime threshold ``Phi^-1(1 - K)`` just when ``Phi(-L) < K``,
    and above the threshold of age a just when ``Phi(-L) < F(a)``, F the cumulative risk with
    F(lifetime) = K. So the age of onset is ``F^-1(Phi(-L))``: each age has exactly the
    configured risk, and the most liable fall ill first (the age-dependent liability threshold
    model; Pedersen et al. 2022, LT-FH++). Of several risks that apply to a person, by sex and
    by carried gene, the highest at each age counts. ``copies``: n numbers by gene.
    """
    tail = ndtr(-liability)
    onset = np.full(len(subjects), np.inf)
    for sex, of_sex in subjects.sex.items():
        risks = [(disease.cumulative_risk, of_sex)]
        for gene in disease.genes:
            if gene.gene in copies:
                carries = of_sex & (copies[gene.gene] >= gene.copies[sex])
                risks.append((gene.cumulative_risk, carries))
        for curves, mask in risks:
            if sex in curves:
                onset[mask] = np.minimum(onset[mask], curves[sex].age_of(tail[mask]))
    return onset


def carried_copies(carriers: pd.DataFrame, subjects: Subjects) -> dict[str, np.ndarray]:
    """Copies of any planted variant, n numbers by gene, from columns gene, individual, copies.

    Two different variants of one gene count as two copies: compound heterozygotes.
    Raises InputError for an individual who is not among the people.
    """
    row = pd.Index(subjects.id).get_indexer(carriers["individual"].astype("str"))
    if (row < 0).any():
        stranger = carriers["individual"].iloc[int(np.argmax(row < 0))]
        raise InputError("carriers", "individual", f"expected somebody of the cohort: {stranger}")
    number = carriers["copies"].to_numpy(dtype=np.int64)
    copies = {}
    for gene in carriers["gene"].unique():
        of_gene = (carriers["gene"] == gene).to_numpy()
        counts = np.bincount(row[of_gene], weights=number[of_gene], minlength=len(subjects))
        copies[str(gene)] = counts.astype(np.int64)
    return copies
