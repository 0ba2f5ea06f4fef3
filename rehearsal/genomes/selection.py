"""Selection against variants that damage genes: some are lost, and what is left is rarer.

Mutations fall as if all were neutral. Afterwards sites are lost with a probability that depends on
the consequence, on the gene's constraint, and on the frequency. A neutral spectrum becomes that of
a deleterious class by a weight that falls as ``exp(-gamma * frequency)``, where gamma is 2 N s with
N = 10,000 (the leading factor of the stationary spectrum; Sawyer and Hartl 1992,
https://doi.org/10.1093/genetics/132.4.1161). How many are lost at all follows the gene's ratio of
observed to expected loss of function.

Where it is known how frequent the loss-of-function alleles of a gene are together, sites are lost
until those that are left have as many copies as a sample of this size would have. People who must
lack a gene's variants have none of its loss-of-function alleles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import tskit

from rehearsal.genomes.allele_names import states_by_name
from rehearsal.genomes.annotation import ReadBlock, annotate_block
from rehearsal.genomes.consequence_terms import LOSS_OF_FUNCTION
from rehearsal.genomes.transcripts import Transcript
from rehearsal.logs import tell_progress
from rehearsal.model import Block, PlantedVariant
from rehearsal.seeds import derive_seed

# Assumptions. A gene without a figure has about half of the loss of function that is expected.
# Missense variants are lost a third as often, and half of the rest are neutral.
USUAL_LOEUF = 0.5
MISSENSE_SHARE = 1 / 3
NEUTRAL_MISSENSE = 0.5
GAMMA_LOSS = 400.0  # of a gene that bears no loss of function: s = 0.02
GAMMA_MISSENSE = 40.0


def annotate_under_selection(
    ts: tskit.TreeSequence,
    block: Block,
    reference: ReadBlock,
    transcripts: Sequence[Transcript],
    planted: Iterable[PlantedVariant],
    lacking: Mapping[str, Collection[int]],
    seed: int,
) -> tuple[tskit.TreeSequence, pd.DataFrame]:
    """Find the consequences of a block's alleles, and drop sites that selection has removed.

    Args:
        ts: The block's tree sequence, with neutral and planted variants.
        block: The block.
        reference: Reader of the run's reference.
        transcripts: The gene model.
        planted: Planted variants of the run. They stay.
        lacking: By gene, individuals who must have none of its loss-of-function alleles but planted
            ones (``planting_plan.rows_that_lack``).
        seed: The run's root seed.

    Returns:
        The tree sequence without the sites that were lost, and the table of ``annotate_block`` of
        what is left.
    """
    tell_progress(f"consequences of the alleles at {ts.num_sites:,} sites")
    table = annotate_block(ts, reference, transcripts)
    own = {one.variant.start for one in planted if one.variant.contig == block.contig}
    harmful = table["consequence"].isin(LOSS_OF_FUNCTION) | (
        table["consequence"] == "missense_variant"
    )
    at_risk = table[harmful & ~table["position"].isin(own)]
    if at_risk.empty:
        return ts, table
    rng = np.random.default_rng(derive_seed(seed, "selection", block.id))
    sites_at_risk = list(_sites_at_risk(ts, at_risk, transcripts, lacking))
    lost = _lost(sites_at_risk, _most_copies(ts, block, transcripts, rng), rng)
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
    if consequence in LOSS_OF_FUNCTION:
        return borne * float(np.exp(-GAMMA_LOSS * (1 - borne / 2) * frequency))
    lost = MISSENSE_SHARE * (1 - borne)
    harmed = float(np.exp(-GAMMA_MISSENSE * (1 - borne / 2) * frequency))
    return (1 - lost) * (NEUTRAL_MISSENSE + (1 - NEUTRAL_MISSENSE) * harmed)


@dataclass(frozen=True, slots=True)
class _SiteAtRisk:
    """A site with an allele that harms a gene."""

    position: int
    stays: float  # chance to stay
    losses: Mapping[str, int]  # copies of loss-of-function alleles by gene
    refused: bool  # somebody has such an allele who must not


def _sites_at_risk(
    ts: tskit.TreeSequence,
    at_risk: pd.DataFrame,
    transcripts: Sequence[Transcript],
    lacking: Mapping[str, Collection[int]],
) -> Iterator[_SiteAtRisk]:
    """Read who has the harmful alleles. A site goes with its most harmful one."""
    loeuf = {t.name: t.loeuf for t in transcripts}
    spared = {
        gene: np.isin(ts.nodes_individual[ts.samples()], list(individuals))
        for gene, individuals in lacking.items()
    }
    variant = tskit.Variant(ts)
    for position, rows in at_risk.groupby("position"):
        variant.decode(int(np.searchsorted(ts.sites_position, position)))
        counts, states = variant.counts(), states_by_name(variant.alleles)
        stays, refused = 1.0, False
        losses: dict[str, int] = {}
        for row in rows.itertuples():
            state = states[row.ref, row.alt]
            frequency = counts[state] / ts.num_samples
            stays = min(stays, chance_to_stay(row.consequence, loeuf[row.transcript], frequency))
            if row.consequence in LOSS_OF_FUNCTION:
                losses[row.gene] = losses.get(row.gene, 0) + counts[state]
                if row.gene in spared:
                    has = variant.genotypes == variant.alleles.index(state)
                    refused |= bool((has & spared[row.gene]).any())
        yield _SiteAtRisk(int(position), stays, losses, refused)


def _most_copies(
    ts: tskit.TreeSequence,
    block: Block,
    transcripts: Sequence[Transcript],
    rng: np.random.Generator,
) -> dict[str, int]:
    """Draw how many copies of loss-of-function alleles each gene with a known frequency may have.

    A block has a share of a gene's copies as large as its share of the coding bases.
    """
    most = {}
    for one in transcripts:
        if one.contig == block.contig and one.lof_frequency is not None and one.coding:
            inside = sum(max(0, min(b, block.end) - max(a, block.start)) for a, b in one.coding)
            frequency = one.lof_frequency * inside / one.coding_length
            most[one.gene] = int(rng.binomial(ts.num_samples, frequency))
    return most


def _lost(
    sites: Sequence[_SiteAtRisk], most: Mapping[str, int], rng: np.random.Generator
) -> np.ndarray:
    """Draw the positions of sites that are lost.

    Those that would stay are kept in random order while their copies are allowed.
    """
    draws, left = rng.random(len(sites)), dict(most)
    lost = []
    for number in rng.permutation(len(sites)):
        site = sites[number]
        fits = all(copies <= left.get(gene, copies) for gene, copies in site.losses.items())
        if site.refused or draws[number] >= site.stays or not fits:
            lost.append(site.position)
            continue
        for gene in site.losses.keys() & left.keys():
            left[gene] -= site.losses[gene]
    return np.array(sorted(lost), np.int64)
