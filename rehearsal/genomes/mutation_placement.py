"""Which founders' haplotypes carry a variant that is planted by frequency.

Mutations on few ancestors come close to the copies that each country must have; single haplotypes
are added and taken away until every country has exactly its target.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numba
import numpy as np
import pandas as pd
import tskit

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import ploidy
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.model import SEXES, PlantedVariant
from rehearsal.seeds import derive_seed

MAXIMUM_CLADES = 3


def planted_targets(planted: PlantedVariant, people: pd.DataFrame) -> dict[str, int]:
    """Copies that a variant with frequencies must have in each country.

    Frequency times chromosomes, rounded by largest remainder over all countries, so that the
    total is right even where each country's share is below one; ties fall by a hash of variant
    and country. Then at least ``minimum_per_country`` each. Empty for a variant without
    frequencies. Raises InputError when a country has fewer people than the minimum.
    """
    if not planted.frequency:
        return {}
    contig, default = planted.variant.contig, planted.frequency.get("*", 0.0)
    sizes = people.groupby(["country", "sex"], sort=False).size()
    codes = list(dict.fromkeys(people["country"]))
    carrying = np.array([[sizes.get((code, sex), 0) for code in codes] for sex in SEXES])
    ploidies = np.array([ploidy(contig, sex) for sex in SEXES])
    frequency = np.array([planted.frequency.get(code, default) for code in codes])
    share = frequency * (ploidies @ carrying)
    target = np.floor(share + 1e-9).astype(np.int64)
    order = sorted(
        range(len(codes)),
        key=lambda k: (target[k] - share[k], derive_seed(0, planted.variant, codes[k])),
    )
    target[order[: round(share.sum()) - target.sum()]] += 1
    able = (carrying * (ploidies > 0)[:, None]).sum(axis=0)
    if (able < planted.minimum_per_country).any():
        code = codes[int(np.argmax(able < planted.minimum_per_country))]
        expected = f"{code} has only {able.min()} people who can carry it"
        raise InputError(VARIANTS, f"minimum_per_country of {variant_label(planted)}", expected)
    target = np.maximum(target, planted.minimum_per_country)
    return dict(zip(codes, target.tolist(), strict=True))


@dataclass(frozen=True)
class LocalTree:
    """The tree at one position, its nodes in preorder: the subtree of entry k is [k, end[k])."""

    node: np.ndarray
    parent: np.ndarray  # entry, -1 at a root
    end: np.ndarray
    group: np.ndarray  # country of a sample's individual, -1 for other nodes
    individual: np.ndarray
    groups: int
    ancestral: np.ndarray  # as old as founders or older
    haplotype: np.ndarray  # entries that are founders' haplotypes

    @classmethod
    def of(
        cls, tree: tskit.Tree, group_of: np.ndarray, groups: int, founder_time: float
    ) -> LocalTree:
        """``group_of`` gives the country of each individual, as an integer below ``groups``."""
        ts = tree.tree_sequence
        node = tree.preorder()
        entry = np.full(ts.num_nodes + 1, -1, dtype=np.int64)
        entry[node] = np.arange(len(node))
        parent = entry[tree.parent_array[node]]
        individual = ts.nodes_individual[node]
        sample = individual != tskit.NULL
        time = ts.nodes_time[node]
        return cls(
            node=node,
            parent=parent,
            end=_subtree_ends(parent),
            group=np.where(sample, group_of[individual], -1),
            individual=individual,
            groups=groups,
            ancestral=time >= founder_time,
            haplotype=np.flatnonzero(sample & (time == founder_time)),
        )

    def samples_below(self, entries: np.ndarray) -> np.ndarray:
        """Samples in each entry's subtree."""
        before = np.append(0, np.cumsum(self.group >= 0))
        return before[self.end[entries]] - before[entries]

    def people_below(self, entries: np.ndarray) -> int:
        """People who have a sample in any of the entries' subtrees."""
        people = {i for k in entries for i in self.individual[k : self.end[k]].tolist()}
        return len(people - {tskit.NULL})


@numba.njit(cache=True)
def _subtree_ends(parent: np.ndarray) -> np.ndarray:
    """One past the last entry of each subtree, for parents given in preorder."""
    end = np.arange(1, len(parent) + 1)
    for entry in range(len(parent) - 1, 0, -1):
        if parent[entry] >= 0:
            end[parent[entry]] = max(end[parent[entry]], end[entry])
    return end


def choose_carriers(
    local: LocalTree,
    planted: PlantedVariant,
    target: dict[str, int],
    rng: np.random.Generator,
    carrying: Sequence[int] = (),
    lacking: Sequence[int] = (),
) -> list[tuple[int, str]]:
    """(node, allele) of the mutations that give each country exactly its target, or what those
    who must carry it (nodes ``carrying``) have, if that is more."""
    variant, haplotype = planted.variant, local.haplotype
    required = np.zeros(len(haplotype), dtype=np.int8)  # 1 must carry, -1 must not
    required[np.isin(local.node[haplotype], carrying)] = 1
    required[np.isin(local.node[haplotype], lacking)] = -1
    clades = _choose_clades(local, np.array(list(target.values())))
    holds = np.zeros((len(clades), len(haplotype)), dtype=bool)
    for row, clade in enumerate(clades):
        holds[row] = (haplotype >= clade) & (haplotype < local.end[clade])
    covered = np.logical_or.reduce(holds, axis=0)
    wanted = _reach_targets(local, covered, planted, target, rng, required)
    # A clade of which half or less stays is dearer than its carriers one by one.
    worth = np.array([wanted[row].mean() > 0.5 and row.sum() > 1 for row in holds], dtype=bool)
    inside = np.logical_or.reduce(holds[worth], axis=0)
    return [
        *((int(node), variant.alt) for node in local.node[np.array(clades, dtype=np.int64)[worth]]),
        *((int(node), variant.ref) for node in local.node[haplotype[inside & ~wanted]]),
        *((int(node), variant.alt) for node in local.node[haplotype[wanted & ~inside]]),
    ]


def _choose_clades(local: LocalTree, target: np.ndarray) -> list[int]:
    """Up to three disjoint subtrees whose copies come closest to the target, greedily.

    Closest by squares weighted by each country's binomial variance (at least 0.25), over the
    copies that the clades chosen before have left.
    """
    size = np.bincount(local.group[local.group >= 0], minlength=local.groups)
    frequency = target / np.maximum(size, 1)
    weight = 1 / np.maximum(size * frequency * (1 - frequency), 0.25)
    free = local.ancestral & (local.parent >= 0)
    left = target.astype(float)
    clades: list[int] = []
    while len(clades) < MAXIMUM_CLADES and free.any():
        entry = np.flatnonzero(free)
        gain = _gains(entry, local.end, local.group, weight, left)
        best = int(entry[np.argmax(gain)])
        if gain.max() <= 0:
            break
        clades.append(best)
        inside = local.group[best : local.end[best]]
        left -= np.bincount(inside[inside >= 0], minlength=local.groups)
        free[best : local.end[best]] = False
        above = local.parent[best]
        while above >= 0:
            free[above] = False
            above = local.parent[above]
    return clades


@numba.njit(cache=True)
def _gains(
    entry: np.ndarray, end: np.ndarray, group: np.ndarray, weight: np.ndarray, left: np.ndarray
) -> np.ndarray:
    """What each entry's subtree takes off the weighted squares of the copies left, per country."""
    gain = np.zeros(entry.size)
    before = np.zeros(group.size + 1, np.int32)  # samples of one country before each entry
    for country in range(weight.size):
        for k in range(group.size):
            before[k + 1] = before[k] + (group[k] == country)
        for i in range(entry.size):
            copies = before[end[entry[i]]] - before[entry[i]]
            gain[i] += weight[country] * copies * (2 * left[country] - copies)
    return gain


def _reach_targets(
    local: LocalTree,
    carries: np.ndarray,
    planted: PlantedVariant,
    target: dict[str, int],
    rng: np.random.Generator,
    required: np.ndarray,
) -> np.ndarray:
    """Which founders' haplotypes carry: ``carries``, changed until each country is exact.

    Those that are ``required`` to carry (1) or not to (-1) stay so, and count.
    """
    weight = local.samples_below(local.haplotype)
    country = local.group[local.haplotype]
    person = local.individual[local.haplotype]
    wanted = np.where(required == 0, carries, required > 0)
    for group, (code, copies) in enumerate(target.items()):
        own = rng.permutation(np.flatnonzero((country == group) & (required == 0)))
        fixed = np.flatnonzero((country == group) & (required > 0))
        copies = max(copies - int(weight[fixed].sum()), 0)
        for choice in _haplotype_choices(wanted[own], weight[own], person[own], copies):
            carrying = local.haplotype[np.concatenate([fixed, own[choice]])]
            if local.people_below(carrying) >= planted.minimum_per_country:
                wanted[own] = choice
                break
        else:
            expected = f"the founders of {code} cannot give exactly {copies} copies"
            raise InputError(VARIANTS, variant_label(planted), expected)
    return wanted


def _haplotype_choices(
    carries: np.ndarray, weight: np.ndarray, person: np.ndarray, copies: int
) -> Iterator[np.ndarray]:
    """Ways in which a country's haplotypes (in random order) give exactly ``copies``.

    Booleans, one a haplotype. First the fewest changes, then without regard to what carries now,
    then spread over people: one haplotype each before the other, untransmitted ones first.
    """
    excess = int(weight[carries].sum()) - copies
    change = np.flatnonzero(carries == (excess > 0))
    second = pd.Series(person).duplicated().to_numpy()
    attempts = (
        (carries, change, abs(excess)),
        (np.zeros_like(carries), np.arange(len(weight)), copies),
        (np.zeros_like(carries), np.lexsort((weight, second)), copies),
    )
    for before, order, total in attempts:
        picked = exact_sum(weight[order], total)
        if picked is not None:
            choice = before.copy()
            choice[order[picked]] ^= True
            yield choice


def exact_sum(weights: np.ndarray, total: int) -> np.ndarray | None:
    """Indices of weights (positive whole numbers) that add up to the total, or None.

    Takes what fits in the order given, which nearly always succeeds; else tries all sums.
    """
    picked: list[int] = []
    left = total
    for number, weight in enumerate(weights.tolist()):
        if left == 0:
            break
        if weight <= left:
            picked.append(number)
            left -= weight
    return np.array(picked, dtype=np.int64) if left == 0 else _subset_sum(weights, total)


def _subset_sum(weights: np.ndarray, total: int) -> np.ndarray | None:
    """The same by dynamic programming: bit s of ``reach[k]`` says that weights from k on make s."""
    reach = [1]
    mask = (1 << (total + 1)) - 1
    for weight in reversed(weights.tolist()):
        reach.append((reach[-1] | reach[-1] << weight) & mask)
    reach.reverse()
    if not reach[0] >> total & 1:
        return None
    picked, left = [], total
    for number, weight in enumerate(weights.tolist()):
        if not reach[number + 1] >> left & 1:
            picked.append(number)
            left -= weight
    return np.array(picked, dtype=np.int64)
