"""Show how the shipped parameters of the Europe model were fitted, and how well they predict.

Fits from hand-set starting values and prints the quality. ``held_out_fst.py`` leaves pairs out.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
from measuring import header

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


if __name__ == "__main__":
    main()
