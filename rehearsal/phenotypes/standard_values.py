"""Genetic values on one scale: the sums of effects and the background, standardised."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.phenotypes.genetic_values import GeneticValues
from rehearsal.phenotypes.trait_types import Traits


@dataclass(frozen=True)
class StandardValues:
    """Genetic values of mean 0 and variance 1, with their background and effects.

    ``values`` and ``backgrounds`` have shape (n_people,) by trait. A value less its background is
    the sum of effect times copies, up to a constant that is the same for everybody.
    """

    effects: pd.DataFrame
    values: Mapping[str, np.ndarray]
    backgrounds: Mapping[str, np.ndarray]


def standardise(
    raw: GeneticValues,
    traits: Traits,
    backgrounds: Mapping[str, np.ndarray],
) -> StandardValues:
    """Add up the parts of genetic values, standardised over the people of all countries.

    With the share w of the variance in the blocks, a value is ``sqrt(w) s + sqrt(1 - w) b``, of the
    sum s of effects and the background b, both standardised, and standardised again. Effects are
    rescaled too, so that they stay the effect of one copy on the value. Where people do not differ
    at the causal sites, w is 0 and the sites have no effect. Without a background, such a trait has
    the value 0 in everybody.

    Args:
        raw: Sums over all blocks.
        traits: The traits.
        backgrounds: Backgrounds by trait, shape (n_people,), of traits whose share is below 1.

    Returns:
        Standardised values with their effects.
    """
    values, parts, scale = {}, {}, {}
    for trait in traits.polygenic:
        if trait.genetics is None:
            continue
        simulated, background = raw.values[trait.name].to_numpy(), backgrounds.get(trait.name)
        spread = float(simulated.std())
        if spread == 0 and background is None:
            print(f"{trait.name}: no causal site at which people differ, so no polygenic part")
        weight = trait.genetics.share_in_blocks(raw.autosomal_share) if spread > 0 else 0.0
        part = np.zeros(len(simulated))
        if background is not None:
            part = np.sqrt(1 - weight) * _standardised(background)
        per_unit = np.sqrt(weight) / spread if spread > 0 else 0.0
        total = per_unit * (simulated - simulated.mean()) + part
        size = float(total.std()) or 1.0
        values[trait.name], parts[trait.name] = total / size, part / size
        scale[trait.name] = per_unit / size
    of_trait = raw.effects["trait"].map(scale).astype("float64")
    effects = raw.effects.assign(effect=raw.effects["effect"] * of_trait)
    return StandardValues(effects[of_trait != 0].reset_index(drop=True), values, parts)


def _standardised(values: np.ndarray) -> np.ndarray:
    """Give values mean 0 and variance 1; that of one person is drawn from such ones already."""
    return (values - values.mean()) / values.std() if values.std() > 0 else values
