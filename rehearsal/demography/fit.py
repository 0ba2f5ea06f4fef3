"""Fitting the parameters of the Europe model to F_ST values and to country centroids of a PCA."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from ruamel.yaml import YAML
from scipy.optimize import least_squares

from rehearsal.demography.expected_fst import expected_coalescence_times, hudson_fst
from rehearsal.demography.model import build_model
from rehearsal.demography.parameters import (
    SOURCES,
    AdmixtureCoefficients,
    EuropeParameters,
    read_parameters,
)
from rehearsal.demography.procrustes import procrustes_correlation, procrustes_residuals
from rehearsal.demography.targets import (
    map_coordinates,
    pca_centroids,
    principal_coordinates,
    published_pairs,
)
from rehearsal.errors import InputError, mismatch
from rehearsal.files import atomic_path
from rehearsal.model import Country

MUTATION_RATE = 1.29e-8  # per base and generation, for the expected heterozygosity

# Weights of the residuals. Each of these counts as one: an error of 0.03 in sqrt(F_ST), an error of
# 0.25 in a layout of unit size, and a parameter (logarithm or log-odds) 5 away from its start.
FST_WEIGHT = 30.0
PCA_WEIGHT = 4.0
START_WEIGHT = 0.2
EVALUATIONS = 40
FARTHEST = 4.0  # largest distance of a logarithm or log-odds from its start

# Sizes that decide the old drift between the sources: the fit scales all by one factor.
DRIFTING = (
    "north_eurasian_size",
    "west_asian_size",
    "western_hunter_size",
    "eastern_hunter_size",
    "caucasus_size",
    "anatolian_size",
)


@dataclass(frozen=True, slots=True)
class FitReport:
    """The quality of a fit, from expected values; nothing is simulated."""

    pairs: pd.DataFrame  # country1, country2, fst (target), expected
    fst_correlation: float  # Pearson's r over the pairs; nan for fewer than three
    fst_rmse: float
    pca_correlation: float  # Procrustes, expected PCA against the target centroids
    map_correlation: float  # Procrustes, expected PCA of all countries against the map
    highest_fst: float  # expected
    highest_pair: tuple[str, str]
    heterozygosity: float  # expected, per base, mean of the countries

    def __str__(self) -> str:
        return (
            f"F_ST of {len(self.pairs)} pairs: r = {self.fst_correlation:.3f}, "
            f"RMSE = {self.fst_rmse:.5f}\n"
            f"PCA against the centroids (Procrustes): {self.pca_correlation:.3f}, "
            f"against the map: {self.map_correlation:.3f}\n"
            f"highest F_ST: {self.highest_fst:.4f} ({'-'.join(self.highest_pair)}); "
            f"heterozygosity: {self.heterozygosity:.2e}"
        )


def fit(
    countries: Sequence[Country],
    parameters: EuropeParameters,
    fst_targets: pd.DataFrame,
    pca_targets: pd.DataFrame,
    evaluations: int = EVALUATIONS,
) -> tuple[EuropeParameters, FitReport]:
    """Fit parameters to targets by deterministic least squares.

    Free parameters are the migration rate, the sizes of countries, of each founder bottleneck and
    of the ancient sources (one factor), and the log-odds of the sources. While fitting, no small
    rate is dropped, so that the expected values are smooth.

    Args:
        countries: The countries of the model.
        parameters: Where the fit starts.
        fst_targets: F_ST of pairs of countries, as ``published_pairs`` returns them.
        pca_targets: Centroids of countries, as ``pca_centroids`` returns them.
        evaluations: Most evaluations of the model.

    Returns:
        The fitted parameters, and how well they meet the targets.

    Raises:
        ValueError: The targets are too few, or name unknown countries.
    """
    _check_targets(countries, fst_targets, pca_targets)
    start = np.array(_vector(parameters))
    smooth = replace(parameters, migration=replace(parameters.migration, threshold=0.0))

    def residuals(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        fst = _expected_fst(countries, _with_vector(smooth, vector))
        pairs = _of_pairs(fst, countries, fst_targets)
        layout = _of_countries(principal_coordinates(fst), countries, pca_targets)
        centroids = pca_targets[["pc1", "pc2"]].to_numpy()
        return np.concatenate(
            [
                FST_WEIGHT * (np.sqrt(np.maximum(pairs, 0)) - np.sqrt(fst_targets["fst"])),
                PCA_WEIGHT * procrustes_residuals(layout, centroids).ravel(),
                START_WEIGHT * (vector - start),
            ]
        )

    found = least_squares(
        residuals, start, bounds=(start - FARTHEST, start + FARTHEST), max_nfev=evaluations
    )
    fitted = _with_vector(parameters, found.x)
    return fitted, judge(countries, fitted, fst_targets, pca_targets)


def judge(
    countries: Sequence[Country],
    parameters: EuropeParameters,
    fst_targets: pd.DataFrame,
    pca_targets: pd.DataFrame,
) -> FitReport:
    """Judge how well parameters meet the targets, with migration as sparse as in a simulation.

    Args:
        countries: The countries of the model.
        parameters: The parameters.
        fst_targets: F_ST of pairs of countries, as ``published_pairs`` returns them.
        pca_targets: Centroids of countries, as ``pca_centroids`` returns them.

    Returns:
        The report.
    """
    codes = [country.code for country in countries]
    times = expected_coalescence_times(build_model(countries, parameters), codes)
    fst = hudson_fst(times)
    expected = _of_pairs(fst, countries, fst_targets)
    target = fst_targets["fst"].to_numpy()
    layout = principal_coordinates(fst)
    one, other = np.unravel_index(np.argmax(fst), fst.shape)
    return FitReport(
        pairs=fst_targets.assign(expected=expected),
        fst_correlation=float(np.corrcoef(expected, target)[0, 1]) if len(target) > 2 else np.nan,
        fst_rmse=float(np.sqrt(np.mean((expected - target) ** 2))),
        pca_correlation=procrustes_correlation(
            _of_countries(layout, countries, pca_targets), pca_targets[["pc1", "pc2"]].to_numpy()
        ),
        map_correlation=procrustes_correlation(layout, map_coordinates(countries)),
        highest_fst=float(fst[one, other]),
        highest_pair=(codes[one], codes[other]),
        heterozygosity=float(2 * MUTATION_RATE * np.diag(times).mean()),
    )


def fit_command(
    countries: Sequence[Country],
    parameters: Path,
    fst: Path,
    pca: Path,
    out: Path,
    evaluations: int = EVALUATIONS,
) -> FitReport:
    """Fit as ``rehearsal europe fit`` does: read the tables, fit, write the parameters.

    Args:
        countries: The countries of the model.
        parameters: File of the parameters to start from, YAML.
        fst: Table of F_ST values, TSV.
        pca: Table of country centroids, TSV.
        out: The file to write: a copy of ``parameters`` with the fitted values and all comments.
        evaluations: Most evaluations of the model.

    Returns:
        How well the written parameters meet the targets.

    Raises:
        InputError: A table cannot be used.
    """
    fst_targets = published_pairs(fst, countries)
    pca_targets = pca_centroids(pca, countries)
    if fst_targets.empty:
        expected = "at least one pair of the configured countries"
        raise InputError(fst, "country1", expected, "none")
    if len(pca_targets) < 3:
        expected = "at least three of the configured countries"
        raise InputError(pca, "country", expected, str(len(pca_targets)))
    fitted, _ = fit(countries, read_parameters(parameters), fst_targets, pca_targets, evaluations)
    write_parameters(fitted, parameters, out)
    return judge(countries, read_parameters(out), fst_targets, pca_targets)


def write_parameters(fitted: EuropeParameters, template: Path, out: Path) -> None:
    """Write the fitted values into a copy of a parameter file, with four digits each.

    Args:
        fitted: The parameters.
        template: The file to copy; its comments are kept.
        out: The file to write.
    """
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 100
    tree = yaml.load(template)
    for keys, value in _fitted_values(fitted):
        *sections, last = keys
        place = tree
        for key in sections:
            place = place[key]
        place[last] = _scalar(value)
    with atomic_path(out) as aside:
        yaml.dump(tree, aside)


def _scalar(value: float) -> Any:
    """A YAML number of four significant digits; YAML 1.1 needs a point before an exponent."""
    small = 0 < abs(value) < 1e-3
    return YAML().load(f"{value:.3e}" if small else f"{float(f'{value:.4g}'):g}")


def _vector(parameters: EuropeParameters) -> list[float]:
    """Collect the free parameters, as logarithms where they must stay above 0."""
    odds = parameters.admixture.log_odds
    sizes = [parameters.growth.size, *(item.size for item in parameters.founders.values())]
    lines = [(odds[name].level, odds[name].latitude, odds[name].longitude) for name in SOURCES]
    drift = 0.0  # ln of the factor on the sources' sizes, relative to the start
    return [np.log(parameters.migration.rate), *np.log(sizes), drift, *np.ravel(lines)]


def _with_vector(parameters: EuropeParameters, vector: NDArray[Any]) -> EuropeParameters:
    """Put free parameters back, as ``_vector`` collects them."""
    values = iter(np.asarray(vector, dtype=float).tolist())
    migration = replace(parameters.migration, rate=float(np.exp(next(values))))
    growth = replace(parameters.growth, size=float(np.exp(next(values))))
    founders = {
        code: replace(founder, size=float(np.exp(next(values))))
        for code, founder in parameters.founders.items()
    }
    factor = float(np.exp(next(values)))
    sizes = {name: factor * getattr(parameters.ancients, name) for name in DRIFTING}
    odds = {
        name: AdmixtureCoefficients(next(values), next(values), next(values)) for name in SOURCES
    }
    return replace(
        parameters,
        migration=migration,
        growth=growth,
        founders=founders,
        ancients=replace(parameters.ancients, **sizes),
        admixture=replace(parameters.admixture, log_odds=odds),
    )


def _fitted_values(parameters: EuropeParameters) -> list[tuple[tuple[str, ...], float]]:
    """List (keys in the file, value) of all values that a fit may change."""
    values: list[tuple[tuple[str, ...], float]] = [
        (("migration", "rate"), parameters.migration.rate),
        (("growth", "size"), parameters.growth.size),
    ]
    values += [(("founders", code, "size"), f.size) for code, f in parameters.founders.items()]
    values += [(("ancients", name), getattr(parameters.ancients, name)) for name in DRIFTING]
    for source in SOURCES:
        line = parameters.admixture.log_odds[source]
        keys = ("admixture", "log_odds", source)
        values += [((*keys, name), getattr(line, name)) for name in AdmixtureCoefficients.__slots__]
    return values


def _check_targets(
    countries: Sequence[Country], fst_targets: pd.DataFrame, pca_targets: pd.DataFrame
) -> None:
    codes = {country.code for country in countries}
    named = {*fst_targets["country1"], *fst_targets["country2"], *pca_targets["country"]}
    if unknown := named - codes:
        found = f"others ({', '.join(sorted(unknown))})"
        raise ValueError(mismatch("targets", "only countries of the model", found))
    if fst_targets.empty or len(pca_targets) < 3:
        expected = "at least one F_ST pair and three centroids"
        found = f"{len(fst_targets)} and {len(pca_targets)}"
        raise ValueError(mismatch("targets", expected, found))


def _expected_fst(
    countries: Sequence[Country], parameters: EuropeParameters
) -> NDArray[np.float64]:
    codes = [country.code for country in countries]
    return hudson_fst(expected_coalescence_times(build_model(countries, parameters), codes))


def _of_pairs(
    fst: NDArray[np.float64], countries: Sequence[Country], pairs: pd.DataFrame
) -> NDArray[np.float64]:
    index = {country.code: i for i, country in enumerate(countries)}
    return fst[pairs["country1"].map(index).to_numpy(), pairs["country2"].map(index).to_numpy()]


def _of_countries(
    rows: NDArray[np.float64], countries: Sequence[Country], table: pd.DataFrame
) -> NDArray[np.float64]:
    index = {country.code: i for i, country in enumerate(countries)}
    return rows[table["country"].map(index).to_numpy()]
