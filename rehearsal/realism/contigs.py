"""How much of each contig was simulated, in bases, morgans and centimorgans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msprime
import pandas as pd

from rehearsal.genomes.recombination import NO_RECOMBINATION, read_hapmap, uniform_map
from rehearsal.model import Block


def genetic_lengths(
    blocks: Sequence[Block], map_template: str | None, rate: float
) -> dict[str, float]:
    """Morgans of each block by its id; a woman's on chrX.

    ``map_template``: path of HapMap files with ``{contig}`` in it; without it, and for contigs
    that do not recombine, the map is uniform, with ``rate`` a base and generation.
    """
    lengths = {}
    for contig in dict.fromkeys(block.contig for block in blocks):
        recombination = _recombination_map(contig, map_template, rate)
        for block in (block for block in blocks if block.contig == contig):
            ends = recombination.get_cumulative_mass([block.start, block.end])
            lengths[block.id] = float(ends[1] - ends[0])
    return lengths


def _recombination_map(contig: str, map_template: str | None, rate: float) -> msprime.RateMap:
    if map_template and contig not in NO_RECOMBINATION:
        return read_hapmap(map_template.replace("{contig}", contig), contig)
    return uniform_map(contig, rate)


def contig_table(blocks: Sequence[Block], morgans: Mapping[str, float]) -> pd.DataFrame:
    """contig, blocks, megabases, centimorgans: a row a contig, in the order of the blocks.

    ``morgans``: ``genetic_lengths``.
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
