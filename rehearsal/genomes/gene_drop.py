"""Gene drop: the genomes of children, put together from their parents' haplotypes.

Founders are simulated ``depth`` generations ago; every child adds one node per haplotype, one
generation younger than its younger parent. Crossovers and starting strands are drawn once for a
whole contig, so that all blocks of the contig see the same gametes. There is no interference and
no difference between the sexes' maps.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import msprime
import numpy as np
import pandas as pd

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.model import Block
from rehearsal.seeds import derive_seed


@dataclass(frozen=True)
class Gametes:
    """What parents gave to children on one contig, one entry a gamete.

    ``start`` is the parent's haplotype (0 the mother's) at the contig's first base; at each
    crossover the other one follows. Crossovers are in order of gamete, then of position: gamete
    ``g`` has ``crossover[offset[g]:offset[g + 1]]``.
    """

    child: np.ndarray  # row of people
    parent: np.ndarray
    node: np.ndarray  # the child's sample node
    parent_node: np.ndarray  # the parent's first sample node
    start: np.ndarray
    crossover: np.ndarray  # positions
    offset: np.ndarray

    def strand_at(self, position: int) -> np.ndarray:
        """The parental haplotype that each gamete holds at a position."""
        return (self.start + self._crossovers_before(position + 1)) % 2

    def edges(self, block: Block) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Left, right, parent and child of the edges in a block, in GRCh38 coordinates."""
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
    """All gametes of a contig: one from each parent who hands the contig on.

    Autosomes come from both parents, chrX from the mother and to daughters also from the father,
    chrY from father to son, chrM from the mother. Where the parent has one copy it is handed on
    whole; else there are Poisson crossovers along the map (missing stretches have none), each
    moved to the one place of its bin where founders recombine too (``binned_map``). ``seed`` is
    the root seed: the draws depend on it, the contig and the pedigree only.
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
    """The same crossovers with starting strands that fulfil the plan's ``transmits`` rows.

    ``plan`` holds the rows of this contig only, with the variant's 0-based ``start``. Raises
    InputError when one gamete is asked for two haplotypes.
    """
    index = pd.Index(people["id"])
    start = gametes.start.copy()
    done: dict[int, int] = {}
    for row in plan[plan["kind"] == "transmits"].itertuples():
        from_parent = gametes.parent == index.get_loc(row.person)
        found = np.flatnonzero(from_parent & (gametes.child == index.get_loc(row.child)))
        if len(found) != 1:
            expected = f"{row.person} hands no haplotype of this contig on to {row.child}"
            raise InputError("planted.parquet", row.variant, expected)
        gamete = int(found[0])
        wanted = gametes.start[gamete] ^ gametes.strand_at(row.start)[gamete] ^ row.haplotype
        if done.setdefault(gamete, wanted) != wanted:
            expected = f"two planted variants ask for both haplotypes of {row.person}"
            raise InputError("planted.parquet", row.variant, expected)
        start[gamete] = wanted
    return replace(gametes, start=start)


def _transmissions(pedigree: Pedigree, contig: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Child, parent and the child's haplotype (0 the mother's) of every gamete."""
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
    """Positions at uniform fractions of the genetic length, each at the place of its bin."""
    length = int(contig_map.sequence_length)
    mass = np.append(0, np.cumsum(np.nan_to_num(contig_map.mass)))
    position = np.interp(uniform * mass[-1], mass, contig_map.position).astype(np.int64)
    left = np.minimum(position, length - 1) // bin_size * bin_size
    return (left + np.minimum(left + bin_size, length) - 1) // 2
