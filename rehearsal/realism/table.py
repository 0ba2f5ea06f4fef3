"""The table of the realism of a cohort: every measure with a published or predicted value.

Each row says what a run needs to be judged. Smaller runs show their figures unjudged.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from rehearsal.realism.diversity_rows import diversity_rows, linkage_rows, size_rows
from rehearsal.realism.inheritance_rows import crossover_rows, kinship_rows, sex_chromosome_rows
from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import MeasuredPeople
from rehearsal.realism.published import ReferenceFigures
from rehearsal.realism.recent_kin_rows import doubleton_rows, segment_rows, spectrum_rows
from rehearsal.realism.rows import Row, row_table
from rehearsal.realism.structure_rows import component_rows, fst_rows
from rehearsal.realism.variant_class_rows import small_variant_rows, structural_rows


def realism_table(
    joined: BlockMeasures, panel: MeasuredPeople, known: ReferenceFigures
) -> pd.DataFrame:
    """Build one row per measure, with the columns of ``rows.Row``.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
        known: Published and predicted figures.
    """
    rows: list[Iterable[Row]] = [
        diversity_rows(joined, panel),
        size_rows(joined, panel),
        spectrum_rows(joined, panel),
        doubleton_rows(joined, panel, known),
        segment_rows(joined, panel, known),
        small_variant_rows(joined, panel),
        structural_rows(joined, panel),
        linkage_rows(joined, panel),
        fst_rows(joined, panel, known),
        component_rows(joined, panel, known),
        kinship_rows(joined, panel),
        sex_chromosome_rows(joined, panel),
        crossover_rows(joined, known),
    ]
    return row_table(row for part in rows for row in part)
