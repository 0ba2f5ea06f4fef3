"""Simulates a dataset's people: the same functions in the same order as the workflow's rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import msprime
import pandas as pd
import tskit

from rehearsal.dataset.plan import COMMAND, Plan
from rehearsal.demography.model import build_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.pedigree import plan_people
from rehearsal.genomes.planting import planted_carriers
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.reference import read_reference
from rehearsal.genomes.simulate import simulate_block, write_trees
from rehearsal.model import Block, InputError
from rehearsal.phenotypes.genetic import GeneticValues, genetic_values_of_block, join_blocks
from rehearsal.phenotypes.sequencing import sequencing_tables
from rehearsal.phenotypes.simulate_phenotypes import Phenotypes, phenotypes
from rehearsal.phenotypes.variant_counts import add_up, variant_counts
from rehearsal.seeds import derive_seed

Say = Callable[[str], None]  # takes the name of a stage that begins
TRUTH = ("effects", "genetic_values")  # of the phenotypes, what is on nobody's record
CLINICAL = tuple(one.name for one in fields(Phenotypes) if one.name not in TRUTH)
SEQUENCED = ("subjects", "biosamples", "runs", "analyses")


@dataclass(frozen=True)
class Cohort:
    """The people of a dataset, with the columns of docs/architecture.md.

    ``tables``: of ``CLINICAL`` and ``SEQUENCED``, by name. ``carriers``: of planted variants.
    """

    people: pd.DataFrame
    trees: dict[Block, Path]
    tables: dict[str, pd.DataFrame]
    carriers: pd.DataFrame
    effects: pd.DataFrame
    genetic_values: pd.DataFrame


@dataclass(frozen=True)
class _BlockResult:
    genetic: GeneticValues
    carriers: pd.DataFrame
    counts: pd.DataFrame | None  # of autosomes


def simulate(plan: Plan, folder: Path, say: Say) -> Cohort:
    """Simulate everybody. Tree sequences are written into ``folder``, one a block.

    Raises InputError for traits that no causal site can be found for.
    """
    seed = plan.order.seed
    demography = to_msprime(build_model(plan.countries, read_parameters(plan.parameters)))
    people, planted_plan = plan_people(
        plan.asked, plan.numbers, plan.family_share, plan.planted, derive_seed(seed, "people")
    )
    trees = {block: folder / f"{block.id}.trees" for block in plan.blocks}
    results = []
    for number, block in enumerate(plan.blocks, start=1):
        say(f"simulate {block.region} ({number} of {len(plan.blocks)})")
        ts = _simulate_block(plan, block, people, planted_plan, demography)
        write_trees(ts, trees[block])
        results.append(_of_block(plan, block, ts, people))
    say("phenotypes")
    carriers = pd.concat([result.carriers for result in results], ignore_index=True)
    found = _phenotypes(plan, people, results, carriers)
    tables = {name: getattr(found, name) for name in CLINICAL}
    tables |= _sequencing(plan, people, results)
    return Cohort(people, trees, tables, carriers, found.effects, found.genetic_values)


def _simulate_block(
    plan: Plan,
    block: Block,
    people: pd.DataFrame,
    planted_plan: pd.DataFrame,
    demography: msprime.Demography,
) -> tskit.TreeSequence:
    genome, fasta = plan.genome, plan.order.reference
    return simulate_block(
        block,
        people,
        planted_plan,
        plan.planted,
        demography,
        mutation_rate=genome["mutation_rate"],
        kappa=genome["kappa"],
        recombination=uniform_map(block.contig, genome["recombination_rate"]),
        recombination_bin=genome["recombination_bin"],
        seed=plan.order.seed,
        reference=None if fasta is None else read_reference(fasta, block),
    )


def _of_block(
    plan: Plan, block: Block, ts: tskit.TreeSequence, people: pd.DataFrame
) -> _BlockResult:
    planted = [one for one in plan.planted if block.holds_variant(one.variant)]
    return _BlockResult(
        genetic_values_of_block(ts, block, plan.traits, plan.blocks, plan.order.seed),
        planted_carriers(ts, people, planted),
        variant_counts(ts) if block.contig in AUTOSOMES else None,
    )


def _phenotypes(
    plan: Plan, people: pd.DataFrame, results: list[_BlockResult], carriers: pd.DataFrame
) -> Phenotypes:
    try:
        return phenotypes(
            people,
            join_blocks(result.genetic for result in results),
            carriers,
            plan.traits,
            plan.order.seed,
            plan.reference_year,
        )
    except InputError as error:  # who asks for a dataset cannot change the traits' file
        raise InputError(COMMAND, f"--trait ({error.key})", error.expected) from None


def _sequencing(
    plan: Plan, people: pd.DataFrame, results: list[_BlockResult]
) -> dict[str, pd.DataFrame]:
    if plan.traits.sequencing is None:
        source = plan.traits.source
        raise InputError(source, "sequencing", "expected how people were sequenced")
    counts = [result.counts for result in results if result.counts is not None]
    tables = sequencing_tables(
        people,
        add_up(counts, len(people)),
        plan.traits.sequencing,
        plan.order.seed,
        plan.reference_year,
    )
    return {name: getattr(tables, name) for name in SEQUENCED}
