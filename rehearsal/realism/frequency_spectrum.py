"""The allele-frequency spectrum of the cohort and of each country."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rehearsal.realism.block_structure import BlockStructure, groups_of_people


def frequency_spectrum(blocks: Sequence[BlockStructure], people: pd.DataFrame) -> pd.DataFrame:
    """Compute the unfolded allele-frequency spectrum of the autosomes.

    Relatives are included, because they are in the data of the nodes.

    Args:
        blocks: The structure within each block.
        people: ``people.parquet``.

    Returns:
        Columns ``group`` (``all`` or a country's code), ``haplotypes`` (sample size), ``copies`` (1
        to haplotypes - 1) and ``alleles`` (number of alleles with so many copies). Numbers of
        copies without an allele have no row. The table's attribute ``variants`` is the number of
        derived alleles that vary in the cohort, also on blocks that are not autosomal.
    """
    totals = {
        group: np.zeros(2 * len(rows) + 1) for group, rows in groups_of_people(people).items()
    }
    for block in blocks:
        for group, counts in block.spectra.items():
            totals[group] += counts
    table = pd.concat([_tidy(*item) for item in totals.items()], ignore_index=True)
    table.attrs["variants"] = round(sum(block.variants for block in blocks))
    return table


def _tidy(group: str, counts: np.ndarray) -> pd.DataFrame:
    copies = np.arange(1, len(counts) - 1)
    kept = copies[counts[copies] > 0]
    return pd.DataFrame(
        {
            "group": group,
            "haplotypes": len(counts) - 1,
            "copies": kept,
            "alleles": np.rint(counts[kept]).astype(np.int64),
        }
    )


def spectrum_shares(spectrum: pd.DataFrame) -> pd.DataFrame:
    """Sum up the spectrum of each group.

    Args:
        spectrum: A table of :func:`frequency_spectrum`.

    Returns:
        ``haplotypes``, ``alleles`` that vary in the group, ``singletons`` and ``singleton_share``,
        indexed by group in the order of the table.
    """
    marked = spectrum.assign(singletons=spectrum["alleles"].where(spectrum["copies"] == 1, 0))
    sums = marked.groupby("group", sort=False).agg(
        haplotypes=("haplotypes", "first"),
        alleles=("alleles", "sum"),
        singletons=("singletons", "sum"),
    )
    return sums.assign(singleton_share=sums["singletons"] / sums["alleles"])
