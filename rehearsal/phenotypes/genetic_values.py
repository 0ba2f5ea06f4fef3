"""Genetic values: causal sites, their effects (tstrait), and the sum of both in every person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tskit
import tstrait

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.model import Block, Patient
from rehearsal.phenotypes.trait_types import Disease, Measurement, Traits
from rehearsal.seeds import derive_seed

EFFECT_TYPES = {
    "trait": "str",
    "contig": "str",
    "start": "int64",
    "ref": "str",
    "alt": "str",
    "effect": "float64",
    "frequency": "float64",
}


@dataclass(frozen=True)
class GeneticValues:
    """Effects of causal sites, and the genetic values that they sum to.

    ``effects``: one row a causal site and trait: trait, contig, start (0-based), ref, alt, effect
    (of one copy of alt) and frequency of alt over all countries. ``values``: one row a person in
    the order of ``people.parquet``, one column a polygenic trait. A person's value is the sum of
    effect times copies, less the same constant for everybody once standardised.
    """

    effects: pd.DataFrame
    values: pd.DataFrame


@dataclass(frozen=True, slots=True)
class TargetValue:
    """Whose genetic value (row of ``people.parquet``) is to be what, in standard deviations."""

    row: int
    value: float


def target_values(
    patients: Iterable[Patient], individuals: pd.DataFrame, people: pd.DataFrame
) -> dict[str, TargetValue]:
    """What stories want of genetic values, by trait.

    ``individuals``: columns story, handle, individual. Raises InputError where two patients want
    something of one trait: effects that suit one may not suit the other.
    """
    ids = individuals.set_index(["story", "handle"])["individual"]
    row = pd.Index(people["id"])
    target: dict[str, TargetValue] = {}
    for patient in patients:
        for trait, value in patient.genetic_values.items():
            if trait in target:
                raise patient.error(f"expected one patient with a genetic value of {trait}")
            individual = ids[(patient.story, patient.handle)]
            target[trait] = TargetValue(int(row.get_loc(individual)), value)
    return target


def allot_causal_sites(blocks: Sequence[Block], number: int) -> dict[Block, int]:
    """Causal sites of each block, in proportion to its length, adding up to ``number``.

    Largest remainder, ties by position. Only autosomal blocks get any: elsewhere men carry one
    copy or none, and a value would depend on the sex by construction.
    """
    allotted = dict.fromkeys(blocks, 0)
    autosomal = [block for block in blocks if block.contig in AUTOSOMES]
    total = sum(block.length for block in autosomal)
    for block in autosomal:
        allotted[block] = number * block.length // total
    left = number - sum(allotted.values()) if autosomal else 0
    for block in sorted(autosomal, key=lambda block: (-(number * block.length % total), block)):
        if left == 0:
            break
        allotted[block] += 1
        left -= 1
    return allotted


def causal_sites(
    ts: tskit.TreeSequence, number: int, minimum_frequency: float, seed: int
) -> np.ndarray:
    """Ids of at most ``number`` sites, drawn evenly from those that may be causal, rising.

    A site may be causal when it has one alternate allele that no mutation takes back, so that
    the effect allele is unambiguous, and its rarer allele has at least ``minimum_frequency``
    over all samples. Fewer come back when the tree sequence has no more.
    """
    frequency = minimum_frequency * (1 - 1e-9)  # the bound itself is in, whatever the rounding
    # Two lineages differ at a biallelic site with probability 2p(1-p)n/(n-1), which tskit finds
    # for all sites in one pass; it rises with the frequency of the rarer allele.
    correction = ts.num_samples / max(ts.num_samples - 1, 1)
    bound = max(2 * frequency * (1 - frequency) * correction, np.finfo(float).tiny)
    if ts.num_sites == 0:
        return np.empty(0, dtype=np.int64)
    differing = ts.diversity(mode="site", windows="sites", span_normalise=False)
    eligible = np.flatnonzero(_has_one_alternate(ts) & (differing >= bound))
    generator = np.random.default_rng(seed)
    chosen = generator.choice(eligible, size=min(number, eligible.size), replace=False)
    return np.sort(chosen).astype(np.int64)


def _has_one_alternate(ts: tskit.TreeSequence) -> np.ndarray:
    """Per site: all mutations lead to one same allele, which is not the ancestral one."""
    site = ts.mutations_site
    derived = ts.mutations_derived_state
    first = np.searchsorted(site, np.arange(ts.num_sites))
    has_mutation = np.bincount(site, minlength=ts.num_sites) > 0
    alternate = derived[np.minimum(first, ts.num_mutations - 1)]
    ambiguous = (derived != alternate[site]) | (derived == ts.sites_ancestral_state[site])
    return has_mutation & (np.bincount(site, weights=ambiguous, minlength=ts.num_sites) == 0)


def block_genetic_values(
    ts: tskit.TreeSequence,
    block: Block,
    trait: Measurement | Disease,
    number_of_sites: int,
    seed: int,
    target: TargetValue | None = None,
) -> tuple[pd.DataFrame, np.ndarray]:
    """The causal sites that a trait has in one block, and what they add to everybody's value.

    ``seed`` is the root seed. Effects are normal and scale with ``(2p(1-p))**(a/2)``, p the
    frequency over all countries and a the trait's frequency dependence (tstrait's model).
    ``target``: somebody whose value is brought to so many standard deviations of this block's.
    Returns the effects (columns of ``GeneticValues.effects``) and one number an individual of
    the tree sequence.
    """
    genetics = trait.genetics
    nothing = pd.DataFrame({key: [] for key in EFFECT_TYPES}).astype(EFFECT_TYPES)
    if genetics is None or number_of_sites == 0:
        return nothing, np.zeros(ts.num_individuals)
    site_seed = derive_seed(seed, "causal_sites", trait.name, block.id)
    sites = causal_sites(ts, number_of_sites, genetics.minimum_frequency, site_seed)
    if sites.size == 0:
        return nothing, np.zeros(ts.num_individuals)
    simulated = tstrait.sim_trait(
        ts,
        tstrait.trait_model("normal", mean=0, var=1),
        causal_sites=sites,
        alpha=genetics.frequency_dependence,
        random_seed=derive_seed(seed, "effects", trait.name, block.id),
    )
    effects = pd.DataFrame(
        {
            "trait": trait.name,
            "contig": block.contig,
            "start": simulated["position"],
            "ref": list(ts.sites_ancestral_state[simulated["site_id"].to_numpy()]),
            "alt": simulated["causal_allele"],
            "effect": simulated["effect_size"],
        }
    )
    if target is not None:
        generator = np.random.default_rng(derive_seed(seed, "turned", trait.name, block.id))
        effects["effect"] = flip_effect_signs(
            effects["effect"].to_numpy(), _copies(ts, sites), target, generator
        )
    values, frequencies = _individual_values(ts, sites, effects["effect"].to_numpy())
    return effects.assign(frequency=frequencies).astype(EFFECT_TYPES), values


def flip_effect_signs(
    effects: np.ndarray, copies: np.ndarray, target: TargetValue, generator: np.random.Generator
) -> np.ndarray:
    """Effects, of which as many as it takes have changed their sign, in random order, to bring
    somebody's value as far from the mean as target. Their sizes stay as they were drawn.

    ``copies``: of the alternate allele, by site and individual.
    """
    effects, direction = effects.copy(), np.sign(target.value)
    more = copies[:, target.row] - copies.mean(axis=1)
    values = effects @ copies
    for site in generator.permutation(len(effects)):
        away = values[target.row] - values.mean()
        if direction * away >= abs(target.value) * values.std():
            break
        if direction * effects[site] * more[site] < 0:
            values -= 2 * effects[site] * copies[site]
            effects[site] *= -1
    return effects


def _copies(ts: tskit.TreeSequence, sites: np.ndarray) -> np.ndarray:
    """Copies of the alternate allele: int8[sites, individuals]."""
    owner = ts.nodes_individual[ts.samples()]
    copies = np.empty((len(sites), ts.num_individuals), dtype=np.int8)
    variant = tskit.Variant(ts, isolated_as_missing=False)
    for row, site in enumerate(sites):
        variant.decode(int(site))
        copies[row] = np.bincount(owner, variant.genotypes > 0, minlength=ts.num_individuals)
    return copies


def _individual_values(
    ts: tskit.TreeSequence, sites: np.ndarray, effects: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sum of effect times copies of the alternate allele in every individual, and the frequency
    of that allele at each site.

    The same numbers as ``tstrait.genetic_value``, which compiles its kernel for 4 s in every
    process: longer than a block of a few causal sites takes as a whole.
    """
    by_sample = np.zeros(ts.num_samples)
    frequencies = np.empty(len(sites))
    variant = tskit.Variant(ts, isolated_as_missing=False)
    for row, (site, effect) in enumerate(zip(sites, effects, strict=True)):
        variant.decode(int(site))
        carried = variant.genotypes > 0
        by_sample += effect * carried
        frequencies[row] = carried.mean()
    owner = ts.nodes_individual[ts.samples()]
    return np.bincount(owner, weights=by_sample, minlength=ts.num_individuals), frequencies


def genetic_values_of_block(
    ts: tskit.TreeSequence,
    block: Block,
    traits: Traits,
    blocks: Sequence[Block],
    seed: int,
    target: Mapping[str, TargetValue] | None = None,
) -> GeneticValues:
    """What one block adds to the genetic values of all polygenic traits.

    ``blocks`` are all blocks of the run, to know this one's share of the causal sites. ``target``,
    by trait: whose value is to be what over all blocks. A block with the share w of the sites has
    about the standard deviation sqrt(w): brought to sqrt(w) of what is target in each block, the
    sum over blocks is what is target, or somewhat more.
    """
    effects = []
    values: dict[str, np.ndarray] = {}
    for trait in traits.scored:
        if trait.genetics is None:
            continue
        number = allot_causal_sites(blocks, trait.genetics.causal_sites)[block]
        mine = (target or {}).get(trait.name)
        if mine is not None:
            share = number / trait.genetics.causal_sites
            mine = TargetValue(mine.row, mine.value * float(np.sqrt(share)))
        part, values[trait.name] = block_genetic_values(ts, block, trait, number, seed, mine)
        effects.append(part)
    nothing = pd.DataFrame({key: [] for key in EFFECT_TYPES}).astype(EFFECT_TYPES)
    return GeneticValues(
        pd.concat([nothing, *effects], ignore_index=True),
        pd.DataFrame(values, index=pd.RangeIndex(ts.num_individuals), dtype="float64"),
    )


def join_blocks(parts: Iterable[GeneticValues]) -> GeneticValues:
    """The sum over blocks. Give them in the order of the blocks: sums of floats depend on it."""
    effects, values = [], None
    for part in parts:
        effects.append(part.effects)
        values = part.values if values is None else values + part.values
    if values is None:
        raise ValueError("no blocks to join")
    return GeneticValues(pd.concat(effects, ignore_index=True), values)


def standardise(raw: GeneticValues, traits: Traits) -> GeneticValues:
    """Genetic values with mean 0 and variance 1 over everybody of all countries.

    Effects are rescaled with them, so that they stay the effect of one copy. Raises InputError
    for a trait that no causal site sets apart between people.
    """
    spread = raw.values.std(ddof=0)
    for trait in traits.polygenic:
        if not spread.get(trait.name, 0.0) > 0:
            part = "measurements" if isinstance(trait, Measurement) else "diseases"
            raise InputError(
                traits.source,
                f"{part}.{trait.name}.genetics.causal_sites",
                "expected a common autosomal site to choose from: simulate longer regions, "
                "more people, or lower minimum_frequency",
            )
    scale: Mapping[str, float] = spread.to_dict()
    effects = raw.effects.copy()
    effects["effect"] /= effects["trait"].map(scale).astype("float64")
    return GeneticValues(effects, (raw.values - raw.values.mean()) / spread)
