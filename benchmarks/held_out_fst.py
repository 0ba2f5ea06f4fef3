"""Print whether the Europe model predicts F_ST of pairs of countries that it was not fitted to.

Leaves out each published pair in turn and fits the model to the others, from the same start as the
shipped parameters. Then compares what these fits predict for the pairs that they have not seen with
what they predict under permuted labels of the countries. A fit takes about 30 CPU seconds.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from europe_fit import starting_values
from measuring import header
from numpy.typing import NDArray

from rehearsal.demography.expected_fst import expected_coalescence_times, hudson_fst
from rehearsal.demography.fit import EVALUATIONS, fit
from rehearsal.demography.model import build_model
from rehearsal.demography.parameters import read_parameters
from rehearsal.demography.targets import published_targets
from rehearsal.model import Country

ROOT = Path(__file__).resolve().parents[1]
PERMUTATIONS = 100_000


def predictions(countries: list[Country], evaluations: int) -> tuple[pd.DataFrame, NDArray]:
    """Fit without each published pair in turn.

    Args:
        countries: The k countries of the model.
        evaluations: Most evaluations of the model in a fit.

    Returns:
        The n published pairs, and the F_ST of all countries by the fit without each, (n, k, k).
    """
    targets = published_targets(countries)
    start = starting_values(read_parameters(ROOT / "config/demography.yaml"))
    codes = [country.code for country in countries]
    found = []
    for row in range(len(targets.fst)):
        others = targets.fst.drop(index=row).reset_index(drop=True)
        fitted, _ = fit(countries, start, replace(targets, fst=others), evaluations)
        graph = build_model(countries, fitted)
        found.append(hudson_fst(expected_coalescence_times(graph, codes)))
    return targets.fst, np.array(found)


def held_out(fst: NDArray, first: NDArray, second: NDArray) -> NDArray:
    """Take what each fit predicts for the pair that it has not seen.

    Args:
        fst: F_ST by the fit without each pair, shape (n, k, k).
        first: Index of the first country of each pair, shape (..., n).
        second: Index of the second one.

    Returns:
        F_ST, shape (..., n).
    """
    return fst[np.arange(len(fst)), first, second]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--evaluations", type=int, default=EVALUATIONS, help="of each fit")
    options = parser.parse_args()
    table = pd.read_csv(ROOT / "config/countries.tsv", sep="\t", na_filter=False)
    countries = [Country(**row) for row in table.to_dict("records")]
    index = {country.code: i for i, country in enumerate(countries)}
    began = time.process_time()
    pairs, fst = predictions(countries, options.evaluations)
    first, second = (pairs[name].map(index).to_numpy() for name in ("country1", "country2"))
    published = pairs["fst"].to_numpy()
    predicted = held_out(fst, first, second)
    print(f"{header()}\n{len(pairs)} fits in {time.process_time() - began:.0f} CPU-s")
    print(pairs.assign(held_out=predicted))
    generator = np.random.default_rng(1)
    used = np.unique([first, second])
    for name, labels in (("all countries", np.arange(len(countries))), ("those of pairs", used)):
        order = np.tile(np.arange(len(countries)), (PERMUTATIONS, 1))
        order[:, labels] = generator.permuted(order[:, labels], axis=1)
        permuted = held_out(fst, order[:, first], order[:, second])
        for measure, one, others in (
            ("r", correlations(predicted, published), correlations(permuted, published)),
            ("-RMSE", -errors(predicted, published), -errors(permuted, published)),
        ):
            share = (1 + np.count_nonzero(others >= one)) / (1 + PERMUTATIONS)
            print(
                f"{measure} of held-out pairs {one:.5f}; labels of {name} permuted: median "
                f"{np.median(others):.5f}, at least as good in a share of {share:.5f}"
            )


def correlations(values: NDArray, published: NDArray) -> NDArray:
    """Correlate along the last axis.

    Args:
        values: Shape (..., n).
        published: Shape (n,).
    """
    centred = values - values.mean(axis=-1, keepdims=True)
    other = published - published.mean()
    return centred @ other / np.sqrt((centred**2).sum(axis=-1) * (other**2).sum())


def errors(values: NDArray, published: NDArray) -> NDArray:
    """Compute the root of the mean squared error along the last axis.

    Args:
        values: Shape (..., n).
        published: Shape (n,).
    """
    return np.sqrt(((values - published) ** 2).mean(axis=-1))


if __name__ == "__main__":
    main()
