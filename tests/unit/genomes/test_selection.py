"""Selection removes loss of function where genes do not bear it, and leaves what is rare."""

from collections.abc import Collection, Mapping
from dataclasses import replace

import msprime
import numpy as np
import pandas as pd
import pytest
import tskit

from rehearsal.genomes.allele_names import states_by_name
from rehearsal.genomes.annotation import annotate_block
from rehearsal.genomes.consequence_terms import LOSS_OF_FUNCTION
from rehearsal.genomes.selection import annotate_under_selection, chance_to_stay
from rehearsal.genomes.structural import SITE_SCHEMA
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block, PlantedVariant, Variant
from tests.unit.genomes.gene_model import CONTIG, LENGTH, bases_of_genes, two_genes

BLOCK = Block(CONTIG, 0, LENGTH)
BASES = bases_of_genes(1)


@pytest.fixture(scope="module")
def neutral() -> tskit.TreeSequence:
    """A block of 1,000 people of a growing population in which many bases vary, most rarely."""
    demography = msprime.Demography()
    demography.add_population(initial_size=1_000_000, growth_rate=0.02)
    ts = msprime.sim_ancestry(1_000, demography=demography, sequence_length=LENGTH, random_seed=1)
    ts = msprime.sim_mutations(ts, rate=2e-6, random_seed=2, model=msprime.HKY(4.0))
    tables = ts.dump_tables()
    sites = tables.sites.copy()
    mutations = tables.mutations.copy()
    tables.sites.clear()
    tables.mutations.clear()
    tables.sites.metadata_schema = SITE_SCHEMA
    for site in sites:
        ref = BASES[int(site.position)]
        tables.sites.add_row(site.position, ref)
    seen = set()
    for mutation in mutations:
        ref = BASES[int(sites[mutation.site].position)]
        if mutation.site not in seen and mutation.derived_state != ref:
            seen.add(mutation.site)
            tables.mutations.add_row(mutation.site, mutation.node, mutation.derived_state)
    tables.metadata_schema = tskit.MetadataSchema.permissive_json()
    tables.metadata = {"contig": CONTIG}
    tables.sort()
    return tables.tree_sequence()


def annotated(
    ts: tskit.TreeSequence,
    loeuf: float,
    seed: int = 1,
    planted: tuple[PlantedVariant, ...] = (),
    lacking: Mapping[str, Collection[int]] | None = None,
    lof_frequency: float | None = None,
) -> tuple[tskit.TreeSequence, pd.DataFrame]:
    genes: list[Transcript] = [
        replace(t, loeuf=loeuf, lof_frequency=lof_frequency) for t in two_genes()
    ]
    return annotate_under_selection(
        ts,
        BLOCK,
        lambda block: BASES[block.start : block.end],
        genes,
        planted,
        lacking or {},
        seed,
    )


def shares(table: pd.DataFrame) -> tuple[float, float]:
    """Shares of loss of function and of missense among coding variants."""
    coding = table[table["hgvs_p"] != ""]["consequence"]
    return coding.isin(LOSS_OF_FUNCTION).mean(), (coding == "missense_variant").mean()


def mean_frequency(ts: tskit.TreeSequence, table: pd.DataFrame) -> float:
    damaging = set(table["position"][table["consequence"].isin(LOSS_OF_FUNCTION)])
    found = [v for v in ts.variants() if v.site.position in damaging]
    return float(np.mean([(v.genotypes > 0).mean() for v in found]))


def test_constrained_genes_have_less_loss_of_function_and_what_they_have_is_rarer(
    neutral: tskit.TreeSequence,
) -> None:
    before = annotate_block(neutral, lambda b: BASES[b.start : b.end], two_genes())
    ts, after = annotated(neutral, 0.3)
    assert shares(after)[0] < 0.5 * shares(before)[0]
    assert shares(after)[1] > 0.8 * shares(before)[1]
    assert mean_frequency(ts, after) < 0.5 * mean_frequency(neutral, before)
    assert ts.num_sites == neutral.num_sites - len(set(before["position"]) - set(after["position"]))


def test_the_more_a_gene_bears_the_more_is_left(neutral: tskit.TreeSequence) -> None:
    left = [shares(annotated(neutral, loeuf)[1])[0] for loeuf in (0.1, 0.5, 1.0)]
    assert left[0] < left[1] < left[2]


def test_synonymous_variants_and_those_outside_of_genes_stay(neutral: tskit.TreeSequence) -> None:
    ts, table = annotated(neutral, 0.1)
    outside = [p for p in neutral.sites_position if p >= 1_700]
    assert set(outside) <= set(ts.sites_position)
    before = annotate_block(neutral, lambda b: BASES[b.start : b.end], two_genes())
    for kind in ("synonymous_variant", "intron_variant", "5_prime_UTR_variant"):
        assert (table["consequence"] == kind).sum() == (before["consequence"] == kind).sum()


def loss_copies(ts: tskit.TreeSequence, table: pd.DataFrame, gene: str) -> np.ndarray:
    """Copies of loss-of-function alleles of a gene, by individual."""
    losses = table[(table["gene"] == gene) & table["consequence"].isin(LOSS_OF_FUNCTION)]
    copies = np.zeros(ts.num_individuals, int)
    for row in losses.itertuples():
        (site,) = ts.variants(left=row.position, right=row.position + 1)
        carrying = ts.samples()[
            site.genotypes == site.alleles.index(states_by_name(site.alleles)[row.ref, row.alt])
        ]
        np.add.at(copies, ts.nodes_individual[carrying], 1)
    return copies


def test_loss_of_function_is_together_at_most_as_frequent_as_published(
    neutral: tskit.TreeSequence,
) -> None:
    def copies(lof_frequency: float | None) -> list[int]:
        runs = (annotated(neutral, 2.0, seed, lof_frequency=lof_frequency) for seed in range(1, 7))
        return [int(sum(loss_copies(*run, gene).sum() for gene in "AB")) for run in runs]

    free, bound, none = copies(None), copies(0.001), copies(0.0)
    assert np.mean(bound) <= 1.5 * (2 * 0.001 * neutral.num_samples)  # two genes
    assert 0 < np.mean(bound) < 0.5 * np.mean(free)
    assert len(set(bound)) > 1
    assert none == [0] * 6


def test_people_who_must_lack_a_gene_have_no_loss_of_function(neutral: tskit.TreeSequence) -> None:
    ts, table = annotated(neutral, 1.2)
    carrying = np.flatnonzero(loss_copies(ts, table, "A"))[:2].tolist()
    lacking = {"A": carrying}
    left = loss_copies(*annotated(neutral, 1.2, lacking=lacking), "A")
    assert len(carrying) == 2
    assert left[carrying].sum() == 0


def test_planted_variants_stay(neutral: tskit.TreeSequence) -> None:
    _, every = annotated(neutral, 1.2)
    rows = every[every["consequence"].isin(LOSS_OF_FUNCTION)]
    planted = tuple(
        PlantedVariant(Variant(CONTIG, r.position, r.ref, r.alt), "A", "x", "dominant", "cancer")
        for r in rows.itertuples()
    )
    ts, _ = annotated(neutral, 0.0, planted=planted)
    assert set(rows["position"]) <= set(ts.sites_position)


def test_the_same_seed_loses_the_same_sites(neutral: tskit.TreeSequence) -> None:
    one, other = annotated(neutral, 0.3)[0], annotated(neutral, 0.3)[0]
    assert one.tables.sites == other.tables.sites
    assert annotated(neutral, 0.3, seed=2)[0].tables.sites != one.tables.sites


def test_the_chance_to_stay_falls_with_frequency_and_constraint() -> None:
    assert chance_to_stay("stop_gained", 1.2, 0.0) == 1.0
    assert chance_to_stay("stop_gained", 0.2, 0.0) == pytest.approx(0.2)
    assert chance_to_stay("stop_gained", 0.2, 0.01) < 0.01
    assert chance_to_stay("missense_variant", 0.2, 0.0) > 0.7
