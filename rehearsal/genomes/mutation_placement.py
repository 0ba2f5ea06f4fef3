"""Choose the founders' haplotypes that carry a variant planted by frequency.

Mutations on few ancestors come close to the copies that each country must have. Then single
haplotypes are added and removed until every country has exactly its target.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tskit

from rehearsal.compiled_code import kernel
from rehearsal.errors import InputError
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.model import PlantedVariant

MAXIMUM_CLADES = 3


@dataclass(frozen=True)
class LocalTree:
    """The tree at one position, nodes in preorder: the subtree of entry k is ``[k, end[k])``."""

    node: np.ndarray  # (n,) node of the tree sequence
    parent: np.ndarray  # (n,) entry of the parent, -1 at a root
    end: np.ndarray  # (n,) one past the last entry of the subtree
    group: np.ndarray  # (n,) country of a sample's individual, -1 for other nodes
    individual: np.ndarray  # (n,) individual of the node, -1 for none
    groups: int  # number of countries
    ancestral: np.ndarray  # (n,) bool: as old as founders or older
    haplotype: np.ndarray  # entries that are founders' haplotypes, ascending

    @classmethod
    def of(
        cls, tree: tskit.Tree, group_of: np.ndarray, groups: int, founder_time: float
    ) -> LocalTree:
        """Read a tree.

        Args:
            tree: A tree of a tree sequence.
            group_of: Country of each individual, an integer below ``groups``, shape
                (n_individuals,).
            groups: Number of countries.
            founder_time: Time at which founders live, in generations.

        Returns:
            The tree in preorder.
        """
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
        """Count the samples in subtrees.

        Args:
            entries: Entries at the top of the subtrees, shape (n,).

        Returns:
            Number of samples, shape (n,).
        """
        before = np.append(0, np.cumsum(self.group >= 0))
        return before[self.end[entries]] - before[entries]

    def people_below(self, entries: np.ndarray) -> int:
        """Count the people who have a sample in any of the subtrees.

        Args:
            entries: Entries at the top of the subtrees, shape (n,).

        Returns:
            Number of people.
        """
        people = {i for k in entries for i in self.individual[k : self.end[k]].tolist()}
        return len(people - {tskit.NULL})


@kernel()
def _subtree_ends(parent: np.ndarray) -> np.ndarray:
    """Find one past the last entry of each subtree, for parents given in preorder."""
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
    """Choose mutations that give each country exactly its target.

    A country has more copies than its target only if the people who must carry the variant have
    more.

    Args:
        local: The tree at the variant's position.
        planted: The variant.
        target: Copies by country code, in the order of ``local``'s countries.
        rng: Source of random numbers.
        carrying: Nodes of founders' haplotypes that must carry the variant.
        lacking: Nodes of founders' haplotypes that must not carry it.

    Returns:
        Node and allele of each mutation.

    Raises:
        InputError: No choice of founders' haplotypes gives exactly the target.
    """
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
    # If half of a clade or less remains, single mutations on the carriers cost less.
    worth = np.array([wanted[row].mean() > 0.5 and row.sum() > 1 for row in holds], dtype=bool)
    inside = np.logical_or.reduce(holds[worth], axis=0)
    return [
        *((int(node), variant.alt) for node in local.node[np.array(clades, dtype=np.int64)[worth]]),
        *((int(node), variant.ref) for node in local.node[haplotype[inside & ~wanted]]),
        *((int(node), variant.alt) for node in local.node[haplotype[wanted & ~inside]]),
    ]


def _choose_clades(local: LocalTree, target: np.ndarray) -> list[int]:
    """Choose greedily up to three disjoint subtrees whose copies come closest to the target.

    The distance is the sum of squares weighted by each country's binomial variance (at least 0.25),
    over the copies that are left after the clades chosen before.
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


@kernel()
def _gains(
    entry: np.ndarray, end: np.ndarray, group: np.ndarray, weight: np.ndarray, left: np.ndarray
) -> np.ndarray:
    """Compute how much each subtree reduces the weighted squares of the copies left."""
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
    """Choose the founders' haplotypes that carry: ``carries``, changed until each country is exact.

    Haplotypes that are ``required`` to carry (1) or not to carry (-1) stay as required, and count.
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
            expected = f"founders' haplotypes in {code} that add up to exactly {copies} copies"
            raise InputError(VARIANTS, variant_label(planted), expected, "no such choice")
    return wanted


def _haplotype_choices(
    carries: np.ndarray, weight: np.ndarray, person: np.ndarray, copies: int
) -> Iterator[np.ndarray]:
    """Yield ways in which a country's haplotypes (in random order) give exactly ``copies``.

    Each is a bool per haplotype. The first makes the fewest changes. The second ignores what
    carries now. The third spreads copies over people: one haplotype of each person first, those
    without descendants first.
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
    """Choose weights that add up to a total.

    Takes what fits in the order given, which nearly always succeeds. Otherwise tries all sums.

    Args:
        weights: Positive whole numbers, shape (n,).
        total: The sum to reach.

    Returns:
        Indices of the chosen weights, int64, or None if no choice adds up to the total.
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
    """Do the same by dynamic programming: ``reach[k]`` has bit s if weights from k on make s."""
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
