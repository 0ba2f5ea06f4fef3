"""Selection against variants that damage genes: some are lost, and what is left is rarer.

Mutations fall as if all were neutral. Afterwards sites are lost with a probability that depends on
the consequence, on the gene's constraint, and on the frequency. A neutral spectrum becomes that of
a deleterious class by a weight that falls as ``exp(-gamma * frequency)``, where gamma is 2 N s with
N = 10,000 (the leading factor of the stationary spectrum; Sawyer and Hartl 1992,
https://doi.org/10.1093/genetics/132.4.1161). How many are lost at all follows the gene's ratio of
observed to expected loss of function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import tskit

from rehearsal.genomes.annotation import ReadBlock, annotate_block
from rehearsal.genomes.consequence_terms import LOSS_OF_FUNCTION
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block, PlantedVariant
from rehearsal.seeds import derive_seed

# Assumptions. A gene without a figure has about half of the loss of function that is expected.
# Missense variants are lost a third as often, and half of the rest are neutral.
USUAL_LOEUF = 0.5
MISSENSE_SHARE = 1 / 3
NEUTRAL_MISSENSE = 0.5
GAMMA_LOSS = 400.0  # of a gene that bears no loss of function: s = 0.02
GAMMA_MISSENSE = 40.0

_LOSS = LOSS_OF_FUNCTION | {"feature_truncation"}


def annotate_under_selection(
    ts: tskit.TreeSequence,
    block: Block,
    reference: ReadBlock,
    transcripts: Sequence[Transcript],
    planted: Iterable[PlantedVariant],
    seed: int,
) -> tuple[tskit.TreeSequence, pd.DataFrame]:
    """Find the consequences of a block's alleles, and drop sites that selection has removed.

    Args:
        ts: The block's tree sequence, with neutral and planted variants.
        block: The block.
        reference: Reader of the run's reference.
        transcripts: The gene model.
        planted: Planted variants of the run. They stay.
        seed: The run's root seed.

    Returns:
        The tree sequence without the sites that were lost, and the table of ``annotate_block`` of
        what is left.
    """
    table = annotate_block(ts, reference, transcripts)
    own = {one.variant.start for one in planted if one.variant.contig == block.contig}
    harmful = table["consequence"].isin(_LOSS) | (table["consequence"] == "missense_variant")
    at_risk = table[harmful & ~table["position"].isin(own)]
    if at_risk.empty:
        return ts, table
    rng = np.random.default_rng(derive_seed(seed, "selection", block.id))
    lost = _lost(ts, at_risk, {t.name: t.loeuf for t in transcripts}, rng)
    sites = np.searchsorted(ts.sites_position, lost)
    ts = ts.delete_sites(sites, record_provenance=False)
    return ts, table[~table["position"].isin(lost)].reset_index(drop=True)


def chance_to_stay(consequence: str, loeuf: float | None, frequency: float) -> float:
    """Compute the chance that an allele which drift alone would have kept is still there.

    Args:
        consequence: Its most severe consequence.
        loeuf: The gene's upper bound of observed to expected loss of function.
        frequency: Frequency of the allele.

    Returns:
        A probability.
    """
    borne = min(1.0, USUAL_LOEUF if loeuf is None else loeuf)
    if consequence in _LOSS:
        return borne * float(np.exp(-GAMMA_LOSS * (1 - borne / 2) * frequency))
    lost = MISSENSE_SHARE * (1 - borne)
    harmed = float(np.exp(-GAMMA_MISSENSE * (1 - borne / 2) * frequency))
    return (1 - lost) * (NEUTRAL_MISSENSE + (1 - NEUTRAL_MISSENSE) * harmed)


def _lost(
    ts: tskit.TreeSequence,
    at_risk: pd.DataFrame,
    loeuf: Mapping[str, float | None],
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the positions of sites that are lost. A site goes with its most harmful allele."""
    lost = []
    variant = tskit.Variant(ts)
    for position, rows in at_risk.groupby("position"):
        variant.decode(int(np.searchsorted(ts.sites_position, position)))
        counts = variant.counts()
        stay = min(
            chance_to_stay(row.consequence, loeuf[row.transcript], counts[row.alt] / ts.num_samples)
            for row in rows.itertuples()
        )
        if rng.random() >= stay:
            lost.append(position)
    return np.array(lost, np.int64)
