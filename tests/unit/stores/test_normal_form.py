"""Every country's records are in normal form, and one allele has one name everywhere."""

import shutil
import subprocess

import msprime
import numpy as np
import pandas as pd
import pysam
import pytest
import tskit
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.trees import write_trees
from rehearsal.genomes.allele_names import is_normal, own_name, shared_end
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.drawn_reference import draw_reference
from rehearsal.genomes.mutation_rates import mutation_rates
from rehearsal.genomes.mutations import add_mutations
from rehearsal.genomes.variant_classes import VariantClasses
from rehearsal.model import Block, Variant
from rehearsal.stores.country_shards import write_shards
from rehearsal.truth.pooled_sites import pooled_sites
from rehearsal.truth.variant_classes import alone

CODES, PEOPLE = ("FI", "ES"), 40
BLOCK = Block("chr22", 0, 150_000)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The bases of a block, its trees, its people, and the files of both countries."""
    folder = tmp_path_factory.mktemp("run")
    bases = draw_reference(Block("chr22", 20_000_000, 20_000_000 + BLOCK.length), 3, [])
    ts = msprime.sim_ancestry(
        {0: PEOPLE, 1: PEOPLE},
        demography=msprime.Demography.island_model([3000, 3000], 1e-5),
        sequence_length=BLOCK.length,
        recombination_rate=1e-8,
        random_seed=4,
    )
    tables = ts.dump_tables()
    tables.sequence_length = CONTIG_LENGTHS["chr22"]
    tables.build_index()
    rng = np.random.default_rng(1)
    classes = VariantClasses(indel_share=0.6)
    add_mutations(tables, BLOCK, mutation_rates(BLOCK, bases, (), 1.3e-7, 4.0, classes, rng), rng)
    ts = tables.tree_sequence()
    ts.dump(folder / "block.trees")
    (folder / "reference.fa").write_text(f">chr22\n{bases}\n")
    pysam.faidx(str(folder / "reference.fa"))
    people = pd.DataFrame(
        {
            "id": [f"{code}-{n:06d}" for code in CODES for n in range(PEOPLE)],
            "country": np.repeat(CODES, PEOPLE),
            "sex": "female",
        }
    )
    bcf, part = ({c: folder / f"{c}.{kind}" for c in CODES} for kind in ("bcf", "parquet"))
    write_shards(ts, BLOCK, people, bcf, part, reference=bases)
    return folder, ts, people


def records_of(path):
    with pysam.VariantFile(str(path)) as file:
        return [(one.pos, one.alleles) for one in file]


@pytest.mark.skipif(shutil.which("bcftools") is None, reason="bcftools is not installed")
@pytest.mark.parametrize("code", CODES)
def test_bcftools_norm_changes_no_record_of_a_country(run, tmp_path, code):
    folder, _, _ = run
    source, out = folder / f"{code}.bcf", tmp_path / "normal.bcf"
    command = ["bcftools", "norm", "-c", "e", "-f", folder / "reference.fa", "-Ob", "-o", out]
    subprocess.run([*command, source], check=True, capture_output=True)
    before = records_of(source)
    assert records_of(out) == before
    long = [alleles for _, alleles in before if any(len(one) > 1 for one in alleles)]
    assert len(long) > 500


def store_names(folder, code):
    rows = pd.read_parquet(folder / f"{code}.parquet", columns=["start", "ref", "alt", "svlen"])
    names = list(rows.itertuples(index=False, name=None))
    assert names == sorted(names)
    return {name[:3] for name in names}


def test_countries_exports_and_the_truth_name_alleles_alike(run, tmp_path):
    folder, ts, people = run
    stores = {code: store_names(folder, code) for code in CODES}
    pooled = pooled_sites({BLOCK: folder / "block.trees"})
    truth = set(pooled[["start", "ref", "alt"]].itertuples(index=False, name=None))
    assert stores["FI"] | stores["ES"] == truth
    small = {name for name in truth if not name[2].startswith("<")}
    assert all(is_normal(ref, alt) for _, ref, alt in small)
    for code in CODES:
        written = {
            (pos - 1, *own_name(ref, alt))
            for pos, (ref, *alts) in records_of(folder / f"{code}.bcf")
            for alt in alts
        }
        assert written == stores[code]
    keep = (people["country"] == "ES").to_numpy()
    genotypes = Genotypes.of([ts], "chr22", people.assign(birth_year=1980), keep)
    exported = [
        (int(position) + 1, letters[0], sorted(letters[1:]))
        for records in genotypes.records()
        for position, letters in zip(records.position, records.alleles, strict=True)
    ]
    own = [(pos, ref, sorted(alts)) for pos, (ref, *alts) in records_of(folder / "ES.bcf")]
    assert exported == own


def test_tree_files_need_no_bases_of_deletions_that_they_lack(run, tmp_path):
    import tszip

    _, ts, people = run
    genotypes = Genotypes.of([ts], "chr22", people, (people["country"] == "ES").to_numpy())
    write_trees(genotypes, tmp_path / "ES.tsz")
    found = [tuple(variant.alleles) for variant in tszip.load(tmp_path / "ES.tsz").variants()]
    long = [alleles for alleles in found if len(alleles[0]) > 1]
    assert len(long) > 200
    assert not any(shared_end(*alleles) for alleles in long)


@given(
    anchor=st.sampled_from("ACGT"),
    behind=st.text("ACGT", min_size=1, max_size=6),
    lost=st.sets(st.integers(0, 6), max_size=3),
    inserted=st.sets(st.text("ACGT", min_size=1, max_size=3), max_size=3),
)
def test_the_names_of_a_site_are_shortest_and_those_of_the_truth(anchor, behind, lost, inserted):
    """A site of indels: all stand behind its first base, whatever REF the longest one needs."""
    ref = anchor + behind
    alts = [anchor + behind[n:] for n in lost if 0 < n <= len(behind)]
    alts += [anchor + text + behind for text in inserted]
    for alt in alts:
        name = own_name(ref, alt)
        assert len(name[0]) - len(name[1]) == len(ref) - len(alt)
        assert own_name(*name) == name
        assert min(map(len, name)) == 1 or name[0][-1] != name[1][-1]
        own = alone(Variant("chr1", 9, ref, alt))
        assert (own.ref, own.alt) == name or own.start > 9  # the second: not left-aligned
    if alts:
        assert shared_end(ref, *alts) == min(shared_end(ref, alt) for alt in alts)


def test_a_site_whose_first_bases_are_not_needed_is_refused():
    from rehearsal.errors import InputError
    from rehearsal.genomes.carriers import carrier_chunks

    tables = msprime.sim_ancestry(2, sequence_length=100, random_seed=1).dump_tables()
    site = tables.sites.add_row(10, "ACT")
    tables.mutations.add_row(site, 0, "ACG", time=tskit.UNKNOWN_TIME)
    with pytest.raises(InputError, match="position 11: expected alleles that differ in the first"):
        list(carrier_chunks(tables.tree_sequence()))
