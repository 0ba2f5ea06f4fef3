"""The consequences of a block's alleles, beside those of ``bcftools csq``."""

import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tskit

from rehearsal.genomes.annotation import annotate_block
from rehearsal.genomes.consequence_terms import TERMS
from rehearsal.genomes.gene_model_file import write_gene_model
from rehearsal.genomes.structural import SITE_SCHEMA
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block
from tests.unit.genomes.gene_model import CONTIG, LENGTH, bases_of_genes, two_genes

RANK = {term.short: rank for rank, term in enumerate(TERMS)}
Allele = tuple[int, str, str]


def block_with(alleles: list[Allele], ends: dict[int, tuple[int, int]]) -> tskit.TreeSequence:
    """Make a tree sequence of one person with these alleles; ``ends`` of structural variants."""
    tables = tskit.TableCollection(LENGTH)
    tables.sites.metadata_schema = SITE_SCHEMA
    tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE)
    site = {}
    for position, ref, alt in alleles:
        if position not in site:
            end = ends.get(position)
            about = None if end is None else {"end": end[0], "svlen": end[1]}
            site[position] = tables.sites.add_row(position, ref, metadata=about)
        tables.mutations.add_row(site[position], 0, alt)
    tables.metadata_schema = tskit.MetadataSchema.permissive_json()
    tables.metadata = {"contig": CONTIG}
    tables.sort()
    return tables.tree_sequence()


def annotate(
    alleles: list[Allele], bases: str, ends: dict[int, tuple[int, int]] | None = None
) -> pd.DataFrame:
    ts = block_with(alleles, ends or {})
    return annotate_block(ts, lambda block: bases[block.start : block.end], two_genes())


def random_alleles(bases: str, rng: np.random.Generator) -> list[Allele]:
    """Draw a substitution or an indel at every base of both genes and around."""
    alleles = []
    for start in [*range(80, 670), *range(1_080, 1_670)]:
        size, kind = int(rng.integers(1, 8)), rng.integers(3)
        other = "".join(rng.choice(list("ACGT"), size))
        if kind == 0:
            alt = rng.choice([base for base in "ACGT" if base != bases[start]])
            alleles.append((start, bases[start], str(alt)))
        elif kind == 1 and bases[start + size] != bases[start]:
            alleles.append((start, bases[start : start + size + 1], bases[start]))
        elif kind == 2 and other[-1] != bases[start]:
            alleles.append((start, bases[start], bases[start] + other))
    return alleles


def write_vcf(path: Path, alleles: list[Allele]) -> None:
    lines = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID={CONTIG},length={LENGTH}>",
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]
    lines += [f"{CONTIG}\t{p + 1}\t.\t{ref}\t{alt}\t.\t.\t." for p, ref, alt in alleles]
    path.write_text("\n".join(lines) + "\n")


def bcsq_of_csq(
    folder: Path, bases: str, alleles: list[Allele], *options: str
) -> dict[Allele, str]:
    """Ask bcftools for BCSQ of each allele; nothing outside of genes."""
    fasta, gff, vcf = folder / "r.fa", folder / "g.gff3.gz", folder / "v.vcf"
    fasta.write_text(f">{CONTIG}\n{bases}\n")
    write_gene_model(two_genes(), gff)
    write_vcf(vcf, alleles)
    subprocess.run(["samtools", "faidx", fasta], check=True)
    csq = ["bcftools", "csq", "--local-csq", *options, "-f", fasta, "-g", gff, vcf]
    text = subprocess.run(csq, check=True, capture_output=True, text=True).stdout
    found = {}
    for line in text.splitlines():
        if not line.startswith("#"):
            fields = line.split("\t")
            key = (int(fields[1]) - 1, fields[3], fields[4])
            found[key] = fields[7].partition("BCSQ=")[2]
    return found


def worst_by_csq(folder: Path, bases: str, alleles: list[Allele]) -> dict[Allele, str]:
    """Ask bcftools for the most severe consequence of each allele; nothing outside of genes."""
    worst = {}
    for allele, found in bcsq_of_csq(folder, bases, alleles).items():
        names = {name for part in found.split(",") for name in part.split("|")[0].split("&")}
        worst[allele] = min(names, key=lambda name: RANK[name]) if found else ""
    return worst


def crosses_a_coding_end(allele: Allele) -> bool:
    """A deletion over or up to an end of the coding bases: csq's terms differ by strand."""
    position, ref, _ = allele
    ends = [end for t in two_genes() for end in (t.cds_start, t.cds_end)]
    return len(ref) > 1 and any(position + 1 < end <= position + len(ref) for end in ends)


def beside_the_start_codon(allele: Allele) -> bool:
    """An indel that leaves the start codon whole: csq calls the start lost wherever it touches."""
    position, ref, alt = allele
    starts = [(t.cds_start, t.cds_start + 3) for t in two_genes()[:1]]
    starts += [(t.cds_end - 3, t.cds_end) for t in two_genes()[1:]]
    return len(ref) != len(alt) and any(a <= position + 1 <= b for a, b in starts)


def keeps_splice_sites(allele: Allele, bases: str) -> bool:
    """An indel in a repeat that leaves both ends of an intron: csq calls the touched one lost."""
    position, ref, alt = allele
    after = bases[:position] + alt + bases[position + len(ref) :]
    for a, b in (intron for t in two_genes() for intron in t.introns):
        if a - 8 <= position < b + 8:
            return after.startswith(bases[: a + 2]) and after.endswith(bases[b - 2 :])
    return False


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_most_severe_consequence_is_the_one_of_bcftools_csq(tmp_path: Path, seed: int) -> None:
    bases = bases_of_genes(seed)
    alleles = random_alleles(bases, np.random.default_rng(seed))
    expected = worst_by_csq(tmp_path, bases, alleles)
    table = annotate(alleles, bases)
    short = {term.label: term.short for term in TERMS}
    keys = zip(table["position"], table["ref"], table["alt"], strict=True)
    found = dict(zip(keys, table["consequence"].map(short), strict=True))
    known = [a for a in alleles if crosses_a_coding_end(a) or beside_the_start_codon(a)]
    other = {
        allele: (found.get(allele, ""), expected[allele])
        for allele in alleles
        if allele not in known
        and found.get(allele, "") != expected[allele]
        and not keeps_splice_sites(allele, bases)
    }
    assert other == {}
    assert len(known) < 0.05 * len(alleles)


def test_names_of_coding_changes() -> None:
    bases = bases_of_genes(4)
    start = bases[:153]
    assert start.endswith("ATG")
    rest = bases[153:]
    bases = start + "GAGAGTGTATTACGA" + rest[15:]  # Glu Ser Val Leu Arg
    table = annotate(
        [
            (150, "A", "G"),
            (154, "A", "T"),
            (155, "GAG", "G"),
            (159, "G", "C"),
            (161, "A", "G"),
            (165, "C", "T"),
        ],
        bases,
    )
    assert table["hgvs_c"].tolist() == [
        *("c.1A>G", "c.5A>T", "c.7_8del", "c.10G>C", "c.12A>G", "c.16C>T")
    ]
    assert table["hgvs_p"].tolist()[:2] == ["p.Met1?", "p.Glu2Val"]
    assert table["hgvs_p"].tolist()[2].startswith("p.Ser3Cysfs")
    assert table["hgvs_p"].tolist()[3:] == ["p.Val4Leu", "p.Val4=", "p.Arg6Ter"]
    assert table["consequence"].tolist() == [
        *("start_lost", "missense_variant", "frameshift_variant", "missense_variant"),
        *("synonymous_variant", "stop_gained"),
    ]
    assert table["bcsq"].tolist()[1] == "missense|A|NM_A.1|protein_coding|+|2E>2V|155A>T"


def test_structural_variants_lose_double_or_change_exons() -> None:
    bases = bases_of_genes(5)
    table = annotate(
        [
            (90, bases[90], "<DEL>"),
            (210, bases[210], "<DEL>"),
            (305, bases[305], "<DUP:TANDEM>"),
            (1_050, bases[1_050], "<CN3>"),
            (1_320, bases[1_320], "<INV>"),
            (2_000, bases[2_000], "<DEL>"),
        ],
        bases,
        {
            **{90: (700, 609), 210: (270, 59), 305: (380, 74), 1_050: (1_700, 649)},
            **{1_320: (1_380, 59), 2_000: (2_100, 99)},
        },
    )
    assert dict(zip(table["position"], table["consequence"], strict=True)) == {
        90: "transcript_ablation",
        210: "intron_variant",
        305: "feature_elongation",
        1_050: "transcript_amplification",
        1_320: "coding_sequence_variant",
    }
    assert (table["hgvs_c"] == "").all()


def test_a_block_without_genes_is_not_read() -> None:
    bases = bases_of_genes(6)
    ts = block_with([(2_000, bases[2_000], "<DEL>")], {2_000: (2_100, 99)})

    def refuse(block: Block) -> str:
        raise AssertionError(block)

    assert annotate_block(ts, refuse, two_genes()).empty


def test_every_transcript_of_an_allele_has_a_row() -> None:
    bases = bases_of_genes(7)
    one = two_genes()[0]
    other = Transcript("C", "NM_C.1", CONTIG, "+", ((60, 260),), 60, 60)
    ts = block_with([(120, bases[120], "A" if bases[120] != "A" else "C")], {})
    table = annotate_block(ts, lambda block: bases[block.start : block.end], [one, other])
    assert table["consequence"].tolist() == [
        "5_prime_UTR_variant",
        "non_coding_transcript_exon_variant",
    ]


@pytest.mark.parametrize("seed", [1, 2])
def test_amino_acids_of_indels_are_those_of_bcftools_csq(tmp_path: Path, seed: int) -> None:
    bases = bases_of_genes(seed)
    alleles = random_alleles(bases, np.random.default_rng(seed))
    inside = [range(t.cds_start + 3, t.cds_end - 30) for t in two_genes()]
    alleles = [a for a in alleles if len(a[1]) != len(a[2]) and any(a[0] in r for r in inside)]
    expected = bcsq_of_csq(tmp_path, bases, alleles, "-B", "1")
    table = annotate(alleles, bases)
    own = table[table["consequence"].isin(["inframe_insertion", "inframe_deletion"])]
    keys = list(zip(own["position"], own["ref"], own["alt"], strict=True))
    compared = {
        key: (text.split("|")[-2], expected[key].split("|")[-2])
        for key, text in zip(keys, own["bcsq"], strict=True)
        if "|" in expected[key] and ">" in expected[key].split("|")[-2] and "?" not in expected[key]
    }
    assert {key: two for key, two in compared.items() if two[0] != two[1]} == {}
    assert len(compared) > 40
    with_protein = [text.split("|")[-2] for text in table["bcsq"] if text.count("|") > 5]
    changes = [text.split(">") for text in with_protein if ">" in text]
    assert all(before != after for before, after in changes)


def test_an_indel_that_leaves_a_splice_site_is_no_loss_of_it() -> None:
    bases = bases_of_genes(8)
    bases = bases[:200] + "GTGTAA" + bases[206:]
    # GT of GTGT is deleted: one GT is left at the donor
    table = annotate([(199, bases[199:202], bases[199])], bases)
    assert table["consequence"].tolist() == ["splice_region_variant"]
    table = annotate([(200, "GTG", "G")], bases)
    assert table["consequence"].tolist() == ["splice_region_variant"]
    # GTGTAA without TGTA begins with GA
    table = annotate([(200, "GTGTA", "G")], bases)
    assert table["consequence"].tolist() == ["splice_donor_variant"]
