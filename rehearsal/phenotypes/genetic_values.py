"""Genetic values: causal sites, their effects (tstrait), and their sum in every person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tskit
import tstrait

from rehearsal.errors import InputError, mismatch
from rehearsal.genomes.allele_names import own_name
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.structural import site_spans
from rehearsal.logs import in_progress
from rehearsal.model import Block, Patient
from rehearsal.phenotypes.trait_types import Disease, Genetics, Measurement, Traits
from rehearsal.seeds import derive_seed

KNOWN_BASES = 2_672_266_694  # of the autosomes of GRCh38 outside of config/masks.tsv
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
    """Effects of causal sites, and the genetic values that they add up to.

    ``effects`` has one row per causal site and trait. ``effect`` is that of one copy of ``alt``,
    and ``frequency`` is that of ``alt`` over all countries. ``values`` has one row per person in
    the order of ``people.parquet`` and one column per polygenic trait. A person's value is the sum
    of effect times copies.
    """

    effects: pd.DataFrame  # trait, contig, start (0-based), ref, alt, effect, frequency
    values: pd.DataFrame  # (n_people, n_traits) float64
    autosomal_share: float = 1.0  # of the autosomes' bases in the blocks of these values


@dataclass(frozen=True, slots=True)
class TargetValue:
    """The genetic value that one person must have."""

    row: int  # of ``people.parquet``
    value: float  # standard deviations from the mean


def target_values(
    patients: Iterable[Patient], individuals: pd.DataFrame, people: pd.DataFrame
) -> dict[str, TargetValue]:
    """Collect the genetic values that stories require.

    Args:
        patients: Patients of stories.
        individuals: Ids of the patients, with the columns story, handle and individual.
        people: The people table.

    Returns:
        The required value by trait.

    Raises:
        InputError: Two patients require a value of the same trait. Effects that suit one may not
            suit the other.
    """
    ids = individuals.set_index(["story", "handle"])["individual"]
    row = pd.Index(people["id"])
    target: dict[str, TargetValue] = {}
    for patient in patients:
        for trait, value in patient.genetic_values.items():
            if trait in target:
                expected = f"one patient with a genetic value of {trait}"
                raise InputError(*patient.where, expected, "a second one")
            individual = ids[(patient.story, patient.handle)]
            target[trait] = TargetValue(int(row.get_loc(individual)), value)
    return target


def allot_causal_sites(blocks: Sequence[Block], number: int) -> dict[Block, int]:
    """Divide a number of causal sites among blocks, in proportion to their lengths.

    Rounded by largest remainder, with ties by position. Only autosomal blocks get any: elsewhere
    men carry one copy or none, and a value would depend on sex by construction.

    Args:
        blocks: All blocks of the run.
        number: Number of causal sites in all.

    Returns:
        Number of sites by block, adding up to ``number`` if any block is autosomal.
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


def autosomal_share(blocks: Iterable[Block]) -> float:
    """Compute the share of the autosomes' known bases that the blocks of a run cover.

    Args:
        blocks: All blocks of the run.

    Returns:
        A number from 0 to 1.
    """
    covered = sum(block.length for block in blocks if block.contig in AUTOSOMES)
    return min(covered / KNOWN_BASES, 1.0)


def sites_in_blocks(genetics: Genetics, blocks: Iterable[Block]) -> int:
    """Compute how many of a trait's causal sites lie in the blocks of a run: at least one.

    Args:
        genetics: The polygenic part of the trait.
        blocks: All blocks of the run.
    """
    share = genetics.share_in_blocks(autosomal_share(blocks))
    return max(round(genetics.causal_sites * share), 1)


def causal_sites(
    ts: tskit.TreeSequence, number: int, minimum_frequency: float, seed: int
) -> np.ndarray:
    """Draw causal sites evenly from those that may be causal.

    A site may be causal if it has one alternate allele that no mutation reverts, so that the effect
    allele is unambiguous, if its rarer allele is frequent enough, and if its alleles are bases:
    scoring files and summary statistics cannot name structural variants.

    Args:
        ts: Tree sequence of a block.
        number: Number of sites wanted. Fewer are returned if there are not enough.
        minimum_frequency: Lowest frequency of the rarer allele over all samples.
        seed: Seed of the draw.

    Returns:
        Site ids, ascending, shape (at most ``number``,), int64.
    """
    frequency = minimum_frequency * (1 - 1e-9)  # includes the bound itself despite rounding
    # Two lineages differ at a biallelic site with probability 2p(1-p)n/(n-1), which tskit computes
    # for all sites in one pass. It increases with the frequency of the rarer allele.
    correction = ts.num_samples / max(ts.num_samples - 1, 1)
    bound = max(2 * frequency * (1 - frequency) * correction, np.finfo(float).tiny)
    if ts.num_sites == 0:
        return np.empty(0, dtype=np.int64)
    differing = ts.diversity(mode="site", windows="sites", span_normalise=False)
    _, svlen = site_spans(ts)
    eligible = np.flatnonzero(_has_one_alternate(ts) & (differing >= bound) & (svlen == 0))
    generator = np.random.default_rng(seed)
    chosen = generator.choice(eligible, size=min(number, eligible.size), replace=False)
    return np.sort(chosen).astype(np.int64)


def _has_one_alternate(ts: tskit.TreeSequence) -> np.ndarray:
    """Tell for each site whether all its mutations lead to one allele other than the ancestral."""
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
    """Draw the causal sites of a trait in one block, and add up their effects in everybody.

    Effects are normal and scale with ``(2p(1-p))**(a/2)``, with p the frequency over all countries
    and a the trait's frequency dependence (tstrait's model).

    Args:
        ts: Tree sequence of the block.
        block: The block.
        trait: The trait.
        number_of_sites: Number of causal sites in this block.
        seed: The run's root seed.
        target: A person whose value must be that many standard deviations of this block's values.

    Returns:
        The effects, with the columns of ``GeneticValues.effects``, and the contribution to each
        individual's value, shape (n_individuals,), float64.
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
    refs = ts.sites_ancestral_state[simulated["site_id"].to_numpy()]
    names = [own_name(*one) for one in zip(refs, simulated["causal_allele"], strict=True)]
    effects = pd.DataFrame(
        {
            "trait": trait.name,
            "contig": block.contig,
            "start": simulated["position"],
            "ref": [ref for ref, _ in names],
            "alt": [alt for _, alt in names],
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
    """Flip signs of effects until a person's value is as far from the mean as required.

    Signs are flipped in random order, and only as many as needed. Sizes do not change.

    Args:
        effects: Effects of one copy, shape (n_sites,).
        copies: Copies of the alternate allele, shape (n_sites, n_individuals).
        target: The person and the required value.
        generator: Source of random numbers.

    Returns:
        The new effects, shape (n_sites,).
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
    """Count copies of the alternate allele, shape (n_sites, n_individuals), int8."""
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
    """Sum effect times copies of the alternate allele, and compute the allele's frequency per site.

    Gives the same numbers as ``tstrait.genetic_value``, which compiles its kernel for 4 s in every
    process. That is longer than a block with few causal sites takes as a whole.
    """
    by_sample = np.zeros(ts.num_samples)
    frequencies = np.empty(len(sites))
    variant = tskit.Variant(ts, isolated_as_missing=False)
    steps = list(zip(sites, effects, strict=True))
    for row, (site, effect) in enumerate(in_progress(steps, "causal sites of a trait")):
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
    """Compute the contribution of one block to the genetic values of all polygenic traits.

    A block with the share w of the causal sites has a standard deviation of about sqrt(w). So each
    block is brought to sqrt(w) of the required value, and the sum over blocks reaches it or exceeds
    it somewhat.

    Args:
        ts: Tree sequence of the block.
        block: The block.
        traits: The traits.
        blocks: All blocks of the run, which determine this block's share of the causal sites.
        seed: The run's root seed.
        target: Required values over all blocks, by trait.

    Returns:
        Effects and values of this block.
    """
    effects = []
    values: dict[str, np.ndarray] = {}
    for trait in traits.scored:
        if trait.genetics is None:
            continue
        in_all = sites_in_blocks(trait.genetics, blocks)
        number = allot_causal_sites(blocks, in_all)[block]
        mine = (target or {}).get(trait.name)
        if mine is not None:
            share = number / in_all
            mine = TargetValue(mine.row, mine.value * float(np.sqrt(share)))
        part, values[trait.name] = block_genetic_values(ts, block, trait, number, seed, mine)
        effects.append(part)
    nothing = pd.DataFrame({key: [] for key in EFFECT_TYPES}).astype(EFFECT_TYPES)
    return GeneticValues(
        pd.concat([nothing, *effects], ignore_index=True),
        pd.DataFrame(values, index=pd.RangeIndex(ts.num_individuals), dtype="float64"),
    )


def join_blocks(parts: Iterable[GeneticValues], blocks: Iterable[Block]) -> GeneticValues:
    """Add up the genetic values of blocks.

    Args:
        parts: One part per block, in the order of the blocks: sums of floats depend on the order.
        blocks: All blocks of the run.

    Returns:
        All effects, and the sums of values.

    Raises:
        ValueError: There are no parts.
    """
    effects, values = [], None
    for part in parts:
        effects.append(part.effects)
        values = part.values if values is None else values + part.values
    if values is None:
        raise ValueError(mismatch("genetic values", "at least one block", "none"))
    joined = pd.concat(effects, ignore_index=True)
    return GeneticValues(joined, values, autosomal_share(blocks))
