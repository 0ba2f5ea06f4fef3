"""Write a node's tumour variants: a variant store of their own beside the germline's.

A carrier in this store has the variant in a tumour. The number of copies is not recorded.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path

import numpy as np
import pandas as pd

from rehearsal.errors import InputError, shown
from rehearsal.genomes.annotation import ReadBlock, annotate_alleles
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import SEXES
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.variant_store_writer import StoreWriter

_KEY = ("contig", "start", "ref", "alt")


def build_tumours(
    variants: pd.DataFrame,
    individuals: pd.DataFrame,
    out: Path,
    effects: Iterable[tuple[str, pd.DataFrame]] = (),
) -> int:
    """Write ``tumours.sqlite``.

    Args:
        variants: One row per person and variant with the columns individual, contig, start
            (0-based), ref and alt.
        individuals: The node's people, in the order of its variant store.
        out: The file to write.
        effects: What :func:`tumour_effects` returned.

    Returns:
        The number of variants.

    Raises:
        InputError: A tumour belongs to someone who is not among the people.
    """
    number = pd.Index(individuals["id"]).get_indexer(variants["individual"])
    if (number < 0).any():
        stranger = variants["individual"].to_numpy()[number < 0][0]
        raise InputError(out, "individual", "people of this node", shown(stranger))
    sex = individuals["sex"].to_numpy(dtype=object)
    with StoreWriter(out, individuals, CONTIG_LENGTHS) as writer:
        rows = []
        for key, mine in variants.assign(number=number).groupby(list(_KEY), sort=False)["number"]:
            carriers = np.unique(mine.to_numpy()).astype(np.int32)
            contig, start, ref, alt = key
            counts = [_counts(int((sex[carriers] == one).sum())) for one in SEXES]
            lists = encode(carriers), encode(carriers[:0])
            rows.append(
                (
                    writer.number[contig],
                    int(start),
                    ref,
                    alt,
                    0,
                    0,
                    0,
                    *counts[0],
                    *counts[1],
                    *lists,
                )
            )
        for _, of_contig in groupby(sorted(rows), key=itemgetter(0)):
            writer.write(out, list(of_contig))
        for contig, table in effects:
            writer.write_effects(contig, table)
        return writer.rows


def tumour_effects(
    variants: pd.DataFrame, reference: ReadBlock, transcripts: Sequence[Transcript]
) -> list[tuple[str, pd.DataFrame]]:
    """Find the consequences of the alleles of tumours.

    Args:
        variants: As for :func:`build_tumours`, of any people.
        reference: Reader of the run's reference.
        transcripts: The gene model.

    Returns:
        Contigs, and the consequences of their alleles as ``annotate_alleles`` returns them.
    """
    alleles = sorted(set(variants[list(_KEY)].itertuples(index=False, name=None)))
    return [
        (contig, annotate_alleles(contig, [one[1:] for one in some], reference, transcripts))
        for contig, some in groupby(alleles, key=itemgetter(0))
    ]


def _counts(carriers: int) -> tuple[int, int, int, int, int]:
    """Return an, ac, hom, het and hemi, with one copy per carrier."""
    return 2 * carriers, carriers, 0, carriers, 0
