"""The model from causes to traits: scores, measured values, ages of onset."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from scipy.special import log_ndtr, ndtr, ndtri_exp

from rehearsal.errors import InputError, mismatch, shown
from rehearsal.phenotypes.subjects import Subjects, age_in, by_sex_and_age, standard_noise
from rehearsal.phenotypes.trait_types import DerivedMeasurement, Disease, Measurement

_SHARES = 1000  # quantiles that represent a cohort's genetic values


def standard_score(
    trait: Measurement | Disease,
    genetic_value: np.ndarray | None,
    scores: Mapping[str, np.ndarray],
    explained: float,
    subjects: Subjects,
    seed: int,
) -> np.ndarray:
    """Draw each person's score: the place among people of their sex and age.

    It is the score of a measurement, or the liability to a disease:
    ``z = sqrt(h2) g + sum(w_j z_j) + sqrt(1 - h2 - explained) e``, with g the standardised genetic
    value, z_j the scores of the causes, w_j their weights, and e standard normal. If the trait has
    a hazard ratio instead of a heritability, this is the rest of the liability, and
    :func:`proportional_hazards` adds the genetic value.

    Args:
        trait: The trait.
        genetic_value: Standardised genetic values, shape (n_people,), or None without any.
        scores: Scores of the causes by name, shape (n_people,).
        explained: Share of the variance that the causes explain together
            (``path_coefficients``).
        subjects: The people.
        seed: The run's root seed.

    Returns:
        Scores in standard deviations, shape (n_people,).

    Raises:
        ValueError: The trait has a hazard ratio, but there are no genetic values.
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
            raise ValueError(mismatch(trait.name, "genetic values", "none"))
        return proportional_hazards(score, genetic_value, trait.genetics.hazard_ratio_per_sd)
    return score


def proportional_hazards(
    rest: np.ndarray, genetic_value: np.ndarray, ratio_per_sd: float
) -> np.ndarray:
    """Compute the liability of people whose hazard is ``ratio_per_sd ** g`` times a baseline.

    With ``U = Phi(-rest)`` uniform, ``h = -log(1 - U) ratio ** -g`` is the cumulative baseline
    hazard at which a person falls ill (Cox 1972; drawn as in Bender et al. 2005). The share of
    people who have fallen ill by h is ``M(h) = 1 - mean(exp(-h ratio ** g))``, over the g of the
    cohort. ``-Phi^-1(M(h))`` is standard normal, and as a liability it keeps each configured
    cumulative risk: the baseline is the one that gives it.

    Args:
        rest: The rest of the liability, standard normal and independent of the genetic value, shape
            (n_people,).
        genetic_value: Standardised genetic values g, shape (n_people,).
        ratio_per_sd: Hazard ratio for each standard deviation of g.

    Returns:
        Liabilities, shape (n_people,).
    """
    effect = np.log(ratio_per_sd) * genetic_value
    log_hazard = np.log(-log_ndtr(rest)) - effect
    # M is smooth, so a grid in log h is enough, over the middles of equal shares of the cohort
    shares = np.exp(np.quantile(effect, (np.arange(_SHARES) + 0.5) / _SHARES))
    grid = np.linspace(log_hazard.min(), log_hazard.max(), _SHARES)
    log_ill = np.log(-np.expm1(-np.outer(np.exp(grid), shares)).mean(axis=1))
    return -ndtri_exp(np.minimum(np.interp(log_hazard, grid, log_ill), -1e-300))


def measured(trait: Measurement, score: np.ndarray, subjects: Subjects) -> np.ndarray:
    """Turn scores into measured values with the mean and sd of each person's sex and age.

    Lognormal values are ``exp(mu + sigma z)`` with ``sigma**2 = log(1 + sd**2 / mean**2)`` and
    ``mu = log(mean) - sigma**2 / 2``, which gives exactly that mean and sd.

    Args:
        trait: The measurement.
        score: Standard normal scores, shape (n_people,).
        subjects: The people.

    Returns:
        Values in the trait's unit, rounded, shape (n_people,).
    """
    mean, sd = by_sex_and_age(trait.mean, subjects), by_sex_and_age(trait.sd, subjects)
    if trait.distribution == "lognormal":
        variance = np.log1p((sd / mean) ** 2)
        values = mean * np.exp(np.sqrt(variance) * score - variance / 2)
    else:
        values = mean + sd * score
    return np.round(values, trait.decimals)


def slope(trait: Measurement, subjects: Subjects) -> float:
    """Compute the expected change of a measured value for a small change of its score.

    It is the sd of a normal value. A lognormal value changes by ``sigma`` times itself, on average
    ``sigma`` times the mean.

    Args:
        trait: The measurement.
        subjects: The people.

    Returns:
        The trait's unit per standard deviation, averaged over the people.
    """
    total = 0.0
    for sex, mask in subjects.sex.items():
        number = np.bincount(subjects.age[mask])
        ages = np.arange(len(number))
        mean, sd = trait.mean[sex].at(ages), trait.sd[sex].at(ages)
        if trait.distribution == "lognormal":
            sd = mean * np.sqrt(np.log1p((sd / mean) ** 2))
        total += float(number @ sd)
    return total / len(subjects)


def derived(trait: DerivedMeasurement, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """Compute ``factor * product(value ** power)`` of measured values.

    Args:
        trait: The derived measurement.
        values: Measured values by name, shape (n_people,).

    Returns:
        Values in the trait's unit, rounded, shape (n_people,).
    """
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
    """Compute each person's age of onset, not yet limited by present age.

    A liability L is above the lifetime threshold ``Phi^-1(1 - K)`` exactly when ``Phi(-L) < K``,
    and above the threshold of age a exactly when ``Phi(-L) < F(a)``, with F the cumulative risk and
    F(lifetime) = K. So the age of onset is ``F^-1(Phi(-L))``: each age has exactly the configured
    risk, and the most liable people fall ill first (the age-dependent liability threshold model;
    Pedersen et al. 2022, LT-FH++). If several risks apply to a person, by sex and by carried gene,
    the highest at each age counts.

    A disease with a first year has its onsets since then: the cumulative risk says who has it at
    the present age, and their onsets are uniform over the years that they have lived with it.

    Args:
        disease: The disease.
        liability: Standard normal liabilities, shape (n_people,).
        copies: Damaged copies by gene, shape (n_people,).
        subjects: The people.

    Returns:
        Ages in years, inf for people who never fall ill, shape (n_people,).
    """
    tail, first = ndtr(-liability), age_in(disease.first_year, subjects)
    onset = np.full(len(subjects), np.inf)
    for sex, of_sex in subjects.sex.items():
        risks = [(disease.cumulative_risk, of_sex)]
        for gene in disease.genes:
            if gene.gene in copies:
                carries = of_sex & (copies[gene.gene] >= gene.copies[sex])
                risks.append((gene.cumulative_risk, carries))
        for curves, mask in risks:
            if sex in curves:
                ages = curves[sex].age_of(tail[mask])
                if disease.first_year is not None:
                    present = subjects.age[mask]
                    ages = _since(first[mask], present, tail[mask], curves[sex].at(present))
                onset[mask] = np.minimum(onset[mask], ages)
    return onset


def _since(
    first: np.ndarray, present: np.ndarray, tail: np.ndarray, risk: np.ndarray
) -> np.ndarray:
    """Spread the onsets of those whose tail is below the risk evenly between two ages."""
    ill = (tail < risk) & (first <= present)
    share = np.divide(tail, risk, out=np.zeros_like(tail), where=ill)
    return np.where(ill, first + (present - first) * share, np.inf)


def damaged_copies(damaged: pd.DataFrame, subjects: Subjects) -> dict[str, np.ndarray]:
    """Arrange the damaged copies of genes by person.

    Args:
        damaged: One row per gene and person: gene, individual, copies.
        subjects: The people.

    Returns:
        Copies by gene, shape (n_people,), int64.

    Raises:
        InputError: An individual is not among the people.
    """
    row = pd.Index(subjects.id).get_indexer(damaged["individual"].astype("str"))
    if (row < 0).any():
        stranger = damaged["individual"].iloc[int(np.argmax(row < 0))]
        raise InputError("damaged genes", "individual", "people of the cohort", shown(stranger))
    number = damaged["copies"].to_numpy(dtype=np.int64)
    copies = {}
    for gene in damaged["gene"].unique():
        of_gene = (damaged["gene"] == gene).to_numpy()
        counts = np.bincount(row[of_gene], weights=number[of_gene], minlength=len(subjects))
        copies[str(gene)] = counts.astype(np.int64)
    return copies
