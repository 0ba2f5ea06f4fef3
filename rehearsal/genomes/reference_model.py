"""Reference bases drawn from the run's seed: composition and tandem repeats like a human genome's.

A contig is drawn in tiles of 65,536 bases, each from its own state. So the same seed gives the same
base at a position, whatever the regions and blocks of a run. Within a tile, bases are a Markov
chain of the first order. Its table depends on the local GC content, which varies smoothly on four
scales. CpG islands have a table of their own, and tandem repeats interrupt the chain.

Interspersed repeats (Alu, L1) and segmental duplications are not modelled.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehearsal.model import Block
from rehearsal.seeds import derive_seed

# Pairs of bases in hg19 (rows and columns A, C, G, T), as counted in
# https://mikelove.wordpress.com/2011/12/02/2-mers/, read 2026-11-29.
PAIRS = np.array(
    [
        [279_490_734, 143_903_156, 199_880_889, 220_891_389],
        [207_352_244, 148_888_857, 28_162_976, 199_989_641],
        [169_602_085, 121_929_296, 148_965_391, 144_228_762],
        [187_721_077, 169_672_559, 207_716_132, 280_279_142],
    ],
    float,
)
ISLAND_GC, ISLAND_CPG = 0.66, 0.86
BULK_CPG = 0.88  # what islands and stretches rich in GC add to the CpG of the whole
FIRST_LEVEL, LEVEL_STEP, LAST_LEVEL = 0.30, 0.01, 40  # tables for a GC content of 30 % to 70 %

# GC content = LOWEST_GC + GC_SCALE * exp(GC_SPREAD * noise): skewed to the right.
LOWEST_GC, GC_SCALE, GC_SPREAD = 0.337, 0.067, 0.58
SPACINGS = np.array([1_500_000, 300_000, 50_000, 5_000], np.int64)
WEIGHTS = np.array([0.65, 0.65, 0.50, 0.35])

# A CpG island per 100 kb (the UCSC browser's table cpgIslandExt has 30,477 on hg38), more of them
# where GC is rich. Their mean length, GC and CpG are from memory of such tables.
ISLANDS_PER_BASE, ISLAND_LEAST, ISLAND_MEAN = 1 / 100_000, 200, 760

# Tandem repeats: unit, how many per Mb, least length and mean length in bases. The numbers of units
# of one and two bases bring tracts of six bases and more to those of GRCh38 in
# http://innovebioinfo.com/Annotation/Polytracts/trackHub/hg38/humanPolytracts.html (read
# 2026-11-29; https://doi.org/10.1371/journal.pcbi.1007968). Which longer units are frequent:
# Subramanian et al. 2003, https://doi.org/10.1186/gb-2003-4-2-r13. Their numbers and lengths are
# round figures, which fill about 0.4 % of the sequence.
REPEATS = (
    ("A", 620.0, 6, 8.5),
    ("A", 140.0, 12, 18.0),
    ("AC", 430.0, 6, 8.0),
    ("AC", 45.0, 12, 32.0),
    ("AT", 530.0, 6, 7.5),
    ("AT", 20.0, 12, 26.0),
    ("AG", 390.0, 6, 7.5),
    ("AG", 10.0, 12, 24.0),
    ("AAT", 12.0, 12, 24.0),
    ("AAC", 8.0, 12, 20.0),
    ("AAG", 4.0, 12, 22.0),
    ("AGC", 3.0, 12, 18.0),
    ("AAAT", 30.0, 14, 24.0),
    ("AAAG", 14.0, 14, 30.0),
    ("AAGG", 8.0, 14, 30.0),
    ("AAAC", 14.0, 14, 20.0),
    ("AGAT", 6.0, 14, 36.0),
    ("AAAAT", 8.0, 15, 25.0),
    ("AAAAC", 12.0, 15, 25.0),
    ("AAAAAC", 6.0, 18, 26.0),
    ("AAAAAT", 4.0, 18, 26.0),
)


def drawn_bases(block: Block, seed: int) -> NDArray[np.uint8]:
    """Draw the bases of a stretch of a contig.

    Args:
        block: The stretch, 0-based half-open.
        seed: The run's root seed.

    Returns:
        Bases as ASCII (A, C, G or T), shape (block.length,), uint8.
    """
    # imported here: the check of a configuration draws no bases
    from rehearsal.genomes.reference_model_kernel import TILE, draw_tiles

    first = block.start // TILE
    bases = np.empty((-(-block.end // TILE) - first) * TILE, np.uint8)
    own = np.uint64(derive_seed(seed, "reference", block.contig))
    gap = 1e6 / sum(share for _, share, _, _ in REPEATS)
    draw_tiles(
        bases, first, own, _transitions(), (SPACINGS, WEIGHTS), _composition(), _motifs(), gap
    )
    return bases[block.start - first * TILE : block.end - first * TILE]


def transition_table(gc: float, pairs: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute probabilities of the next base such that the GC content is as asked.

    Rows and columns of the frequencies of pairs are scaled in turn to the frequencies of the bases
    (iterative proportional fitting), which keeps all ratios of odds. Both strands get one table.

    Args:
        gc: Share of G and C.
        pairs: Frequency of each pair at another GC content, shape (4, 4).

    Returns:
        Probability of each base after each base, shape (4, 4), rows sum to 1.
    """
    share = np.array([1 - gc, gc, gc, 1 - gc]) / 2
    pairs = pairs + pairs[::-1, ::-1].T  # the other strand
    for _ in range(200):
        pairs *= (share / pairs.sum(axis=1))[:, None]
        pairs *= share / pairs.sum(axis=0)
    return pairs / pairs.sum(axis=1, keepdims=True)


@lru_cache(maxsize=1)
def _transitions() -> NDArray[np.int64]:
    pairs = PAIRS.copy()
    pairs[1, 2] *= BULK_CPG
    tables = [
        transition_table(FIRST_LEVEL + LEVEL_STEP * level, pairs) for level in range(LAST_LEVEL + 1)
    ]
    island = np.ones((4, 4))
    island[1, 2] = ISLAND_CPG
    tables.append(transition_table(ISLAND_GC, island))
    return (np.cumsum(tables, axis=2)[:, :, :3] * 2**32).astype(np.int64)


@lru_cache(maxsize=1)
def _composition() -> NDArray[np.float64]:
    # the kernel adds up (GC - lowest) over strides of 1,024 bases; its mean is about GC_SCALE * 1.2
    per_stride = ISLANDS_PER_BASE * 1024 / (GC_SCALE * 1.2)
    levels = (FIRST_LEVEL, LEVEL_STEP, LAST_LEVEL)
    islands = (per_stride, ISLAND_LEAST, ISLAND_MEAN - ISLAND_LEAST)
    return np.array([LOWEST_GC, GC_SCALE, GC_SPREAD, *levels, *islands], np.float64)


@lru_cache(maxsize=1)
def _motifs() -> tuple[NDArray, NDArray, NDArray, NDArray, NDArray]:
    units = np.zeros((len(REPEATS), 6), np.int64)
    for row, (unit, *_) in enumerate(REPEATS):
        units[row, : len(unit)] = ["ACGT".index(base) for base in unit]
    lengths = np.array([len(unit) for unit, *_ in REPEATS], np.int64)
    weights = np.cumsum([share for _, share, _, _ in REPEATS])
    least = np.array([least for _, _, least, _ in REPEATS], np.int64)
    extra = np.array([mean - least for _, _, least, mean in REPEATS])
    return units, lengths, weights, least, extra
