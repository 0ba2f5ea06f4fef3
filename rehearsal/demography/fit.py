"""Fits the parameters of the Europe model to F_ST values and to a PCA's country centroids."""

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
from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.model import Country

MUTATION_RATE = 1.29e-8  # a base and generation, for the expected heterozygosity

# Weights of the residuals: errors of sqrt(F_ST) of 0.03, of a layout of unit size of 0.25, and of
# a parameter (logarithm or log-odds) 5 away from where it started all count as one.
FST_WEIGHT = 30.0
PCA_WEIGHT = 4.0
START_WEIGHT = 0.2
EVALUATIONS = 40
FARTHEST = 4.0  # how far a logarithm or log-odds may go from where it started

# Old drift that separates the sources: one factor for all these sizes.
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
    """How well parameters meet their targets, all from expectations, nothing simulated."""

    pairs: pd.DataFrame  # country1, country2, fst (target), expected
    fst_correlation: float  # Pearson's r over the pairs; nan for fewer than three
    fst_rmse: float
    pca_correlation: float  # Procrustes, expected PCA against the target centroids
    map_correlation: float  # Procrustes, expected PCA of all countries against the map
    highest_fst: float
    highest_pair: tuple[str, str]
    heterozygosity: float  # expected, mean of countries, a base

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
    """Parameters near ``parameters`` that meet the targets better.

    Free are the migration rate, the size of countries, of each founder bottleneck and of the
    ancient sources (one factor), and the log-odds of the sources. ``fst_targets`` is what
    ``published_pairs`` returns, ``pca_targets`` what ``pca_centroids`` returns. While fitting no
    rate is dropped, so that the expectations are smooth. Least squares, deterministic.
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
    """How well parameters meet the targets, with migration as sparse as it is simulated."""
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
    """What ``rehearsal europe fit`` does: reads, fits, writes ``out``, a copy of ``parameters``
    with the new values and the old comments. Raises InputError for tables it cannot use."""
    fst_targets = published_pairs(fst, countries)
    pca_targets = pca_centroids(pca, countries)
    if fst_targets.empty:
        raise InputError(fst, "country1", "expected at least one pair of the run's countries")
    if len(pca_targets) < 3:
        raise InputError(pca, "country", "expected at least three of the run's countries")
    fitted, _ = fit(countries, read_parameters(parameters), fst_targets, pca_targets, evaluations)
    write_parameters(fitted, parameters, out)
    return judge(countries, read_parameters(out), fst_targets, pca_targets)


def write_parameters(fitted: EuropeParameters, template: Path, out: Path) -> None:
    """The template file with the fitted values in it, four digits each, comments kept."""
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
    """A YAML number of four significant digits; YAML 1.1 wants a dot before an exponent."""
    small = 0 < abs(value) < 1e-3
    return YAML().load(f"{value:.3e}" if small else f"{float(f'{value:.4g}'):g}")


def _vector(parameters: EuropeParameters) -> list[float]:
    """The free parameters, logarithms where they must stay above 0."""
    odds = parameters.admixture.log_odds
    sizes = [parameters.growth.size, *(item.size for item in parameters.founders.values())]
    lines = [(odds[name].level, odds[name].latitude, odds[name].longitude) for name in SOURCES]
    drift = 0.0  # ln of the factor on the sources' sizes, relative to where it started
    return [np.log(parameters.migration.rate), *np.log(sizes), drift, *np.ravel(lines)]


def _with_vector(parameters: EuropeParameters, vector: NDArray[Any]) -> EuropeParameters:
    """The reverse of ``_vector``, on top of the parameters it came from."""
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
    """(keys in the file, value) of everything a fit may have changed."""
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
        raise ValueError(f"targets name countries that are not in the model: {sorted(unknown)}")
    if fst_targets.empty or len(pca_targets) < 3:
        raise ValueError("expected at least one F_ST pair and three centroids")


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
