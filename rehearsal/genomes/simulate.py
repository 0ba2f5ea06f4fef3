"""Simulates one block of the genome for the whole cohort: ancestry, families, mutations, planting.

Blocks are independent jobs: no background identity by descent crosses a border. Relatives do
share across the blocks of a contig, since gametes are drawn once per contig.
"""

from __future__ import annotations

import copy
import ctypes
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msprime
import numba
import numpy as np
import pandas as pd
import tskit

from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.genomes.blocks import CONFIG, planted_in
from rehearsal.genomes.gene_drop import Gametes, draw_gametes, force_transmissions
from rehearsal.genomes.monomorphic_sites import find_monomorphic_sites
from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.planting import check_places, plant, sites_in_places
from rehearsal.genomes.recombination import binned_map
from rehearsal.genomes.reference import base_codes, check_reference, set_ancestral_bases
from rehearsal.model import Block, PlantedVariant
from rehearsal.seeds import derive_seed

# Population sizes and recombination relative to an autosome's, with as many fathers as mothers:
# three X for four autosomes, two thirds of them in women, where they recombine.
SIZE_FACTOR = {"chrX": 0.75, "chrY": 0.25, "chrM": 0.25}
RECOMBINATION_FACTOR = {"chrX": 2 / 3, "chrY": 0.0, "chrM": 0.0}

NO_UUID = b"00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class SimulationSettings:
    """What all blocks of a run are simulated with."""

    demography: msprime.Demography  # a population named by each country's code, in generations
    mutation_rate: float  # per base and generation
    kappa: float  # transition/transversion rate ratio of HKY with equal base frequencies
    seed: int  # the run's ROOT seed
    recombination_bin: int = 1_000  # bases, one place of recombination in each

    @classmethod
    def of_genome(
        cls, genome: Mapping[str, Any], demography: msprime.Demography, seed: int
    ) -> SimulationSettings:
        """From the section ``genome`` of the configuration."""
        return cls(
            demography,
            mutation_rate=genome["mutation_rate"],
            kappa=genome["kappa"],
            seed=seed,
            recombination_bin=genome["recombination_bin"],
        )


def simulate_block(
    block: Block,
    people: pd.DataFrame,
    planted_plan: pd.DataFrame,
    planted: Sequence[PlantedVariant],
    settings: SimulationSettings,
    recombination: msprime.RateMap,
    reference: str | None = None,
) -> tskit.TreeSequence:
    """The block's genomes of all people, in GRCh38 coordinates.

    All blocks of a run are given the same arguments but for ``block`` and what belongs to it.
    ``people`` and ``planted_plan`` come from ``pedigree.plan_people``. ``recombination`` is the
    map of the WHOLE contig (Morgans per base; on chrX the women's), unbinned; families cross over
    along it and the block is simulated with ``binned_map`` of it. What must agree between the
    blocks of a contig is derived from the root seed and the contig, the rest from the seed and
    the block. With ``reference`` (the block's bases) every REF is the real base, and unknown
    bases (N) have no variants.

    The result: sequence length = contig length, empty outside the block; individual i is row i
    of ``people``; sample nodes in order of people, the mother's haplotype first; integer
    positions; at least two alleles among the samples at every site; no provenance.

    Raises InputError for a country that the demography lacks, a map that does not cover the
    block, and planted variants that overlap or contradict the reference.
    """
    # Gametes are those of the whole contig: variants in other blocks have their say too.
    transmissions = _plan_of(block.contig, planted, planted_plan)
    planted = planted_in(block, planted)
    check_places(planted)
    _check_countries(people, settings.demography)
    if reference is not None:
        check_reference(block, planted, reference)
    pedigree = Pedigree.of(people)
    block_map = binned_map(block, recombination, settings.recombination_bin)
    gametes = force_transmissions(
        draw_gametes(
            pedigree, block.contig, recombination, settings.seed, settings.recombination_bin
        ),
        people,
        transmissions,
    )
    ts = msprime.sim_mutations(
        _TablesOnly.of(
            _assemble(
                *(block, people, pedigree, gametes),
                *_simulate_founders(block, people, pedigree, block_map, settings),
            )
        ),
        rate=settings.mutation_rate,
        model=msprime.HKY(settings.kappa),
        random_seed=derive_seed(settings.seed, "mutations", block.id),
        record_provenance=False,
    )
    tables = _kept_sites(ts, block, planted, reference)
    plant(tables, ts, people, planted, planted_plan, pedigree.depth, settings.seed)
    del ts  # its memory is wanted for the next
    return _finished(tables, block)


def write_trees(ts: tskit.TreeSequence, path: Path | str) -> None:
    """Writes a tree sequence, whole or not at all, with bytes that depend on its content only.

    The random identifier that tskit gives every file is overwritten by zeros.
    """
    with atomic_path(path) as aside:
        ts.dump(aside)
        uuid = tskit.load(aside, skip_tables=True).file_uuid.encode()
        with aside.open("r+b") as stream, mmap.mmap(stream.fileno(), 0) as content:
            place = content.rfind(uuid)
            content[place : place + len(uuid)] = NO_UUID


@dataclass
class _TablesOnly:
    """What msprime asks of a tree sequence that it puts mutations on, without the sequence itself.

    It takes the tables once and copies them twice; they are let go as soon as it has: at a million
    people each copy is a gigabyte.
    """

    handed_over: list[tskit.TableCollection]
    sequence_length: float

    @classmethod
    def of(cls, tables: tskit.TableCollection) -> _TablesOnly:
        _give_back_memory()
        return cls([tables], tables.sequence_length)

    @property
    def tables(self) -> tskit.TableCollection:
        return self.handed_over.pop()


def _give_back_memory() -> None:
    """Let the system have what was freed: glibc keeps the small pieces that a simulation leaves."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def _check_countries(people: pd.DataFrame, demography: msprime.Demography) -> None:
    names = {population.name for population in demography.populations}
    for code in people["country"].unique():
        if code not in names:
            raise InputError("demography", code, "expected a deme named by this country's code")


def _plan_of(contig: str, planted: Sequence[PlantedVariant], plan: pd.DataFrame) -> pd.DataFrame:
    """The plan's rows of the contig's variants, with the variant's position as ``start``."""
    position = {str(v.variant): v.variant.start for v in planted if v.variant.contig == contig}
    start = plan["variant"].map(position)
    return plan.assign(start=start)[start.notna()].astype({"start": "int64"})


def _simulate_founders(
    block: Block,
    people: pd.DataFrame,
    pedigree: Pedigree,
    block_map: msprime.RateMap,
    settings: SimulationSettings,
) -> tuple[tskit.TreeSequence, np.ndarray]:
    """The founders' ancestry over ``[0, block.length)`` and the row of people of each individual.

    Founders are sampled country by country, women before men where their ploidy differs.
    """
    copies = pedigree.copies(block.contig)
    country = people["country"].to_numpy()
    sample_sets, rows = [], []
    for code in people["country"].unique():
        for ploidy in (2, 1):
            row = np.flatnonzero((country == code) & pedigree.founder & (copies == ploidy))
            if len(row):
                sample_sets.append(
                    msprime.SampleSet(len(row), population=code, time=pedigree.depth, ploidy=ploidy)
                )
                rows.append(row)
    if not sample_sets:
        raise InputError(CONFIG, "genome.regions", f"nobody in the cohort has {block.contig}")
    recombination = msprime.RateMap(
        position=block_map.position,
        rate=block_map.rate * RECOMBINATION_FACTOR.get(block.contig, 1.0),
    )
    ts = msprime.sim_ancestry(
        sample_sets,
        demography=scale_sizes(settings.demography, SIZE_FACTOR.get(block.contig, 1.0)),
        sequence_length=block.length,
        recombination_rate=recombination,
        ploidy=2,  # the time scale; the sample sets have ploidies of their own
        random_seed=derive_seed(settings.seed, "ancestry", block.id),
        record_provenance=False,
    )
    # msprime does not say how far it is: this is the longest step of a large block
    print(
        f"{block.region}: ancestry, {ts.num_trees} trees; next: mutations and planting", flush=True
    )
    return ts, np.concatenate(rows)


def scale_sizes(demography: msprime.Demography, factor: float) -> msprime.Demography:
    """The same model with all population sizes multiplied."""
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
    founders: tskit.TreeSequence,
    row_of_individual: np.ndarray,
) -> tskit.TableCollection:
    """Founders' ancestry and families in one tree sequence's tables, samples in order of people."""
    source = founders.tables
    tables = tskit.TableCollection(CONTIG_LENGTHS[block.contig])
    tables.time_units = source.time_units
    tables.populations.replace_with(source.populations)
    _set_individuals(tables, pedigree)
    copies = pedigree.copies(block.contig)
    person = np.repeat(np.arange(len(people)), copies)
    samples = len(person)

    # New number of each of msprime's nodes: samples by their person, the others after all samples.
    sampled = founders.num_samples
    row = row_of_individual[source.nodes.individual[:sampled]]
    second = np.append(False, row[1:] == row[:-1])
    first = pedigree.first_node(block.contig)
    renumbered = np.concatenate(
        [first[row] + second, samples + np.arange(founders.num_nodes - sampled)]
    ).astype(np.int32)

    code = people["country"].map({p.metadata["name"]: p.id for p in founders.populations()})
    older = slice(sampled, None)
    tables.nodes.set_columns(
        flags=np.concatenate(
            [np.full(samples, tskit.NODE_IS_SAMPLE, np.uint32), source.nodes.flags[older]]
        ),
        time=np.concatenate(
            [(pedigree.depth - pedigree.generation[person]).astype(float), source.nodes.time[older]]
        ),
        population=np.concatenate(
            [code.to_numpy(np.int32)[person], source.nodes.population[older]]
        ),
        individual=np.concatenate(
            [person.astype(np.int32), np.full(founders.num_nodes - sampled, -1, np.int32)]
        ),
    )
    left, right, parent, child = gametes.edges(block)
    edges = source.edges
    tables.edges.set_columns(
        left=np.concatenate([left, edges.left + block.start]),
        right=np.concatenate([right, edges.right + block.start]),
        parent=np.concatenate([parent.astype(np.int32), renumbered[edges.parent]]),
        child=np.concatenate([child.astype(np.int32), renumbered[edges.child]]),
    )
    tables.sort()
    index_edges(tables)
    return tables


def index_edges(tables: tskit.TableCollection) -> None:
    """The index that ``tables.build_index`` makes, of sorted edges with whole numbers as ends.

    Edges are sorted by their parent's time, parent, child and left end. The index orders them by
    left end and, the last ones first, by right end: counting does in a moment what comparing
    takes a dozen seconds for at a million people.
    """
    edges = tables.edges
    tables.indexes = tskit.TableCollectionIndexes(
        _order(edges.left.astype(np.int64), False), _order(edges.right.astype(np.int64), True)
    )


@numba.njit(cache=True)
def _order(ends: np.ndarray, backwards: bool) -> np.ndarray:
    """Rows in order of their ends; equal ones as they come, or backwards."""
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
    """A row a person; father and mother as parents."""
    known = ~pedigree.founder
    parents = np.column_stack([pedigree.father[known], pedigree.mother[known]])
    tables.individuals.set_columns(
        flags=np.zeros(len(known), dtype=np.uint32),
        parents=parents.ravel().astype(np.int32),
        parents_offset=np.append(0, np.cumsum(2 * known)).astype(np.uint64),
    )


def _kept_sites(
    ts: tskit.TreeSequence,
    block: Block,
    planted: Sequence[PlantedVariant],
    reference: str | None,
) -> tskit.TableCollection:
    """The tables with the sites that stay, on the reference's bases where they are known."""
    tables = ts.dump_tables()
    dropped = find_monomorphic_sites(ts) | sites_in_places(ts.sites_position, planted)
    if reference is not None:
        bases = np.frombuffer(reference.upper().encode(), dtype=np.uint8)
        bases = bases[ts.sites_position.astype(np.int64) - block.start]
        set_ancestral_bases(tables, bases)
        dropped |= base_codes(bases) < 0
    tables.delete_sites(np.flatnonzero(dropped), record_provenance=False)
    return tables


def _finished(tables: tskit.TableCollection, block: Block) -> tskit.TreeSequence:
    index = tables.indexes  # of the edges, which stay as they are; sorting forgets it
    tables.sort(edge_start=len(tables.edges))
    tables.indexes = index
    tables.metadata_schema = tskit.MetadataSchema.permissive_json()
    tables.metadata = {
        "assembly": ASSEMBLY,
        "contig": block.contig,
        "start": block.start,
        "end": block.end,
    }
    return tables.tree_sequence()
