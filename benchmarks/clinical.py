"""Measure the cost of clinical depth: records of all people, variant counts, phenopackets.

python benchmarks/clinical.py --people 100000 --block 28000
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import msprime
import numpy as np
import pandas as pd
from measuring import header, peak_gigabytes, timed

from rehearsal.export.clinical_tables import ClinicalTables
from rehearsal.export.json_lines import write_json_lines
from rehearsal.export.phenopacket_interpretations import GeneKnowledge
from rehearsal.export.phenopackets import Phenopackets
from rehearsal.phenotypes.family_history import family_history
from rehearsal.phenotypes.genetic_values import EFFECT_TYPES, GeneticValues
from rehearsal.phenotypes.sample_metadata import sequencing_tables
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.phenotypes.variant_counts import COUNTS, variant_counts

TRAITS = Path(__file__).resolve().parents[1] / "config" / "traits.yaml"


def cohort(number: int) -> pd.DataFrame:
    """Make families of four, parents first.

    Args:
        number: Number of people.
    """
    draw = np.random.default_rng(1)
    ids = np.array([f"FI-{i:07d}" for i in range(number)], dtype=object)
    member = np.arange(number) % 4
    father, mother = np.full((2, number), None, dtype=object)
    child = np.flatnonzero(member >= 2)
    mother[child], father[child] = ids[child - member[child]], ids[child - member[child] + 1]
    sex = np.where(member < 2, member, draw.integers(0, 2, number))
    return pd.DataFrame(
        {
            "id": ids,
            "country": "FI",
            "sex": np.where(sex == 0, "female", "male"),
            "birth_year": draw.integers(1936, 1970, number) + 30 * (member >= 2),
            "family": [f"FI-F{i // 4}" for i in range(number)],
            "father": father,
            "mother": mother,
        }
    )


def record_figures(number: int) -> None:
    """Print the time for clinical records, family history, samples and phenopackets.

    Args:
        number: Number of people.
    """
    traits = read_traits(TRAITS)
    draw = np.random.default_rng(2)
    people = cohort(number)
    effects = {key: pd.Series([], dtype=kind) for key, kind in EFFECT_TYPES.items()}
    values = pd.DataFrame({trait.name: draw.normal(size=number) for trait in traits.polygenic})
    genetic = GeneticValues(pd.DataFrame(effects), values)
    third = people["id"][::3]
    carriers = pd.DataFrame({"gene": "SLCO1B1", "name": "c.521T>C", "contig": "chr12"}, third.index)
    carriers = carriers.assign(start=21178614, ref="T", alt="C", individual=third, copies=1)
    seconds, result = timed(lambda: simulate_phenotypes(people, genetic, carriers, traits, 1))
    print(f"{number:>9,} people: {seconds:.2f} s of records, {len(result.treatments):,} treatments")
    seconds, history = timed(lambda: family_history(people, result.diseases))
    print(f"{'':>9} family history {seconds:.2f} s, {len(history):,} rows")
    counts = pd.DataFrame(draw.integers(0, 9, (number, len(COUNTS))), columns=list(COUNTS))
    seconds, tables = timed(lambda: sequencing_tables(people, counts, traits.sequencing, 1))
    print(f"{'':>9} samples, runs, analyses {seconds:.2f} s")
    clinical = ClinicalTables(
        people=people,
        carriers=carriers,
        subjects=tables.subjects,
        biosamples=tables.biosamples,
        **{
            name: getattr(result, name)
            for name in (
                *("diseases", "measurements", "features"),
                *("excluded_features", "candidate_genes"),
                *("exposures", "treatments", "missing"),
            )
        },
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "phenopackets.jsonl.gz"

        def write() -> int:
            return write_json_lines(Phenopackets(clinical, GeneKnowledge.of(traits)), path)

        seconds, _ = timed(write)
        size = path.stat().st_size
    print(
        f"{'':>9} phenopackets {seconds:.2f} s, {size / number:.0f} bytes per person; "
        f"peak {peak_gigabytes():.1f} GB"
    )


def count_figures(number: int) -> None:
    """Print the time to count variants in a block of 1 Mb.

    Args:
        number: Number of people.
    """
    ancestry = msprime.sim_ancestry(number, population_size=1e4, sequence_length=1e6, random_seed=1)
    ts = msprime.sim_mutations(ancestry, rate=1.29e-8, model=msprime.HKY(4), random_seed=2)
    variant_counts(ts.keep_intervals([[0, 1000]]))  # compile
    seconds, counts = timed(lambda: variant_counts(ts))
    print(
        f"{number:>9,} people, {ts.num_sites:,} sites: counts in {seconds:.2f} s, "
        f"{counts.to_numpy().sum():,} variants carried"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--people", type=int, nargs="*", default=[100, 100_000], help="people with records"
    )
    parser.add_argument(
        "--block", type=int, nargs="*", default=[2_800, 28_000], help="people in the block"
    )
    options = parser.parse_args()
    print(header())
    for number in options.people:
        record_figures(number)
    for number in options.block:
        count_figures(number)


if __name__ == "__main__":
    main()
