"""Reference bases as ancestral states, planted variants checked against them."""

from pathlib import Path

import numpy as np
import pysam
import pytest

from rehearsal.errors import InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.recombination import uniform_map
from rehearsal.genomes.reference import read_reference
from rehearsal.genomes.simulate import SimulationSettings, simulate_block
from rehearsal.genomes.structural import site_spans
from rehearsal.model import Block, PlantedVariant, Variant

BLOCK = Block("chr22", 1_000, 31_000)


@pytest.fixture(scope="module")
def bases() -> str:
    """Random bases, some in lower case, with 10 kb of N in the middle."""
    letters = np.random.default_rng(1).choice(list("ACGTacgt"), 30_000)
    letters[10_000:20_000] = "N"
    return "".join(letters)


@pytest.fixture(scope="module")
def run(cohort, demography):
    def simulate(reference, planted=()):
        return simulate_block(
            *(BLOCK, *cohort, planted),
            SimulationSettings(demography, mutation_rate=5e-8, kappa=4.0, seed=1),
            uniform_map("chr22", 1e-8),
            reference,
        )

    return simulate


def test_ref_is_the_real_base_and_unknown_bases_have_no_variants(run, bases):
    ts = run(bases)
    position = ts.sites_position.astype(int)
    for site, start in zip(ts.sites(), position - 1_000, strict=True):
        ref = site.ancestral_state
        assert ref == bases[start : start + len(ref)].upper()
    ends, _ = site_spans(ts)
    assert not ((ends > 11_000) & (position < 21_000)).any()
    assert ts.num_sites > 200


def planted_at(start: int, ref: str) -> PlantedVariant:
    variant = Variant("chr22", start, ref, ref[0] + "GG")
    return PlantedVariant(variant, "GENE", "v", "any", "any", {"*": 0.1})


def test_a_planted_variant_stands_on_the_real_bases(run, bases):
    ref = bases[500:503].upper()
    ts = run(bases, [planted_at(1_500, ref)])
    assert ts.site(position=1_500).ancestral_state == ref


def test_a_planted_variant_that_contradicts_the_reference_is_refused(run, bases):
    wrong = "".join({"A": "C"}.get(base, "A") for base in bases[500:502].upper())
    message = rf"variants\.tsv: GENE v .*, {bases[500:502].upper()}, as REF, found {wrong}"
    with pytest.raises(InputError, match=message):
        run(bases, [planted_at(1_500, wrong)])


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    path = tmp_path_factory.mktemp("reference") / "small.fa"
    path.write_text(">chr21 test\nACGTNacgtn\nACG\n>22\nTTTT\n")
    pysam.faidx(str(path))
    return path


def test_bases_are_read_in_upper_case_by_either_name(fasta):
    assert read_reference(fasta, Block("chr21", 2, 12)) == "GTNACGTNAC"
    assert read_reference(fasta, Block("chr22", 1, 3)) == "TT"


def test_a_fasta_that_lacks_the_contig_its_end_or_its_index_is_refused(fasta, tmp_path, capfd):
    with pytest.raises(InputError, match=r"\.fa: chr1: .* FASTA \(chr1, 1, .*, found chr21, 22"):
        read_reference(fasta, Block("chr1", 0, 5))
    with pytest.raises(InputError, match="at least 20 bases, found a contig of 13 bases"):
        read_reference(fasta, Block("chr21", 2, 20))
    with pytest.raises(InputError, match=r"none\.fa: genome\.reference_fasta: .*existing FASTA"):
        read_reference(tmp_path / "none.fa", Block("chr21", 0, 5))
    short = tmp_path / "short.fa"  # its index is that of a longer file
    short.write_bytes(fasta.read_bytes()[:3])
    (tmp_path / "short.fa.fai").write_bytes(Path(f"{fasta}.fai").read_bytes())
    with pytest.raises(InputError, match=r"short\.fa: .* that fits its index, found an unreadable"):
        read_reference(short, Block("chr21", 2, 12))
    (tmp_path / "short.fa.fai").write_text("chr21\tmany\n")
    capfd.readouterr()
    with pytest.raises(InputError, match=r"short\.fa: .* that fits its index, found an unreadable"):
        read_reference(short, Block("chr21", 2, 12))
    assert capfd.readouterr().err == ""
    bare = tmp_path / "bare.fa"
    bare.write_text(">chr21\nACGT\n")
    with pytest.raises(InputError, match=r"an index beside it \(bare\.fa\.fai"):
        read_reference(bare, Block("chr21", 0, 4))
    assert not (tmp_path / "bare.fa.fai").exists()
    assert CONTIG_LENGTHS["chr21"] > 20
