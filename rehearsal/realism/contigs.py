"""The simulated part of each contig, in bases, morgans and centimorgans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from rehearsal.genomes.recombination import contig_map
from rehearsal.model import Block


def genetic_lengths(blocks: Sequence[Block], maps: Mapping[str, str]) -> dict[str, float]:
    """Compute the genetic length of each block, on chrX that of a woman.

    Args:
        blocks: The blocks.
        maps: Files in HapMap format by contig. Nothing recombines on a contig without one.

    Returns:
        Morgans by block id.
    """
    lengths = {}
    for contig in dict.fromkeys(block.contig for block in blocks):
        recombination = contig_map(contig, maps.get(contig))
        for block in (block for block in blocks if block.contig == contig):
            ends = recombination.get_cumulative_mass([block.start, block.end])
            lengths[block.id] = float(ends[1] - ends[0])
    return lengths


def contig_table(blocks: Sequence[Block], morgans: Mapping[str, float]) -> pd.DataFrame:
    """Sum up the blocks of each contig.

    Args:
        blocks: The blocks.
        morgans: Genetic lengths by block id, as :func:`genetic_lengths` returns them.

    Returns:
        One row per contig in the order of the blocks: ``contig``, ``blocks``, ``megabases``,
        ``centimorgans``.
    """
    table = pd.DataFrame(
        {
            "contig": [block.contig for block in blocks],
            "megabases": [block.length / 1e6 for block in blocks],
            "centimorgans": [100 * morgans[block.id] for block in blocks],
        }
    )
    groups = table.groupby("contig", sort=False)
    sums = groups[["megabases", "centimorgans"]].sum().round(6)
    sums.insert(0, "blocks", groups.size())
    return sums.reset_index()
