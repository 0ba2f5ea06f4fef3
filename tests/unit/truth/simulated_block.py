"""A simulated block with nested and recurrent mutations, and its alleles by brute force."""

from pathlib import Path

import msprime
import numpy as np
import pytest

from rehearsal.model import Block


@pytest.fixture(scope="module")
def simulated(tmp_path_factory) -> tuple[Block, Path]:
    """30 people with so many mutations that many sites have several, nested and recurrent."""
    sequence = msprime.sim_mutations(
        msprime.sim_ancestry(
            30, sequence_length=300, population_size=1000, recombination_rate=1e-5, random_seed=3
        ),
        rate=2e-4,
        random_seed=4,
    )
    path = tmp_path_factory.mktemp("simulated") / "22.trees"
    sequence.dump(path)
    return Block("chr22", 0, 300), path


def brute_force(path: Path) -> dict[tuple[int, str], np.ndarray]:
    import tskit

    sequence = tskit.load(path)
    found = {}
    for variant in sequence.variants():
        alleles = np.array(variant.alleles)[variant.genotypes]
        for alt in set(alleles) - {variant.alleles[0]}:
            copies = (alleles == alt).reshape(30, 2).sum(axis=1)
            found[(int(variant.site.position), str(alt))] = copies
    return found
