"""What differs from autosomes on X, Y and the mitochondrial genome: sizes, rates, fathers' gametes.

In the pseudo-autosomal regions (PAR1 and PAR2) X and Y are one pair of chromosomes. A man's first
haplotype there is that of his X, from his mother; the second is that of his Y. His daughters get
what lies on his X at the border of the region, his sons what lies on his Y.
"""

from __future__ import annotations

import msprime
import numpy as np

from rehearsal.errors import mismatch
from rehearsal.genomes.assembly import PSEUDO_AUTOSOMAL, is_autosomal, pseudo_autosomal
from rehearsal.model import Block

# Population sizes and recombination relative to an autosome's, with as many fathers as mothers:
# three X for four autosomes, two thirds of them in women, where they recombine. Y varies less than
# its number of copies (a quarter) explains. 0.07 gives 1.6 SNVs per kb in 334 men of Europe, as
# published: 5,996 in 3.7 Mb (Batini et al. 2015, doi:10.1038/ncomms8152).
_SIZE_FACTOR = {"chrX": 0.75, "chrY": 0.07, "chrM": 0.25}
_RECOMBINATION_FACTOR = {"chrX": 2 / 3, "chrY": 0.0, "chrM": 0.0}

# Mutations per base and generation relative to the run's rate, the mean of both sexes. Y is always
# in men: 8.71e-10 a year outside of palindromes (Helgason et al. 2015, Nat Genet 47:453),
# times 29 years, over 1.29e-8. chrM: 5.8e-8 a year between parents and children, a sixteenth of it
# in populations (Norfolk Island, doi:10.1038/s41598-022-10530-3), times 29 years, over 1.29e-8.
_MUTATION_FACTOR = {"chrY": 2.0, "chrM": 8.1}

# Morgans of a man's gamete. Every male meiosis has one crossover in PAR1, which half of the gametes
# get (Rouyer et al. 1986, Nature 319:291; doi:10.1038/319291a0). PAR2: 6.06 cM/Mb of 0.33 Mb
# (Flaquer et al. 2008, table 2, nature.com/articles/ejhg200863).
MALE_MORGANS = {"PAR1": 0.5, "PAR2": 0.02}


def size_factor(block: Block) -> float:
    """Compute the population sizes of a block relative to an autosome's.

    Args:
        block: A block on one side of the borders of the pseudo-autosomal regions.
    """
    if is_autosomal(block.contig, block.start):
        return 1.0
    return _SIZE_FACTOR[block.contig]


def mutation_factor(contig: str) -> float:
    """Return the mutation rate of a contig relative to the run's.

    Args:
        contig: A contig of GRCh38.
    """
    return _MUTATION_FACTOR.get(contig, 1.0)


def recombination_factor(block: Block, block_map: msprime.RateMap) -> float:
    """Compute the recombination of a population relative to the map of the block.

    In a pseudo-autosomal region the rate is the mean of both sexes. The places of men's crossovers
    are taken to be those of women's.

    Args:
        block: A block on one side of the borders of the pseudo-autosomal regions.
        block_map: The block's map; on chrX the women's.
    """
    region = pseudo_autosomal(block.contig, block.start)
    if region is None:
        return _RECOMBINATION_FACTOR.get(block.contig, 1.0)
    start, end = PSEUDO_AUTOSOMAL[block.contig][region]
    men = MALE_MORGANS[region] * block.length / (end - start)
    women = block_map.total_mass
    return (women + men) / (2 * women) if women else 1.0


def draw_fathers_crossovers(
    gametes: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw where fathers' gametes change between X and Y.

    There is at most one crossover in each pseudo-autosomal region, uniform within it. Beyond the
    region's outer end (unknown bases of the telomere) the gamete changes back, so everything
    outside of the regions is of one chromosome.

    Args:
        gametes: Number of gametes.
        rng: Source of random numbers.

    Returns:
        Gamete and 0-based position of each change, shape (n_changes,).
    """
    owners, positions = [], []
    for name, (first, end) in PSEUDO_AUTOSOMAL["chrX"].items():
        crossed = np.flatnonzero(rng.random(gametes) < MALE_MORGANS[name])
        place = rng.integers(first + 1, end, len(crossed))
        owners += [crossed, crossed]
        positions += [place, np.full(len(crossed), _outer_end(name))]
    return np.concatenate(owners), np.concatenate(positions)


def move_crossover(crossovers: np.ndarray, position: int) -> np.ndarray:
    """Change which haplotype a father transmits at a position of a pseudo-autosomal region.

    Whether the child is a son or a daughter stays. So one crossover between the position and the
    border with the rest of chrX is removed, or one is added in the middle between them.

    Args:
        crossovers: 0-based positions where the gamete changes, ascending, shape (n,).
        position: 0-based position.

    Returns:
        The new positions.

    Raises:
        ValueError: The position is outside of the pseudo-autosomal regions.
    """
    name = pseudo_autosomal("chrX", position)
    if name is None:
        raise ValueError(mismatch("position", "one in PAR1 or PAR2", str(position)))
    first, end = PSEUDO_AUTOSOMAL["chrX"][name]
    low, high = (position + 1, end) if name == "PAR1" else (first, position)
    between = crossovers[(crossovers >= low) & (crossovers <= high)]
    changed = [between[0] if len(between) else (low + high) // 2, _outer_end(name)]
    return np.setxor1d(crossovers, changed)


def _outer_end(name: str) -> int:
    return PSEUDO_AUTOSOMAL["chrX"][name][0 if name == "PAR1" else 1]
