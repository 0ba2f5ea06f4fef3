"""What planted variants must have: places of their own, and copies in each country."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import ploidy
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.model import SEXES, PlantedVariant
from rehearsal.seeds import derive_seed


def check_places(planted: Sequence[PlantedVariant]) -> None:
    """Check that no two planted variants touch the same base.

    Args:
        planted: Planted variants.

    Raises:
        InputError: The REF alleles of two variants overlap.
    """
    ordered = sorted(planted, key=lambda v: v.variant)
    for one, two in pairwise(ordered):
        same = one.variant.contig == two.variant.contig
        if same and two.variant.start < one.variant.start + len(one.variant.ref):
            expected = "bases that no other planted variant has"
            raise InputError(
                VARIANTS, variant_label(two), expected, f"bases of {variant_label(one)}"
            )


def planted_targets(planted: PlantedVariant, people: pd.DataFrame, seed: int) -> dict[str, int]:
    """Draw the copies that a variant with frequencies must have in each country.

    The total over all countries is exact: frequency times chromosomes, rounded. So it is right even
    where each country's share is below one. The copies of the countries vary around their shares
    as those of a sample do, given this total. Each target is then raised to
    ``minimum_per_country``.

    Args:
        planted: The variant.
        people: The people table of the whole cohort.
        seed: The run's root seed.

    Returns:
        Copies by country code, in the order of ``people``. Empty for a variant without frequencies.

    Raises:
        InputError: A country has fewer people who can carry the variant than the minimum.
    """
    if not planted.frequency:
        return {}
    variant, default = planted.variant, planted.frequency.get("*", 0.0)
    sizes = people.groupby(["country", "sex"], sort=False).size()
    codes = list(dict.fromkeys(people["country"]))
    carrying = np.array([[sizes.get((code, sex), 0) for code in codes] for sex in SEXES])
    ploidies = np.array([ploidy(variant.contig, sex, variant.start) for sex in SEXES])
    frequency = np.array([planted.frequency.get(code, default) for code in codes])
    rng = np.random.default_rng(derive_seed(seed, "planted copies", variant))
    target = _sampled_copies(ploidies @ carrying, frequency, rng)
    able = (carrying * (ploidies > 0)[:, None]).sum(axis=0)
    if (able < planted.minimum_per_country).any():
        code = codes[int(np.argmax(able < planted.minimum_per_country))]
        key = f"minimum_per_country of {variant_label(planted)}"
        expected = f"at most the number of people in {code} who can carry it, {able.min()}"
        raise InputError(VARIANTS, key, expected, shown(planted.minimum_per_country))
    target = np.maximum(target, planted.minimum_per_country)
    return dict(zip(codes, target.tolist(), strict=True))


def _sampled_copies(
    chromosomes: np.ndarray, frequency: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw binomial numbers, then add or remove single copies at random until the total is right.

    A copy is added to or removed from a country as often as its number varies.
    """
    copies = rng.binomial(chromosomes, frequency)
    missing = round((chromosomes * frequency).sum() + 1e-9) - copies.sum()
    step = 1 if missing > 0 else -1
    for _ in range(abs(missing)):
        room = copies < chromosomes if step > 0 else copies > 0
        weight = room * chromosomes * frequency * (1 - frequency)
        copies[rng.choice(len(copies), p=weight / weight.sum())] += step
    return copies
