"""Gene drop: build the genomes of children from their parents' haplotypes.

Founders are simulated ``depth`` generations ago. Every child adds one node per haplotype, one
generation younger than its younger parent. Crossovers and starting strands are drawn once for a
whole contig, so that all blocks of the contig see the same gametes. There is no interference and
no difference between the sexes' maps, but on X and Y (see ``sex_chromosomes``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import msprime
import numpy as np
import pandas as pd

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import AUTOSOMES, pseudo_autosomal
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.sex_chromosomes import draw_fathers_crossovers, move_crossover
from rehearsal.model import Block
from rehearsal.seeds import derive_seed


@dataclass(frozen=True)
class Gametes:
    """The haplotypes that parents transmitted to children on one contig, one entry per gamete.

    ``start`` is the parent's haplotype (0 the mother's) at the contig's first base. At each
    crossover the gamete switches to the other one. Crossovers are in order of gamete, then of
    position: gamete ``g`` has ``crossover[offset[g]:offset[g + 1]]``.
    """

    contig: str
    child: np.ndarray  # (n_gametes,) row of the child in the people table
    parent: np.ndarray  # (n_gametes,) row of the parent
    slot: np.ndarray  # (n_gametes,) the child's haplotype: 0 its first, from the mother, or 1
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

    def edges(
        self, block: Block, pedigree: Pedigree
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Build the tree sequence edges of the gametes within a block.

        A son has no second haplotype of X outside of the pseudo-autosomal regions, and so no edges
        from his father there.

        Args:
            block: The block, 0-based half-open.
            pedigree: The pedigree of which the gametes were drawn.

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
        has = self.slot < pedigree.copies(block.contig, block.start)[self.child]
        keep = (right > left) & has[owner]  # two crossovers at one place cancel
        first = pedigree.first_node(block.contig, block.start)
        return (
            left[keep],
            right[keep],
            (first[self.parent][owner] + strand)[keep],
            (first[self.child] + self.slot)[owner][keep],
        )

    def _crossovers_before(self, position: int) -> np.ndarray:
        before = np.append(0, np.cumsum(self.crossover < position))
        return before[self.offset[1:]] - before[self.offset[:-1]]


def draw_gametes(
    pedigree: Pedigree,
    contig: str,
    contig_map: msprime.RateMap,
    seed: int,
) -> Gametes:
    """Draw all gametes of a contig: one from each parent who transmits the contig.

    Autosomes and chrX come from both parents, chrY from father to son, chrM from the mother. On
    chrX a father transmits his X to daughters and, in the pseudo-autosomal regions, his Y to sons;
    both exchange their ends there (``draw_fathers_crossovers``). chrY and chrM do not recombine.
    Otherwise there are Poisson crossovers along the map, none where its rate is missing.

    Args:
        pedigree: The people.
        contig: A contig of GRCh38.
        contig_map: Its recombination map, in Morgans per base.
        seed: The run's root seed. The draws depend on it, the contig and the pedigree only.

    Returns:
        The gametes, those from mothers first.
    """
    rng = np.random.default_rng(derive_seed(seed, "crossovers", contig))
    child, parent, slot = _transmissions(pedigree, contig)
    along_map = _recombines(pedigree, contig)[parent]
    number = np.where(along_map, rng.poisson(contig_map.total_mass, len(child)), 0)
    start = np.where(along_map, rng.integers(0, 2, len(child)), 0)
    gamete = np.repeat(np.arange(len(child)), number)
    position = _places_along(contig_map, rng.random(len(gamete)))
    if contig == "chrX":
        of_father = np.flatnonzero(~along_map)
        start[of_father] = pedigree.male[child[of_father]]
        crossed, places = draw_fathers_crossovers(len(of_father), rng)
        gamete = np.append(gamete, of_father[crossed])
        position = np.append(position, places)
    return Gametes(
        contig=contig,
        child=child,
        parent=parent,
        slot=slot,
        start=start,
        crossover=position[np.lexsort((position, gamete))],
        offset=np.append(0, np.cumsum(np.bincount(gamete, minlength=len(child)))),
    )


def force_transmissions(gametes: Gametes, people: pd.DataFrame, plan: pd.DataFrame) -> Gametes:
    """Choose starting strands that fulfil the plan's ``transmits`` rows. Crossovers stay.

    On chrX a father's gamete gets or loses a crossover instead, as the child's sex says what lies
    at the border of the pseudo-autosomal region.

    Args:
        gametes: The gametes of one contig.
        people: The people table, in the order of the pedigree.
        plan: The plan's rows of this contig only, with the variant's contig and 0-based ``start``.

    Returns:
        Gametes with new starting strands.

    Raises:
        InputError: A child does not inherit this contig from the named parent, or two variants need
            different haplotypes of one gamete.
    """
    index = pd.Index(people["id"])
    rows = list(plan[plan["kind"] == "transmits"].itertuples())
    number: list[int] = []
    for row in rows:
        from_parent = gametes.parent == index.get_loc(row.person)
        found = np.flatnonzero(from_parent & (gametes.child == index.get_loc(row.child)))
        if len(found) != 1:
            raise _not_inherited(row)
        number.append(int(found[0]))
    men = set(people["id"][people["sex"] == "male"]) if gametes.contig == "chrX" else set()
    forced = gametes
    for row, gamete in zip(rows, number, strict=True):
        if forced.strand_at(row.start)[gamete] == row.haplotype:
            continue
        if row.person not in men:
            start = forced.start.copy()
            start[gamete] ^= 1
            forced = replace(forced, start=start)
        elif pseudo_autosomal(gametes.contig, row.start):
            forced = _with_moved_crossover(forced, gamete, row.start)
        else:
            raise _not_inherited(row)
    for row, gamete in zip(rows, number, strict=True):
        if forced.strand_at(row.start)[gamete] != row.haplotype:
            expected = f"one haplotype for {row.person} to transmit to {row.child}"
            both = "planted variants that need both haplotypes"
            raise InputError("planted.parquet", row.variant, expected, both)
    return forced


def _not_inherited(row: Any) -> InputError:
    expected = f"a child who inherits a haplotype of this contig from {row.person}"
    return InputError("planted.parquet", row.variant, expected, shown(row.child))


def _with_moved_crossover(gametes: Gametes, gamete: int, position: int) -> Gametes:
    """Change what a father's gamete holds at a position, but not the child's sex."""
    own = slice(int(gametes.offset[gamete]), int(gametes.offset[gamete + 1]))
    places = move_crossover(gametes.crossover[own], position)
    before, after = gametes.crossover[: own.start], gametes.crossover[own.stop :]
    offset = gametes.offset.copy()
    offset[gamete + 1 :] += len(places) - (own.stop - own.start)
    crossover = np.concatenate([before, places, after])
    return replace(gametes, crossover=crossover, offset=offset)


def _recombines(pedigree: Pedigree, contig: str) -> np.ndarray:
    """Tell whose gametes have crossovers along the whole contig, shape (n_people,), bool."""
    if contig == "chrX":
        return ~pedigree.male
    return np.full(len(pedigree.male), contig in AUTOSOMES)


def _transmissions(pedigree: Pedigree, contig: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """List child, parent and the child's haplotype (0 the mother's) of every gamete."""
    child = np.flatnonzero(~pedigree.founder)
    nobody = child[:0]
    from_mother = nobody if contig == "chrY" else child
    from_father = {"chrY": child[pedigree.male[child]], "chrM": nobody}.get(contig, child)
    second = int(contig != "chrY")
    return (
        np.concatenate([from_mother, from_father]),
        np.concatenate([pedigree.mother[from_mother], pedigree.father[from_father]]),
        np.repeat([0, second], [len(from_mother), len(from_father)]),
    )


def _places_along(contig_map: msprime.RateMap, uniform: np.ndarray) -> np.ndarray:
    """Map uniform fractions of the genetic length to crossovers: one at x is just before base x."""
    mass = np.append(0, np.cumsum(np.nan_to_num(contig_map.mass)))
    position = np.interp(uniform * mass[-1], mass, contig_map.position).astype(np.int64)
    return np.clip(position, 1, int(contig_map.sequence_length) - 1)
