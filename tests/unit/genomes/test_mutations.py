"""Mutations of all classes: rates, normal form, no alleles on lost bases, seeds."""

import subprocess
from collections import Counter

import msprime
import numpy as np
import pysam
import pytest

from rehearsal.genomes import mutation_rates as rates_module
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.mutation_rates import mutation_rates
from rehearsal.genomes.mutations import add_mutations
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.genomes.structural import SITE_SCHEMA, site_spans
from rehearsal.genomes.variant_classes import GENOME_BASES, PERSON_GENERATIONS, VariantClasses
from rehearsal.model import Block, PlantedVariant, Variant

BLOCK = Block("chr22", 20_000_000, 20_200_000)
RATE = 1.3e-7  # ten times the real one: many sites on little sequence
TRANSITIONS = ({"A", "G"}, {"C", "T"})


@pytest.fixture(scope="module")
def bases() -> str:
    letters = np.array(list(draw_reference(BLOCK, 3, [])))
    letters[90_000:91_000] = "N"
    return "".join(letters)


def mutated(bases, seed=1, planted=(), rate=RATE, recombination=1e-8, people=100, **classes):
    ts = msprime.sim_ancestry(
        people, population_size=10_000, sequence_length=BLOCK.length,
        recombination_rate=recombination, random_seed=4,
    )  # fmt: skip
    tables = ts.dump_tables()
    tables.edges.left, tables.edges.right = (
        ends + BLOCK.start for ends in (tables.edges.left, tables.edges.right)
    )
    tables.sequence_length = CONTIG_LENGTHS["chr22"]
    tables.build_index()
    rng = np.random.default_rng(seed)
    settings = VariantClasses(**classes)
    rates = mutation_rates(BLOCK, bases, planted, rate, 4.0, settings, rng)
    add_mutations(tables, BLOCK, rates, rng)
    return tables.tree_sequence()  # checks parents and times of mutations


@pytest.fixture(scope="module")
def ts(bases):
    return mutated(bases, structural_per_genome=250_000)


def alternates(site):
    return sorted({m.derived_state for m in site.mutations} - {site.ancestral_state})


def small_sites(ts):
    return [site for site in ts.sites() if site.metadata is None]


def is_single(site):
    return all(len(text) == 1 for text in (site.ancestral_state, *alternates(site)))


def test_ref_is_the_reference_and_unknown_bases_have_no_variants(ts, bases):
    ends, _ = site_spans(ts)
    for site, end in zip(ts.sites(), ends, strict=True):
        start = int(site.position) - BLOCK.start
        ref = site.ancestral_state
        assert ref == bases[start : start + len(ref)]
        assert "N" not in bases[start : end - BLOCK.start]
        assert BLOCK.start <= site.position and end <= BLOCK.end


def test_every_site_has_two_alleles_among_the_samples_and_no_silent_mutation(ts):
    for variant in ts.variants():
        assert len(np.unique(variant.genotypes)) > 1
        for mutation in variant.site.mutations:
            above = ts.mutation(mutation.parent).derived_state if mutation.parent >= 0 else None
            assert mutation.derived_state != (above or variant.site.ancestral_state)


def test_small_variants_are_normal_for_bcftools(ts, bases, tmp_path):
    """REF matches, and no record is moved or trimmed: all are left-aligned and shortest."""
    fasta, vcf = tmp_path / "r.fa", tmp_path / "small.vcf"
    fasta.write_text(f">chr22\n{bases}\n")
    pysam.faidx(str(fasta))
    lines = ["##fileformat=VCFv4.3", f"##contig=<ID=chr22,length={len(bases)}>"]
    lines.append("#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO")
    for site in small_sites(ts):
        alt = ",".join(alternates(site))
        position = int(site.position) - BLOCK.start + 1
        lines.append(f"chr22\t{position}\t.\t{site.ancestral_state}\t{alt}\t.\t.\t.")
    vcf.write_text("\n".join(lines) + "\n")
    command = ["bcftools", "norm", "-c", "x", "-f", fasta, vcf]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    kept = [line for line in done.stdout.splitlines() if not line.startswith("#")]
    assert kept == lines[3:]
    assert len(kept) > 5_000


def test_indels_are_their_share_of_small_sites_and_deletions_are_more(ts):
    sites = small_sites(ts)
    indels = [site for site in sites if not is_single(site)]
    alleles = sum(len(alternates(site)) for site in sites)
    assert 0.13 < sum(len(alternates(site)) for site in indels) / alleles < 0.17
    sizes = Counter(
        len(alt) - len(site.ancestral_state) for site in indels for alt in alternates(site)
    )
    deletions = sum(number for size, number in sizes.items() if size < 0)
    insertions = sum(number for size, number in sizes.items() if size > 0)
    assert 1.2 < deletions / insertions < 2.2
    assert 0.4 < (sizes[1] + sizes[-1]) / (deletions + insertions) < 0.6
    assert max(map(abs, sizes)) < 50


def test_homopolymers_have_several_times_as_many_indels(ts, bases):
    inside = np.zeros(len(bases), bool)
    for first in range(len(bases) - 7):
        if len(set(bases[first : first + 7])) == 1 and bases[first] != "N":
            inside[first] = True
    anchors = [
        int(site.position) - BLOCK.start + 1 for site in small_sites(ts) if not is_single(site)
    ]
    share = inside[anchors].mean() / inside.mean()
    assert share > 5


def test_some_repeats_have_several_lengths_at_one_site(ts):
    sites = [site for site in small_sites(ts) if not is_single(site)]
    assert max(len(alternates(site)) for site in sites) >= 3


def test_cpg_mutates_about_ten_times_as_often_by_transition(bases):
    ts = mutated(bases, indel_share=0, structural_per_genome=0, rate=2e-8)
    sites = [site for site in ts.sites() if len(alternates(site)) == 1]
    place = [int(site.position) - BLOCK.start for site in sites]
    change = [alternates_and_ref(site) in TRANSITIONS for site in sites]
    cpg = {i + k for i in range(len(bases) - 1) if bases[i : i + 2] == "CG" for k in (0, 1)}
    other = sum(base != "N" for base in bases) - len(cpg)
    fast = sum(p in cpg and transition for p, transition in zip(place, change, strict=True))
    slow = sum(p not in cpg for p in place)
    assert 7 < (fast / len(cpg)) / (slow / other) < 12  # recurrence hides some


def test_single_bases_mutate_at_the_mean_rate(bases):
    rate = 1e-8
    ts = mutated(bases, rate=rate, indel_share=0, structural_per_genome=0)
    expected = ts.segregating_sites(mode="branch", span_normalise=False) * rate
    transitions = sum(alternates_and_ref(site) in TRANSITIONS for site in ts.sites())
    assert ts.num_sites == pytest.approx(expected * 0.995, rel=0.1)  # 0.5 % of the bases are N
    assert 1.6 < transitions / (ts.num_sites - transitions) < 2.6


def test_types_of_substitutions_are_as_frequent_as_new_mutations_of_families():
    """Published shares of 27,697 new mutations (Sasani et al. 2019), C>T in CpG among C>T."""
    bases = draw_reference(Block("chr22", 20_000_000, 21_000_000), 3, [])[: BLOCK.length]
    ts = mutated(bases, rate=2e-7, indel_share=0, structural_per_genome=0, cpg_factor=11)
    types = Counter()
    for site in ts.sites():
        change = [site.ancestral_state, site.mutations[0].derived_state]
        pyrimidine = change if change[0] in "CT" else ["TGCA"["ACGT".index(b)] for b in change]
        types[">".join(pyrimidine)] += 1
    published = {"C>T": 0.416, "T>C": 0.257, "C>A": 0.098, "C>G": 0.092, "T>G": 0.073, "T>A": 0.064}
    for name, share in published.items():
        # the drawn bases have another share of GC and CpG than the genome, and CpG saturates
        assert types[name] / types.total() == pytest.approx(share, rel=0.15), name


def alternates_and_ref(site):
    return {site.ancestral_state, *alternates(site)}


def test_structural_variants_scale_to_their_number_in_a_genome(bases):
    """PERSON_GENERATIONS is that of the Europe model; here it follows from the trees."""
    runs = [
        mutated(bases, rate=1e-12, structural_per_genome=25_500 * 40, people=10, seed=seed)
        for seed in range(5)
    ]
    ts = runs[0]
    carried = [
        (v.genotypes.reshape(-1, 2) != 0).any(1).mean() for run in runs for v in run.variants()
    ]
    number = sum(carried) / len(runs)
    lineages = np.mean(
        [
            tree.interval.span * branch_length_above(tree, person)
            for tree in ts.trees()
            if tree.num_edges
            for person in range(10)
        ]
    )
    trees = sum(tree.num_edges > 0 for tree in ts.trees())
    expected = 25_500 * 40 * lineages * trees / (GENOME_BASES * PERSON_GENERATIONS)
    assert number == pytest.approx(expected, rel=0.2)


def branch_length_above(tree, person):
    seen = set()
    for u in (2 * person, 2 * person + 1):
        while tree.parent(u) >= 0:
            seen.add(u)
            u = tree.parent(u)
    return sum(tree.branch_length(u) for u in seen)


def test_structural_sites_say_type_length_and_end(ts):
    assert ts.tables.sites.metadata_schema == SITE_SCHEMA
    kinds = Counter()
    for site in ts.sites():
        if site.metadata is None:
            continue
        assert len(site.ancestral_state) == 1
        length = site.metadata["svlen"]
        assert length >= 50
        for alt in alternates(site):
            kinds[alt] += 1
            inside = 0 if alt.startswith("<INS") else length
            assert site.metadata["end"] == site.position + 1 + inside
    assert {"<DEL>", "<DUP:TANDEM>", "<INS:ME:ALU>"} <= set(kinds)
    assert kinds["<DEL>"] > 10


def lost_bases(variant, allele):
    text = variant.alleles[allele]
    if text in ("<DEL>", "<CN0>"):
        return variant.site.metadata["svlen"]
    return 0 if text.startswith("<") else len(variant.site.ancestral_state) - len(text)


def alleles_on_lost_bases(ts):
    """Count alternate alleles on haplotypes that have lost the site, and lost sites in all."""
    until = np.full(ts.num_samples, -1)
    wrong = covered = 0
    for variant in ts.variants():
        lost = until > variant.site.position
        wrong += (lost & (variant.genotypes != 0)).sum()
        covered += lost.sum()
        for allele in range(1, len(variant.alleles)):
            bases = lost_bases(variant, allele)
            carriers = variant.genotypes == allele
            end = int(variant.site.position) + 1 + bases
            until[carriers] = np.maximum(until[carriers], end if bases > 0 else -1)
    return wrong, covered


def test_haplotypes_carry_no_allele_on_bases_that_they_have_lost(bases):
    """Also behind recombination, which breaks up the haplotypes of a deletion."""
    ts = mutated(bases, structural_per_genome=2_000_000, recombination=2e-6, people=30)
    assert ts.num_trees > 20_000
    wrong, covered = alleles_on_lost_bases(ts)
    assert wrong == 0
    assert covered > 5_000


def test_families_carry_no_allele_on_lost_bases_either(cohort, demography, bases):
    """There a sample can be the parent of another."""
    ts = simulate_block(
        *(BLOCK, *cohort, []),
        SimulationSettings(
            demography, RATE, 4.0, seed=1, classes=VariantClasses(structural_per_genome=500_000)
        ),
        uniform_map("chr22", 1e-6),
        bases,
    )
    wrong, covered = alleles_on_lost_bases(ts)
    assert wrong == 0
    assert covered > 1_000


def test_nothing_touches_the_bases_of_planted_variants(bases):
    places = range(BLOCK.start + 500, BLOCK.end - 500, 2_000)
    planted = [
        PlantedVariant(Variant("chr22", p, bases[p - BLOCK.start] * 2, "A"), "G", "v", "any", "any")
        for p in places
    ]
    ts = mutated(bases, planted=planted, structural_per_genome=500_000)
    ends, _ = site_spans(ts)
    start = ts.sites_position.astype(int)
    for place in places:
        assert not ((start < place + 2) & (ends > place)).any()


def test_copy_numbers_recur_at_their_places(bases, monkeypatch):
    monkeypatch.setattr(rates_module, "COPY_NUMBER_PLACES", 50_000)
    monkeypatch.setattr(rates_module, "PERSON_COPY_NUMBERS", 250_000)
    ts = mutated(bases, rate=1e-12, structural_per_genome=260_000)
    copies = [site for site in ts.sites() if alternates(site)[0].startswith("<CN")]
    assert {alt for site in copies for alt in alternates(site)} == {"<CN0>", "<CN2>", "<CN3>"}
    assert max(len(alternates(site)) for site in copies) >= 2
    assert len(copies) < 12


def test_structural_variants_cross_only_where_both_are_deletions(ts):
    spans, texts = site_spans(ts)[0], [alternates(site)[0] for site in ts.sites()]
    sites = [s for s in range(ts.num_sites) if ts.site(s).metadata is not None]
    for i, one in enumerate(sites):
        for two in sites[i + 1 :]:
            crosses = ts.sites_position[two] < spans[one] < spans[two]
            if crosses:
                assert {texts[one], texts[two]} <= {"<DEL>"}


def test_the_seed_decides(bases):
    one, again, other = (mutated(bases, seed=seed).tables for seed in (1, 1, 2))
    assert one.sites == again.sites and one.mutations == again.mutations
    assert one.sites != other.sites


def test_a_site_can_have_more_mutations_than_the_tree_has_nodes(bases):
    ts = mutated(bases, rate=1e-5, recombination=0, people=2)
    assert max(len(site.mutations) for site in ts.sites()) > ts.num_nodes


def test_one_haplotype_alone_differs_from_nothing(bases):
    ts = msprime.sim_ancestry([msprime.SampleSet(1, ploidy=1)], ploidy=1, sequence_length=100)
    tables = ts.dump_tables()
    tables.build_index()
    rng = np.random.default_rng(1)
    rates = mutation_rates(BLOCK, bases, (), RATE, 4.0, VariantClasses(), rng)
    add_mutations(tables, BLOCK, rates, rng)
    assert tables.tree_sequence().num_sites == 0 and tables.sites.metadata_schema == SITE_SCHEMA
