"""Fitting the Europe model to F_ST, country centroids of a PCA, and numbers of shared segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import demes
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from ruamel.yaml import YAML
from scipy.optimize import least_squares

from rehearsal.demography.expected_fst import expected_coalescence_times, hudson_fst
from rehearsal.demography.expected_sharing import expected_segments
from rehearsal.demography.model import build_model
from rehearsal.demography.parameters import (
    SOURCES,
    AdmixtureCoefficients,
    EuropeParameters,
    read_parameters,
)
from rehearsal.demography.procrustes import procrustes_correlation, procrustes_residuals
from rehearsal.demography.targets import (
    PUBLISHED_SHARING,
    SHARED_MORGANS,
    Targets,
    map_coordinates,
    pca_centroids,
    principal_coordinates,
    published_pairs,
    published_sharing,
)
from rehearsal.errors import InputError, mismatch
from rehearsal.files import atomic_path
from rehearsal.model import Country

MUTATION_RATE = 1.29e-8  # per base and generation, for the expected heterozygosity

# Weights of the residuals. Each of these counts as one: an error of 0.02 in sqrt(F_ST), an error of
# 0.25 in a layout of unit size, an error of 5 % in the heterozygosity, and a parameter (logarithm
# or log-odds) 5 away from its start. All pairs with shared segments together count like ten pairs,
# each of which counts as one if the logarithm of its number is wrong by 1.25.
FST_WEIGHT = 50.0
PCA_WEIGHT = 4.0
SHARING_WEIGHT, SHARING_PAIRS = 0.8, 10
HETEROZYGOSITY, HETEROZYGOSITY_WEIGHT = 7.4e-4, 20.0  # per base (docs/design/realism.md)
START_WEIGHT = 0.2
EVALUATIONS = 20
STEP = 1e-4  # of a derivative, relative: smaller ones would see the steps of the expectations
LEAST_SEGMENTS = 1e-4  # keeps the logarithm finite
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
    sharing_correlation: float  # r of the logarithms of the numbers of shared segments
    sharing_ratio: float  # geometric mean of expected over published numbers

    def __str__(self) -> str:
        return (
            f"F_ST of {len(self.pairs)} pairs: r = {self.fst_correlation:.3f}, "
            f"RMSE = {self.fst_rmse:.5f}\n"
            f"PCA against the centroids (Procrustes): {self.pca_correlation:.3f}, "
            f"against the map: {self.map_correlation:.3f}\n"
            f"highest F_ST: {self.highest_fst:.4f} ({'-'.join(self.highest_pair)}); "
            f"heterozygosity: {self.heterozygosity:.2e}\n"
            f"shared segments over {100 * SHARED_MORGANS:g} cM: "
            f"r = {self.sharing_correlation:.3f}, expected / published = {self.sharing_ratio:.2f}"
        )


def fit(
    countries: Sequence[Country],
    parameters: EuropeParameters,
    targets: Targets,
    evaluations: int = EVALUATIONS,
) -> tuple[EuropeParameters, FitReport]:
    """Fit parameters to targets by deterministic least squares.

    Free parameters are the rate and distance of migration, the size of countries and the time at
    which it begins to grow, the size of each founder bottleneck and of the ancient sources (one
    factor), and the log-odds of the sources.

    Args:
        countries: The countries of the model.
        parameters: Where the fit starts.
        targets: What to fit.
        evaluations: Most evaluations of the model.

    Returns:
        The fitted parameters, and how well they meet the targets.

    Raises:
        ValueError: The targets are too few, or name unknown countries.
    """
    _check_targets(countries, targets)
    start = np.array(_vector(parameters))
    centroids = targets.pca[["pc1", "pc2"]].to_numpy()

    def residuals(vector: NDArray[np.float64]) -> NDArray[np.float64]:
        graph = build_model(countries, _with_vector(parameters, vector))
        times = _expected_times(graph, countries)
        fst = hudson_fst(times)
        pairs = _of_pairs(fst, countries, targets.fst)
        layout = _of_countries(principal_coordinates(fst), countries, targets.pca)
        diversity = 2 * MUTATION_RATE * np.diag(times).mean()
        return np.concatenate(
            [
                FST_WEIGHT * (np.sqrt(np.maximum(pairs, 0)) - np.sqrt(targets.fst["fst"])),
                PCA_WEIGHT * procrustes_residuals(layout, centroids).ravel(),
                _sharing_residuals(graph, countries, targets.sharing),
                [HETEROZYGOSITY_WEIGHT * np.log(diversity / HETEROZYGOSITY)],
                START_WEIGHT * (vector - start),
            ]
        )

    bounds = (start - FARTHEST, start + FARTHEST)
    found = least_squares(residuals, start, bounds=bounds, max_nfev=evaluations, diff_step=STEP)
    fitted = _with_vector(parameters, found.x)
    return fitted, judge(countries, fitted, targets)


def judge(
    countries: Sequence[Country],
    parameters: EuropeParameters,
    targets: Targets,
) -> FitReport:
    """Judge how well parameters meet the targets, with migration as sparse as in a simulation.

    Args:
        countries: The countries of the model.
        parameters: The parameters.
        targets: What to compare with.

    Returns:
        The report.
    """
    codes = [country.code for country in countries]
    graph = build_model(countries, parameters)
    times = _expected_times(graph, countries)
    fst = hudson_fst(times)
    expected = _of_pairs(fst, countries, targets.fst)
    target = targets.fst["fst"].to_numpy()
    shared, published = _log_segments(graph, countries, targets.sharing)
    layout = principal_coordinates(fst)
    one, other = np.unravel_index(np.argmax(fst), fst.shape)
    return FitReport(
        pairs=targets.fst.assign(expected=expected),
        fst_correlation=float(np.corrcoef(expected, target)[0, 1]) if len(target) > 2 else np.nan,
        fst_rmse=float(np.sqrt(np.mean((expected - target) ** 2))),
        pca_correlation=procrustes_correlation(
            _of_countries(layout, countries, targets.pca), targets.pca[["pc1", "pc2"]].to_numpy()
        ),
        map_correlation=procrustes_correlation(layout, map_coordinates(countries)),
        highest_fst=float(fst[one, other]),
        highest_pair=(codes[one], codes[other]),
        heterozygosity=float(2 * MUTATION_RATE * np.diag(times).mean()),
        sharing_correlation=(
            float(np.corrcoef(shared, published)[0, 1]) if len(shared) > 2 else np.nan
        ),
        sharing_ratio=float(np.exp(np.mean(shared - published))) if len(shared) else np.nan,
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

    The numbers of shared segments are the published ones of the countries that they name.

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
    targets = Targets(
        published_pairs(fst, countries),
        pca_centroids(pca, countries),
        published_sharing(PUBLISHED_SHARING, countries),
    )
    if targets.fst.empty:
        expected = "at least one pair of the configured countries"
        raise InputError(fst, "country1", expected, "none")
    if len(targets.pca) < 3:
        expected = "at least three of the configured countries"
        raise InputError(pca, "country", expected, str(len(targets.pca)))
    fitted, _ = fit(countries, read_parameters(parameters), targets, evaluations)
    write_parameters(fitted, parameters, out)
    return judge(countries, read_parameters(out), targets)


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
    migration = (parameters.migration.rate, parameters.migration.distance_km)
    positive = [*migration, parameters.growth.start_time, *sizes]
    return [*np.log(positive), drift, *np.ravel(lines)]


def _with_vector(parameters: EuropeParameters, vector: NDArray[Any]) -> EuropeParameters:
    """Put free parameters back, as ``_vector`` collects them."""
    values = iter(np.asarray(vector, dtype=float).tolist())
    rate, distance, start_time, size = (float(np.exp(next(values))) for _ in range(4))
    migration = replace(parameters.migration, rate=rate, distance_km=distance)
    growth = replace(parameters.growth, size=size, start_time=start_time)
    founders = {
        name: replace(founder, size=float(np.exp(next(values))))
        for name, founder in parameters.founders.items()
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
        (("migration", "distance_km"), parameters.migration.distance_km),
        (("growth", "start_time"), parameters.growth.start_time),
        (("growth", "size"), parameters.growth.size),
    ]
    values += [(("founders", name, "size"), f.size) for name, f in parameters.founders.items()]
    values += [(("ancients", name), getattr(parameters.ancients, name)) for name in DRIFTING]
    for source in SOURCES:
        line = parameters.admixture.log_odds[source]
        keys = ("admixture", "log_odds", source)
        values += [((*keys, name), getattr(line, name)) for name in AdmixtureCoefficients.__slots__]
    return values


def _check_targets(countries: Sequence[Country], targets: Targets) -> None:
    codes = {country.code for country in countries}
    pairs = pd.concat([targets.fst, targets.sharing])
    named = {*pairs["country1"], *pairs["country2"], *targets.pca["country"]}
    if unknown := named - codes:
        found = f"others ({', '.join(sorted(unknown))})"
        raise ValueError(mismatch("targets", "only countries of the model", found))
    if targets.fst.empty or len(targets.pca) < 3:
        expected = "at least one F_ST pair and three centroids"
        found = f"{len(targets.fst)} and {len(targets.pca)}"
        raise ValueError(mismatch("targets", expected, found))


def _expected_times(graph: demes.Graph, countries: Sequence[Country]) -> NDArray[np.float64]:
    return expected_coalescence_times(graph, [country.code for country in countries])


def _log_segments(
    graph: demes.Graph, countries: Sequence[Country], sharing: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the logarithms of the expected and the published numbers of shared segments."""
    expected = expected_segments(graph, [country.code for country in countries], SHARED_MORGANS)
    found = np.maximum(_of_pairs(expected, countries, sharing), LEAST_SEGMENTS)
    return np.log(found), np.log(sharing["segments"].to_numpy(dtype=float))


def _sharing_residuals(
    graph: demes.Graph, countries: Sequence[Country], sharing: pd.DataFrame
) -> NDArray[np.float64]:
    expected, published = _log_segments(graph, countries, sharing)
    weight = np.sqrt(sharing["weight"].to_numpy() * SHARING_PAIRS / max(len(sharing), 1))
    return SHARING_WEIGHT * weight * (expected - published)


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
