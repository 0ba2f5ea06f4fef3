"""The part of genetic values that comes from the genome outside of the simulated blocks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rehearsal.genomes.pedigree import Pedigree
from rehearsal.phenotypes.genetic_values import GeneticValues, TargetValue
from rehearsal.phenotypes.subjects import Subjects, standard_noise
from rehearsal.phenotypes.trait_types import Traits


def polygenic_background(
    pedigree: Pedigree,
    inbreeding: np.ndarray,
    noise: np.ndarray,
    required: Mapping[int, float],
) -> np.ndarray:
    """Draw the background of everybody by the infinitesimal model (Fisher 1918; Bulmer 1971).

    Founders are independent and standard normal. A child has the mean of its parents, plus a part
    of its own with the variance of Mendelian sampling, ``(1 - (F_father + F_mother) / 2) / 2``. So
    relatives correlate as their kinship says: parents and children, and full siblings, by 1/2.

    Args:
        pedigree: The pedigree.
        inbreeding: Coefficients of inbreeding F, shape (n_people,).
        noise: Independent standard normal numbers, shape (n_people,).
        required: Values that people must have, by row. Their children inherit from them.

    Returns:
        Values, shape (n_people,).
    """
    values = noise.copy()
    for generation in range(pedigree.depth + 1):
        rows = np.flatnonzero((pedigree.generation == generation) & ~pedigree.founder)
        father, mother = pedigree.father[rows], pedigree.mother[rows]
        sampling = (1 - (inbreeding[father] + inbreeding[mother]) / 2) / 2
        values[rows] = (values[father] + values[mother]) / 2 + np.sqrt(sampling) * noise[rows]
        for row, value in required.items():
            if pedigree.generation[row] == generation:
                values[row] = value
    return values


def draw_backgrounds(
    traits: Traits,
    people: pd.DataFrame,
    cohort: Subjects,
    required: Mapping[str, TargetValue],
    raw: GeneticValues,
    seed: int,
) -> dict[str, np.ndarray]:
    """Draw the backgrounds of the traits that have one.

    Args:
        traits: The traits.
        people: One row per person: id, sex, father, mother, inbreeding.
        cohort: The same people.
        required: Genetic values that people must have, by trait. The background has them too.
        raw: Sums over the blocks, which know what they cover.
        seed: The run's root seed.

    Returns:
        Backgrounds by trait, shape (n_people,).
    """
    wanted = [
        trait.name
        for trait in traits.polygenic
        if trait.genetics and trait.genetics.share_in_blocks(raw.autosomal_share) < 1
    ]
    if not wanted:
        return {}
    pedigree, inbreeding = Pedigree.of(people), people["inbreeding"].to_numpy(dtype=float)
    backgrounds = {}
    for name in wanted:
        noise = standard_noise(cohort, seed, f"{name} background")
        mine = {required[name].row: required[name].value} if name in required else {}
        backgrounds[name] = polygenic_background(pedigree, inbreeding, noise, mine)
    return backgrounds
