"""Simulating the people of a dataset, by the functions that the workflow's scripts call."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

import pandas as pd
import tskit

from rehearsal.dataset.plan import DatasetPlan, planned_people
from rehearsal.demography.model import build_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.damaged_genes import count_damaged_copies, find_damaged_haplotypes
from rehearsal.genomes.hotspots import Hotspots, hotspot_map
from rehearsal.genomes.people import PlannedCohort
from rehearsal.genomes.people_order import shuffled
from rehearsal.genomes.planted_carriers import find_planted_carriers
from rehearsal.genomes.planting_plan import rows_that_lack
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.genomes.selection import annotate_under_selection
from rehearsal.genomes.simulate import SimulationSettings, simulate_block, write_trees
from rehearsal.logs import Progress, note
from rehearsal.model import Block
from rehearsal.phenotypes.genetic_values import (
    GeneticValues,
    genetic_values_of_block,
    join_blocks,
)
from rehearsal.phenotypes.sample_metadata import simulate_sample_metadata
from rehearsal.phenotypes.simulate_phenotypes import Phenotypes, simulate_phenotypes
from rehearsal.phenotypes.trait_types import Disease, Measurement, Traits
from rehearsal.phenotypes.variant_counts import variant_counts

TRUTH = ("effects", "genetic_values", "untreated_values")  # tables that no node or export has
OneTrait = TypeVar("OneTrait", Measurement, Disease)
ReportStage = Callable[[str], None]  # takes the name of a stage that begins


@dataclass(frozen=True)
class SimulatedCohort:
    """The people of a dataset, in tables with the columns of docs/reference/files.md."""

    people: pd.DataFrame
    trees: dict[Block, Path]
    consequences: dict[Block, pd.DataFrame]  # of the blocks' alleles
    tables: dict[str, pd.DataFrame]  # clinical tables and those about sequencing, by name
    carriers: pd.DataFrame  # of planted variants
    effects: pd.DataFrame
    genetic_values: pd.DataFrame
    untreated_values: pd.DataFrame


@dataclass(frozen=True)
class _BlockResult:
    genetic: GeneticValues
    carriers: pd.DataFrame
    damaged: pd.DataFrame  # haplotypes with damaged genes
    counts: pd.DataFrame | None  # variants per person; None: not an autosome


def simulate_cohort(
    plan: DatasetPlan,
    folder: Path,
    report_stage: ReportStage,
    identity: ReferenceIdentity | None = None,
) -> SimulatedCohort:
    """Simulate the genomes and phenotypes of all people.

    Args:
        plan: The plan of the dataset.
        folder: The folder for tree sequences, one file per block.
        report_stage: Called with the name of each stage as it begins.
        identity: What the sequences of the reference are, for headers. None: not known.

    Returns:
        The people and everything about them.
    """
    seed = plan.order.seed
    demography = to_msprime(build_model(plan.countries, read_parameters(plan.parameters)))
    settings = SimulationSettings.of_genome(plan.genome, demography, seed)
    cohort = shuffled(planned_people(plan), seed)  # carriers may stand anywhere
    trees = {block: folder / f"{block.id}.trees" for block in plan.blocks}
    lacking = rows_that_lack(cohort.planted, cohort.people)
    results, consequences = [], {}
    progress = Progress(sum(block.length for block in plan.blocks), "bases")
    for number, block in enumerate(plan.blocks, start=1):
        report_stage(f"simulate {block.region} ({number} of {len(plan.blocks)})")
        ts = _simulate_block(plan, block, cohort, settings, identity)
        ts, consequences[block] = annotate_under_selection(
            ts, block, plan.bases, plan.transcripts, plan.planted, lacking, seed
        )
        write_trees(ts, trees[block])
        results.append(_summarise_block(plan, block, ts, cohort.people, consequences[block]))
        progress.step(block.length)
    report_stage("phenotypes")
    carriers = pd.concat([result.carriers for result in results], ignore_index=True)
    tables = _phenotypes(plan, cohort.people, results).tables()
    truth = {name: tables.pop(name) for name in TRUTH}
    counts = [result.counts for result in results if result.counts is not None]
    samples = simulate_sample_metadata(
        cohort.people, counts, plan.traits, seed, plan.reference_year
    )
    tables |= samples.tables()
    return SimulatedCohort(cohort.people, trees, consequences, tables, carriers, **truth)


def _simulate_block(
    plan: DatasetPlan,
    block: Block,
    cohort: PlannedCohort,
    settings: SimulationSettings,
    identity: ReferenceIdentity | None,
) -> tskit.TreeSequence:
    return simulate_block(
        block,
        cohort.people,
        cohort.planted,
        plan.planted,
        settings,
        hotspot_map(
            block.contig,
            plan.genome["recombination_rate"],
            Hotspots.of_genome(plan.genome),
            plan.order.seed,
        ),
        plan.bases(block),
        identity,
    )


def _summarise_block(
    plan: DatasetPlan,
    block: Block,
    ts: tskit.TreeSequence,
    people: pd.DataFrame,
    consequences: pd.DataFrame,
) -> _BlockResult:
    return _BlockResult(
        genetic_values_of_block(ts, block, plan.traits, plan.blocks, plan.order.seed),
        find_planted_carriers(ts, people, plan.planted),
        find_damaged_haplotypes(ts, people, plan.planted, consequences, plan.traits.genes),
        variant_counts(ts) if block.contig in AUTOSOMES else None,
    )


def _phenotypes(plan: DatasetPlan, people: pd.DataFrame, results: list[_BlockResult]) -> Phenotypes:
    genetic = join_blocks((result.genetic for result in results), plan.blocks)
    return simulate_phenotypes(
        people,
        genetic,
        count_damaged_copies(result.damaged for result in results),
        without_sites(plan.traits, genetic.values),
        plan.order.seed,
        plan.reference_year,
    )


def without_sites(traits: Traits, values: pd.DataFrame) -> Traits:
    """Let a trait come from the rest of the genome if nobody differs at causal sites of the blocks.

    A note names these traits.

    Args:
        traits: The traits of a dataset, which may have few or no autosomal bases.
        values: Sums over the causal sites, one row per person and one column per polygenic trait.

    Returns:
        The traits; none of those needs a site in the blocks.
    """
    alike = [name for name in values if values[name].std(ddof=0) == 0]
    if alike:
        names = "all polygenic traits" if len(alike) == values.shape[1] else ", ".join(alike)
        note(f"{names}: no causal site at which people differ; genetic values are of other regions")
    return replace(
        traits,
        measurements=tuple(_of_other_regions(one, alike) for one in traits.measurements),
        diseases=tuple(_of_other_regions(one, alike) for one in traits.diseases),
    )


def _of_other_regions(trait: OneTrait, alike: Collection[str]) -> OneTrait:
    if trait.name not in alike or trait.genetics is None:
        return trait
    return replace(trait, genetics=replace(trait.genetics, simulated_share=0.0))
