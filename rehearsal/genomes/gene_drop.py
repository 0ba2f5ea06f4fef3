"""Gene drop: build the genomes of children from their parents' haplotypes.

Founders are simulated ``depth`` generations ago. Every child adds one node per haplotype, one
generation younger than its younger parent. Crossovers and starting strands are drawn once for a
whole contig, so that all blocks of the contig see the same gametes. There is no interference and
no difference between the sexes' maps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msprime
import numpy as np
import pandas as pd

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.model import Block
from rehearsal.seeds import derive_seed


@dataclass(frozen=True)
class Gametes:
    """The haplotypes that parents transmitted to children on one contig, one entry per gamete.

    ``start`` is the parent's haplotype (0 the mother's) at the contig's first base. At each
    crossover the gamete switches to the other one. Crossovers are in order of gamete, then of
    position: gamete ``g`` has ``crossover[offset[g]:offset[g + 1]]``.
    """

    child: np.ndarray  # (n_gametes,) row of the child in the people table
    parent: np.ndarray  # (n_gametes,) row of the parent
    node: np.ndarray  # (n_gametes,) the child's sample node
    parent_node: np.ndarray  # (n_gametes,) the parent's first sample node
    start: np.ndarray  # (n_gametes,) 0 or 1
    crossover: np.ndarray  # (n_crossovers,) int64, 0-based positions on the contig
    offset: np.ndarray  # (n_gametes + 1,)

    def strand_at(self, position: int) -> np.ndarray:
        """Find the parental haplotype that each gamete holds at a position.

        Args:
            position: 0-based position on the contig.

        Returns:
            0 (the parent's mother's) or 1, shape (n_gametes,).
        """
        return (self.start + self._crossovers_before(position + 1)) % 2

    def edges(self, block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Build the tree sequence edges of the gametes within a block.

        Args:
            block: The block, 0-based half-open.

        Returns:
            Left end, right end, parent node and child node of each edge, shape (n_edges,), in
            GRCh38 coordinates, 0-based half-open.
        """
        inside = (self.crossover > block.start) & (self.crossover < block.end)
        gamete = np.repeat(np.arange(len(self.child)), np.diff(self.offset))[inside]
        position = self.crossover[inside]
        every = np.arange(len(self.child))
        left = np.concatenate([np.full(len(every), block.start), position])
        owner = np.concatenate([every, gamete])
        order = np.lexsort((left, owner))
        left, owner = left[order], owner[order]
        last = np.append(owner[1:] != owner[:-1], True)
        right = np.where(last, block.end, np.append(left[1:], 0))
        first_of_owner = np.searchsorted(owner, owner)
        strand = (self.strand_at(block.start)[owner] + np.arange(len(owner)) - first_of_owner) % 2
        keep = right > left  # two crossovers at one place cancel
        return (
            left[keep],
            right[keep],
            (self.parent_node[owner] + strand)[keep],
            self.node[owner][keep],
        )

    def _crossovers_before(self, position: int) -> np.ndarray:
        before = np.append(0, np.cumsum(self.crossover < position))
        return before[self.offset[1:]] - before[self.offset[:-1]]


def draw_gametes(
    pedigree: Pedigree,
    contig: str,
    contig_map: msprime.RateMap,
    seed: int,
    bin_size: int = 1_000,
) -> Gametes:
    """Draw all gametes of a contig: one from each parent who transmits the contig.

    Autosomes come from both parents, chrX from the mother and to daughters also from the father,
    chrY from father to son, chrM from the mother. A parent with one copy transmits it unchanged.
    Otherwise there are Poisson crossovers along the map, none where its rate is missing. Each one
    is moved to the one place of its bin where founders recombine too (``binned_map``).

    Args:
        pedigree: The people.
        contig: A contig of GRCh38.
        contig_map: Its recombination map, in Morgans per base.
        seed: The run's root seed. The draws depend on it, the contig and the pedigree only.
        bin_size: Bases per bin.

    Returns:
        The gametes, those from mothers first.
    """
    rng = np.random.default_rng(derive_seed(seed, "crossovers", contig))
    child, parent, slot = _transmissions(pedigree, contig)
    copies = pedigree.copies(contig)[parent]
    number = np.where(copies == 2, rng.poisson(contig_map.total_mass, len(child)), 0)
    start = np.where(copies == 2, rng.integers(0, 2, len(child)), 0)
    gamete = np.repeat(np.arange(len(child)), number)
    position = _places_along(contig_map, rng.random(len(gamete)), bin_size)
    first = pedigree.first_node(contig)
    return Gametes(
        child=child,
        parent=parent,
        node=first[child] + slot,
        parent_node=first[parent],
        start=start,
        crossover=position[np.lexsort((position, gamete))],
        offset=np.append(0, np.cumsum(number)),
    )


def force_transmissions(gametes: Gametes, people: pd.DataFrame, plan: pd.DataFrame) -> Gametes:
    """Choose starting strands that fulfil the plan's ``transmits`` rows. Crossovers stay.

    Args:
        gametes: The gametes of one contig.
        people: The people table, in the order of the pedigree.
        plan: The plan's rows of this contig only, with the variant's 0-based ``start``.

    Returns:
        Gametes with new starting strands.

    Raises:
        InputError: A child does not inherit this contig from the named parent, or two variants need
            different haplotypes of one gamete.
    """
    index = pd.Index(people["id"])
    start = gametes.start.copy()
    done: dict[int, int] = {}
    for row in plan[plan["kind"] == "transmits"].itertuples():
        from_parent = gametes.parent == index.get_loc(row.person)
        found = np.flatnonzero(from_parent & (gametes.child == index.get_loc(row.child)))
        if len(found) != 1:
            expected = f"a child who inherits a haplotype of this contig from {row.person}"
            raise InputError("planted.parquet", row.variant, expected, shown(row.child))
        gamete = int(found[0])
        wanted = gametes.start[gamete] ^ gametes.strand_at(row.start)[gamete] ^ row.haplotype
        if done.setdefault(gamete, wanted) != wanted:
            expected = f"one haplotype for {row.person} to transmit to {row.child}"
            both = "planted variants that need both haplotypes"
            raise InputError("planted.parquet", row.variant, expected, both)
        start[gamete] = wanted
    return replace(gametes, start=start)


def _transmissions(pedigree: Pedigree, contig: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List child, parent and the child's haplotype (0 the mother's) of every gamete."""
    child = np.flatnonzero(~pedigree.founder)
    sons, daughters = child[pedigree.male[child]], child[~pedigree.male[child]]
    nobody = child[:0]
    if contig in AUTOSOMES:
        from_mother, from_father = child, child
    else:
        from_mother, from_father = {
            "chrX": (child, daughters),
            "chrY": (nobody, sons),
            "chrM": (child, nobody),
        }[contig]
    receives_two = pedigree.copies(contig)[from_father] == 2
    return (
        np.concatenate([from_mother, from_father]),
        np.concatenate([pedigree.mother[from_mother], pedigree.father[from_father]]),
        np.concatenate([np.zeros(len(from_mother), dtype=np.int64), receives_two.astype(np.int64)]),
    )


def _places_along(contig_map: msprime.RateMap, uniform: np.ndarray, bin_size: int) -> np.ndarray:
    """Map uniform fractions of the genetic length to positions, each at the place of its bin."""
    length = int(contig_map.sequence_length)
    mass = np.append(0, np.cumsum(np.nan_to_num(contig_map.mass)))
    position = np.interp(uniform * mass[-1], mass, contig_map.position).astype(np.int64)
    left = np.minimum(position, length - 1) // bin_size * bin_size
    return (left + np.minimum(left + bin_size, length) - 1) // 2
