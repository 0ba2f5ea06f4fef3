"""Simulate one block of the genome for the whole cohort: ancestry, families, mutations, planting.

Blocks are independent jobs: no background identity by descent crosses a border. Relatives do
share across the blocks of a contig, since gametes are drawn once per contig.
"""

from __future__ import annotations

import copy
import ctypes
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msprime
import numpy as np
import pandas as pd
import tskit

from rehearsal.compiled_code import kernel
from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.genomes.ancestry import Ancestry, simulate_ancestry
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.blocks import CONFIG, planted_in
from rehearsal.genomes.crossover_points import Points, draw_points, spread_crossovers
from rehearsal.genomes.gene_drop import Gametes, draw_gametes, force_transmissions
from rehearsal.genomes.heteroplasmy import add_heteroplasmy
from rehearsal.genomes.mutation_rates import mutation_rates
from rehearsal.genomes.mutations import add_mutations
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.planted_variants import check_places
from rehearsal.genomes.planting import plant
from rehearsal.genomes.reference import check_reference
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.genomes.sex_chromosomes import (
    mutation_factor,
    recombination_factor,
    size_factor,
)
from rehearsal.genomes.shared_haplotypes import Genealogy, share_haplotypes
from rehearsal.genomes.tree_metadata import TREES_SCHEMA, set_people, trees_metadata
from rehearsal.genomes.variant_classes import VariantClasses
from rehearsal.logs import tell_progress
from rehearsal.model import Block, PlantedVariant
from rehearsal.seeds import derive_seed

Edges = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # left, right, parent, child
NO_UUID = b"00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class SimulationSettings:
    """Settings that are the same for all blocks of a run."""

    demography: msprime.Demography  # one population per country code; times in generations
    mutation_rate: float  # per base and generation
    kappa: float  # transition/transversion rate ratio of HKY with equal base frequencies
    seed: int  # the run's ROOT seed
    heteroplasmy: float = 0.0  # share of the founders with a mixture of two alleles on chrM
    # how often other classes of variants arise
    classes: VariantClasses = field(default_factory=VariantClasses)
    # When the one founder of a planted variant's named carriers lived, in generations ago. None:
    # each of them has it on a haplotype of their own.
    planted_age: float | None = None

    @classmethod
    def of_genome(
        cls, genome: Mapping[str, Any], demography: msprime.Demography, seed: int
    ) -> SimulationSettings:
        """Read the settings from the section ``genome`` of the configuration.

        Args:
            genome: The section.
            demography: The demographic model, one population per country code.
            seed: The run's root seed.

        Returns:
            The settings.
        """
        return cls(
            demography,
            mutation_rate=genome["mutation_rate"],
            kappa=genome["kappa"],
            seed=seed,
            heteroplasmy=genome["heteroplasmy"],
            classes=VariantClasses.of(genome["variant_classes"]),
            planted_age=genome.get("planted_age"),  # set by ``rehearsal dataset``
        )


def simulate_block(
    block: Block,
    people: pd.DataFrame,
    planted_plan: pd.DataFrame,
    planted: Sequence[PlantedVariant],
    settings: SimulationSettings,
    recombination: msprime.RateMap,
    reference: str,
    identity: ReferenceIdentity | None = None,
) -> tskit.TreeSequence:
    """Simulate the block's genomes of all people.

    What must agree between the blocks of a contig is derived from the root seed and the contig, the
    rest from the seed and the block.

    Args:
        block: The block, 0-based half-open. All blocks of a run get the same arguments except this
            one and what belongs to it.
        people: The people table of ``people.plan_people``.
        planted_plan: The plan of ``people.plan_people``.
        planted: Planted variants of the whole run.
        settings: Settings of the run.
        recombination: Map of the WHOLE contig (Morgans per base; on chrX the women's).
        reference: The block's bases. Every REF is its base, and unknown bases (N) have no variants.
        identity: What the sequences of the reference are, for the metadata. None: not known.

    Returns:
        A tree sequence in GRCh38 coordinates. Its length is the contig's, and it is empty outside
        the block. Individual i is row i of ``people``, whose id, country and sex are its metadata.
        Sample nodes are in order of people, the mother's haplotype first. Positions are integers.
        Every site has at least two alleles among the samples. There is no provenance.

    Raises:
        InputError: The demography lacks a country, the map does not cover the block, or planted
            variants overlap or contradict the reference.
    """
    # Gametes are those of the whole contig, so variants planted in other blocks matter too.
    transmissions = _plan_of(block.contig, planted, planted_plan)
    planted = planted_in(block, planted)
    check_places(planted)
    _check_populations(people, settings.demography)
    check_reference(block, planted, reference)
    pedigree = Pedigree.of(people)
    points = draw_points(block, recombination, settings.seed)
    gametes = force_transmissions(
        draw_gametes(pedigree, block.contig, recombination, settings.seed), people, transmissions
    )
    tables = _assemble(
        *(block, people, pedigree, gametes),
        *_with_shared_haplotypes(
            block,
            (people, planted, planted_plan),
            points,
            settings,
            _simulate_founders(block, people, pedigree, points, settings),
        ),
        settings.demography,
    )
    _give_back_memory()
    rng = np.random.default_rng(derive_seed(settings.seed, "mutations", block.id))
    rate = settings.mutation_rate * mutation_factor(block.contig)
    rates = mutation_rates(block, reference, planted, rate, settings.kappa, settings.classes, rng)
    trees = tables.tree_sequence() if planted else None  # without sites
    add_mutations(tables, block, rates, rng)
    if trees is not None:
        plant(tables, trees, people, planted, planted_plan, pedigree.depth, settings.seed)
    del trees, rates  # frees memory for the next step
    ts = _finished(tables, block, identity or ReferenceIdentity())
    return add_heteroplasmy(ts, people, settings.heteroplasmy, settings.seed, planted)


def write_trees(ts: tskit.TreeSequence, path: Path | str) -> None:
    """Write a tree sequence, whole or not at all, with bytes that depend on its content only.

    The random identifier that tskit gives every file is overwritten by zeros.

    Args:
        ts: The tree sequence.
        path: The file.
    """
    with atomic_path(path) as aside:
        ts.dump(aside)
        uuid = tskit.load(aside, skip_tables=True).file_uuid.encode()
        with aside.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as content:
            place = content.rfind(uuid)
            content[place : place + len(uuid)] = NO_UUID


def _give_back_memory() -> None:
    """Return freed memory to the system: glibc keeps the small pieces that a simulation leaves."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _check_populations(people: pd.DataFrame, demography: msprime.Demography) -> None:
    names = {population.name for population in demography.populations}
    for name in people["population"].unique():
        if name not in names:
            raise InputError("demography", name, "a deme with this population's name", "none")


def _plan_of(contig: str, planted: Sequence[PlantedVariant], plan: pd.DataFrame) -> pd.DataFrame:
    """Select the plan's rows of the contig's variants, with the variant's position as ``start``."""
    position = {str(v.variant): v.variant.start for v in planted if v.variant.contig == contig}
    start = plan["variant"].map(position)
    return plan.assign(start=start)[start.notna()].astype({"start": "int64"})


def _simulate_founders(
    block: Block,
    people: pd.DataFrame,
    pedigree: Pedigree,
    points: Points,
    settings: SimulationSettings,
) -> tuple[Ancestry, Edges, np.ndarray]:
    """Simulate the founders' ancestry over ``[0, block.length)``.

    Also returns the edges with their crossovers at any base, and the row of ``people`` of each
    sample. Samples are in order of people.
    """
    copies = pedigree.copies(block.contig, block.start)
    row = np.repeat(np.arange(len(people)), np.where(pedigree.founder, copies, 0))
    if not len(row):
        expected = "contigs that people in the cohort have"
        raise InputError(CONFIG, "genome.regions", expected, block.contig)
    block_map = points.concentrated()
    recombination = msprime.RateMap(
        position=block_map.position,
        rate=block_map.rate * recombination_factor(block, block_map),
    )
    demography = scale_sizes(settings.demography, size_factor(block))
    tell_progress(f"ancestry of {len(row):,} genomes")  # the longest step of a large block
    ancestry = simulate_ancestry(
        _populations(people, demography)[row],
        pedigree.depth,
        demography,
        recombination,
        derive_seed(settings.seed, "ancestry", block.id),
    )
    tell_progress(f"families and mutations, on {len(ancestry.left):,} edges")
    edges = spread_crossovers(ancestry, points, derive_seed(settings.seed, "crossovers", block.id))
    return ancestry, edges, row


def _with_shared_haplotypes(
    block: Block,
    asked: tuple[pd.DataFrame, Sequence[PlantedVariant], pd.DataFrame],
    points: Points,
    settings: SimulationSettings,
    founders: tuple[Ancestry, Edges, np.ndarray],
) -> tuple[Ancestry, Edges, np.ndarray]:
    """Let the carriers in the plan descend from one haplotype per variant, if settings say so."""
    people, planted, plan = asked
    ancestry, edges, row = founders
    if settings.planted_age is None or not planted:
        return founders
    first = pd.Series(np.arange(len(row)), index=people["id"].to_numpy()[row])
    first = first[~first.index.duplicated()]
    carrying = plan[plan["kind"] == "carries"]
    carriers = []
    for one in planted:
        mine = carrying[carrying["variant"] == str(one.variant)]
        nodes = first[mine["person"]].to_numpy() + mine["haplotype"].to_numpy()
        carriers.append((one.variant.start - block.start, nodes.tolist()))
    shared = share_haplotypes(
        Genealogy(ancestry.time, ancestry.population, edges, len(row)),
        carriers,
        settings.planted_age,
        points.recombination,
        np.random.default_rng(derive_seed(settings.seed, "shared haplotypes", block.id)),
    )
    ancestry = replace(ancestry, time=shared.time, population=shared.population)
    return ancestry, shared.edges, row


def _populations(people: pd.DataFrame, demography: msprime.Demography) -> np.ndarray:
    """Return the number of each person's population in the model, int32."""
    number = {population.name: population.id for population in demography.populations}
    return people["population"].map(number).to_numpy(np.int32)


def scale_sizes(demography: msprime.Demography, factor: float) -> msprime.Demography:
    """Multiply all population sizes of a model.

    Args:
        demography: The model. It is not changed.
        factor: Factor of all sizes, initial and at later events.

    Returns:
        A new model.
    """
    scaled = copy.deepcopy(demography)
    for population in scaled.populations:
        population.initial_size *= factor
    for event in scaled.events:
        if isinstance(event, msprime.PopulationParametersChange) and event.initial_size is not None:
            event.initial_size *= factor
    return scaled


def _assemble(
    block: Block,
    people: pd.DataFrame,
    pedigree: Pedigree,
    gametes: Gametes,
    founders: Ancestry,
    founders_edges: Edges,
    founder_row: np.ndarray,
    demography: msprime.Demography,
) -> tskit.TableCollection:
    """Join founders' ancestry and families in one set of tables, samples in order of people."""
    tables = tskit.TableCollection(CONTIG_LENGTHS[block.contig])
    tables.time_units = "generations"
    demography.insert_populations(tables)
    _set_individuals(tables, pedigree)
    set_people(tables, people)
    copies = pedigree.copies(block.contig, block.start)
    person = np.repeat(np.arange(len(people)), copies)
    samples, sampled = len(person), len(founder_row)

    # Renumber the founders' nodes: samples in order of people, the other nodes after all samples.
    second = np.append(False, founder_row[1:] == founder_row[:-1])
    first = pedigree.first_node(block.contig, block.start)
    older = len(founders.time) - sampled
    renumbered = np.concatenate([first[founder_row] + second, samples + np.arange(older)]).astype(
        np.int32
    )

    tables.nodes.set_columns(
        flags=np.repeat(np.array([tskit.NODE_IS_SAMPLE, 0], np.uint32), [samples, older]),
        time=np.concatenate(
            [(pedigree.depth - pedigree.generation[person]).astype(float), founders.time[sampled:]]
        ),
        population=np.concatenate(
            [_populations(people, demography)[person], founders.population[sampled:]]
        ),
        individual=np.concatenate([person.astype(np.int32), np.full(older, -1, np.int32)]),
    )
    left, right, parent, child = gametes.edges(block, pedigree)
    from_left, from_right, from_parent, from_child = founders_edges
    tables.edges.set_columns(
        left=np.concatenate([left, from_left + block.start]),
        right=np.concatenate([right, from_right + block.start]),
        parent=np.concatenate([parent.astype(np.int32), renumbered[from_parent]]),
        child=np.concatenate([child.astype(np.int32), renumbered[from_child]]),
    )
    tables.sort()
    index_edges(tables)
    return tables


def index_edges(tables: tskit.TableCollection) -> None:
    """Build the index that ``tables.build_index`` makes, for sorted edges with integer ends.

    Edges are sorted by their parent's time, parent, child and left end. The index orders them by
    left end and, the last ones first, by right end. Counting does this in a moment, where comparing
    takes a dozen seconds at a million people.

    Args:
        tables: Tables with sorted edges. Changed in place.
    """
    edges = tables.edges
    tables.indexes = tskit.TableCollectionIndexes(
        _order(edges.left.astype(np.int64), False), _order(edges.right.astype(np.int64), True)
    )


@kernel()
def _order(ends: np.ndarray, backwards: bool) -> np.ndarray:
    """Order rows by their ends. Equal ones stay in order, or in reverse order if ``backwards``."""
    lowest = ends.min() if ends.size else 0
    place = np.zeros((ends.max() - lowest if ends.size else 0) + 2, np.int64)
    for end in ends:
        place[end - lowest + 1] += 1
    place = np.cumsum(place)
    order = np.empty(ends.size, np.int32)
    for k in range(ends.size):
        row = ends.size - 1 - k if backwards else k
        order[place[ends[row] - lowest]] = row
        place[ends[row] - lowest] += 1
    return order


def _set_individuals(tables: tskit.TableCollection, pedigree: Pedigree) -> None:
    """Set one row per person, with father and mother as parents."""
    known = ~pedigree.founder
    parents = np.column_stack([pedigree.father[known], pedigree.mother[known]])
    tables.individuals.set_columns(
        flags=np.zeros(len(known), dtype=np.uint32),
        parents=parents.ravel().astype(np.int32),
        parents_offset=np.append(0, np.cumsum(2 * known)).astype(np.uint64),
    )


def _finished(
    tables: tskit.TableCollection, block: Block, identity: ReferenceIdentity
) -> tskit.TreeSequence:
    index = tables.indexes  # still valid, as edges do not change, but sorting drops it
    tables.sort(edge_start=len(tables.edges))
    tables.indexes = index
    tables.metadata_schema = TREES_SCHEMA
    own = {"start": block.start, "end": block.end}
    tables.metadata = trees_metadata(identity, block.contig) | own
    return tables.tree_sequence()
