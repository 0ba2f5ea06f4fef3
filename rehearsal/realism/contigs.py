"""How much of each contig was simulated, in bases and in centimorgans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from rehearsal.model import Block


def contig_table(blocks: Sequence[Block], morgans: Mapping[str, float]) -> pd.DataFrame:
    """contig, blocks, megabases, centimorgans: a row a contig, in the order of the blocks.

    ``morgans`` is the genetic length of each block by its id.
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
