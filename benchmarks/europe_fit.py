"""Show how the shipped parameters of the Europe model were fitted, and how well they predict.

Fits from hand-set starting values and prints the quality. Then leaves out each published pair in
turn and prints what the others predict for it, and how often permuted pairs are predicted as well.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import header
from numpy.typing import NDArray

from rehearsal.demography.fit import fit, judge
from rehearsal.demography.model import migration_matrix
from rehearsal.demography.parameters import AdmixtureCoefficients, EuropeParameters, read_parameters
from rehearsal.demography.targets import published_targets
from rehearsal.model import Country

ROOT = Path(__file__).resolve().parents[1]


def starting_values(shipped: EuropeParameters) -> EuropeParameters:
    """Set the fitted parameters back to the start of the fit.

    Args:
        shipped: The shipped parameters.
    """
    odds = {
        "WHG": AdmixtureCoefficients(-3.0, 0.0, -0.5),
        "EHG": AdmixtureCoefficients(-3.0, 0.5, 0.8),
        "CHG": AdmixtureCoefficients(-3.0, -0.8, 0.8),
        "YAM": AdmixtureCoefficients(0.0, 0.6, 0.1),
    }
    return replace(
        shipped,
        ancients=replace(
            shipped.ancients,
            north_eurasian_size=1500.0,
            west_asian_size=1500.0,
            western_hunter_size=3000.0,
            eastern_hunter_size=3000.0,
            caucasus_size=3000.0,
            anatolian_size=15000.0,
        ),
        admixture=replace(shipped.admixture, log_odds=odds),
        migration=replace(shipped.migration, rate=2.6e-3, distance_km=800.0),
        growth=replace(shipped.growth, size=4000.0, start_time=59.0),
        founders={
            name: replace(shipped.founders[name], size=size)
            for name, size in (("finland", 2300.0), ("east", 2500.0))
        },
    )


def permuted_share(
    predicted: NDArray[np.float64], published: NDArray[np.float64], permutations: int = 10_000
) -> float:
    """Compute how often permuted published values correlate as well with the predictions.

    Args:
        predicted: What the other pairs predict for each pair.
        published: The published values of the pairs.
        permutations: Number of permutations.

    Returns:
        The share of permutations whose correlation is at least that of the real order, which
        counts as one of them.
    """
    generator = np.random.default_rng(1)
    real = np.corrcoef(predicted, published)[0, 1]
    found = [
        np.corrcoef(predicted, generator.permutation(published))[0, 1] for _ in range(permutations)
    ]
    return (1 + np.count_nonzero(np.array(found) >= real)) / (1 + permutations)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--parameters", type=Path, default=ROOT / "config/demography.yaml", help="shipped values"
    )
    parser.add_argument(
        "--countries", type=Path, default=ROOT / "config/countries.tsv", help="table of countries"
    )
    options = parser.parse_args()
    table = pd.read_csv(options.countries, sep="\t", na_filter=False)
    countries = [Country(**row) for row in table.to_dict("records")]
    targets = published_targets(countries)
    pairs = targets.fst
    shipped = read_parameters(options.parameters)
    start = starting_values(shipped)
    print(header())
    print(f"start:\n{judge(countries, start, targets)}")
    began = time.process_time()
    fitted, report = fit(countries, start, targets)
    print(f"fitted in {time.process_time() - began:.0f} CPU-s:\n{report}\n{report.pairs}")
    print(f"shipped:\n{judge(countries, shipped, targets)}")
    unfloored = replace(fitted, migration=replace(fitted.migration, islands=()))
    print(f"without the islands' floor:\n{judge(countries, unfloored, targets)}")
    rates = migration_matrix(countries, fitted.migration)
    dense = replace(fitted, migration=replace(fitted.migration, threshold=0.0))
    print(f"{(rates > 0).sum()} migration rates; with all {len(rates) * (len(rates) - 1)}:")
    print(judge(countries, dense, targets))
    predicted = []
    for row in range(len(pairs)):
        others = pairs.drop(index=row)
        without, _ = fit(countries, start, replace(targets, fst=others))
        alone = judge(countries, without, replace(targets, fst=pairs.iloc[[row]]))
        predicted.append(alone.pairs["expected"].iloc[0])
    r = np.corrcoef(predicted, pairs["fst"])[0, 1]
    error = np.sqrt(np.mean((np.array(predicted) - pairs["fst"]) ** 2))
    print(f"each pair predicted by the others: r = {r:.3f}, RMSE = {error:.5f}")
    share = permuted_share(np.array(predicted), pairs["fst"].to_numpy())
    print(f"permutations of the published pairs with at least this r: {share:.5f}")


if __name__ == "__main__":
    main()
