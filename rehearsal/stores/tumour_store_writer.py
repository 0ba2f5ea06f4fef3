"""A node's tumour variants: a variant store of their own beside the germline's.

Whoever carries a variant there has it in a tumour. Copies are not told apart.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import SEXES
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.variant_store_writer import StoreWriter


def build_tumours(variants: pd.DataFrame, individuals: pd.DataFrame, out: Path) -> int:
    """Write ``tumours.sqlite``; returns the number of variants.

    ``variants``: columns individual, contig, start (0-based), ref, alt. ``individuals``: the
    node's people, in the order of its variant store. Raises InputError for anybody else.
    """
    number = pd.Index(individuals["id"]).get_indexer(variants["individual"])
    if (number < 0).any():
        raise InputError(out, "individual", "tumours of the node's own people only")
    sex = individuals["sex"].to_numpy(dtype=object)
    with StoreWriter(out, individuals, CONTIG_LENGTHS) as writer:
        rows = []
        keys = ["contig", "start", "ref", "alt"]
        for key, mine in variants.assign(number=number).groupby(keys, sort=False)["number"]:
            carriers = np.unique(mine.to_numpy()).astype(np.int32)
            contig, start, ref, alt = key
            counts = [_counts(int((sex[carriers] == one).sum())) for one in SEXES]
            lists = encode(carriers), encode(carriers[:0])
            rows.append(
                (writer.number[contig], int(start), ref, alt, *counts[0], *counts[1], *lists)
            )
        for _, of_contig in groupby(sorted(rows), key=itemgetter(0)):
            writer.write(out, list(of_contig))
        return writer.rows


def _counts(carriers: int) -> tuple[int, int, int, int, int]:
    """an, ac, hom, het, hemi, one copy a carrier."""
    return 2 * carriers, carriers, 0, carriers, 0
