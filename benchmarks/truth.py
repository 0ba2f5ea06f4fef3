"""Measure the pooled sites, the query suite and its right answers.

    python benchmarks/truth.py --people 2800 28000 --megabases 5

Simulates one block, shares its people out among 28 countries, draws the default suite (without
planted variants and consequences) and answers it. CPU seconds.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from measuring import cpu_seconds, header, peak_gigabytes
from sparse_pass import people_table, simulate

from rehearsal.evaluation.suite import QuerySources, draw_suite
from rehearsal.evaluation.templates import read_templates
from rehearsal.model import Block, Gene
from rehearsal.truth.pooled_sites import pooled_sites
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources

QUERIES = Path(__file__).resolve().parents[1] / "config" / "queries.yaml"
GENES = [Gene("G", "chr22", 100_000, 180_000, "+")]


def phenotypes(people: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw diseases and features.

    Args:
        people: One row per person.
    """
    rng = np.random.default_rng(1)
    ill = people["id"].iloc[::20]
    diseases = pd.DataFrame(
        {"individual": ill, "code": rng.choice(["ICD10:I25.1", "ICD10:C50"], len(ill))}
    )
    features = pd.DataFrame(
        {"individual": ill, "code": rng.choice(["HP:0001677", "HP:0003002"], len(ill))}
    )
    return diseases.assign(mondo=None), features


def measure(number: int, megabases: float, folder: Path) -> None:
    """Print the times for one number of people.

    Args:
        number: Number of people.
        megabases: Length of the block.
        folder: Where to write.
    """
    trees = simulate(number, megabases)
    block = Block("chr22", 0, int(trees.sequence_length))
    path = folder / "block.trees"
    trees.dump(path)
    people = people_table(number)
    diseases, features = phenotypes(people)
    times = [cpu_seconds()]
    sites = pooled_sites({block: path})
    times.append(cpu_seconds())
    suite = draw_suite(
        [one for one in read_templates(QUERIES) if one.effect is None],
        QuerySources(sites, [], GENES, people, diseases, features),
        seed=1,
    )
    times.append(cpu_seconds())
    sources = TruthSources({block: path}, people, diseases, features, features.iloc[:0], GENES)
    TruthCalculator(sources).compute_answers(suite)
    times.append(cpu_seconds())
    pooled_s, draw_s, truth_s = np.diff(times)
    print(
        f"{number:>8} people x {megabases:g} Mb, {len(sites):>7} alleles:"
        f" pooled sites {pooled_s:.2f} s, {len(suite)} queries drawn {draw_s:.2f} s,"
        f" answered {truth_s:.2f} s, peak {peak_gigabytes():.2f} GB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--people", type=int, nargs="+", default=[2800, 28000], help="numbers of people"
    )
    parser.add_argument("--megabases", type=float, default=5, help="length of the block")
    options = parser.parse_args()
    print(header())
    for number in options.people:
        with tempfile.TemporaryDirectory() as folder:
            measure(number, options.megabases, Path(folder))


if __name__ == "__main__":
    main()
