"""Carriers of planted variants: their genotypes, families, places and the haplotype they share."""

from collections import Counter

import pandas as pd
import pysam
import pytest

LOSS, FOUNDER = ("chr17", 43124026, "ACT", "A"), ("chr17", 43057061, "T", "TG")
RECESSIVE = ("chr22", 20009999, "A", "G")


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    return made(
        tmp_path_factory.mktemp("planting") / "OUT",
        people={"FI": 50},
        regions=["chr17:43040000-43140000", "chr22:20000000-20020000"],
        plant={
            "BRCA1:c.5266dup": 12,
            "BRCA1:c.68_69del/BRCA1:c.5266dup": 2,
            "BRCA1:c.5266dup/BRCA1:c.5266dup": 1,
        },
        plant_families={"BRCA1:c.68_69del": 2, "chr22-20010000-A-G/chr22-20010000-A-G": 1},
        traits=["ldl"],
        formats=["vcf"],
    )


@pytest.fixture(scope="module")
def haplotypes(folder):
    return alleles_of(folder)


def alleles_of(folder):
    """The two alleles of everybody (1 is alternate) by contig, start, REF and ALT."""
    found = {}
    for path in folder.glob("FI/*.vcf.gz"):
        with pysam.VariantFile(str(path)) as vcf:
            for record in vcf:
                calls = {name: call.allele_indices for name, call in record.samples.items()}
                assert all(call.phased for call in record.samples.values())
                for number, alt in enumerate(record.alts, 1):
                    found[record.contig, record.start, record.ref, alt] = {
                        name: tuple(int(one == number) for one in call)
                        for name, call in calls.items()
                    }
    return found


@pytest.fixture(scope="module")
def people(folder):
    return pd.read_csv(folder / "truth/pedigree.tsv", sep="\t", index_col="id")


def alone(people, haplotypes, variant):
    """Genotypes of carriers who have no relatives in the dataset."""
    own = haplotypes[variant]
    return {name: own[name] for name in people.index[people["family"].isna()] if any(own[name])}


def test_carriers_have_one_copy_two_copies_or_two_variants_in_trans(people, haplotypes):
    loss, founder = (alone(people, haplotypes, one) for one in (LOSS, FOUNDER))
    assert len(founder) == 12 + 2 + 1
    assert Counter(map(sum, founder.values())) == {1: 14, 2: 1}
    assert len(loss) == 2 and loss.keys() <= founder.keys()
    for name, genotype in loss.items():
        assert [a + b for a, b in zip(genotype, founder[name], strict=True)] == [1, 1]


def families_with(people, copies):
    """Copies of mother, father and children of each family in which somebody has one."""
    for _, family in people[people["family"].notna()].groupby("family"):
        if any(copies[name] for name in family.index):
            children = family[family["mother"].notna()]
            parents = children["mother"].iloc[0], children["father"].iloc[0]
            yield [copies[one] for one in parents], sorted(copies[one] for one in children.index)


def test_a_variant_segregates_in_families(people, haplotypes):
    dominant = {name: sum(own) for name, own in haplotypes[LOSS].items()}
    assert list(families_with(people, dominant)) == [([1, 0], [0, 1])] * 2
    recessive = {name: sum(own) for name, own in haplotypes[RECESSIVE].items()}
    assert list(families_with(people, recessive)) == [([1, 1], [0, 2])]


def test_carriers_stand_anywhere_in_the_list(people, haplotypes):
    place = [people.index.get_loc(name) for name in alone(people, haplotypes, FOUNDER)]
    assert min(place) < 15 and max(place) > 35
    assert max(b - a for a, b in zip(sorted(place), sorted(place)[1:], strict=False)) > 1


def test_carriers_share_the_haplotype_of_one_founder(people, haplotypes):
    """Fifty generations ago: 2 cM to either side, and about 1e-6 new mutations per base."""
    carriers = alone(people, haplotypes, FOUNDER)
    carrying = [(name, k) for name, own in carriers.items() for k in (0, 1) if own[k]]
    assert len(carrying) == 16
    near = [one for one in haplotypes if one[0] == "chr17" and abs(one[1] - FOUNDER[1]) <= 15_000]
    shared = [len({haplotypes[one][name][k] for name, k in carrying}) == 1 for one in near]
    assert len(near) > 60 and sum(shared) >= len(near) - 4


INDELS = {  # as ClinVar and others write them, 1-based: already left-aligned
    "chr22-20001000-ATCT-A": 1,
    "chr22-20002000-A-ACTT": 1,
    "chr22-20003000-CT-C": 1,
    "chr22-20004000-G-GATGATC": 1,
    "chr22-20005000-TGAGAGAG-T": 1,
    "chr22-20006000-TACG-TACT": 1,  # with bases that need not be there
}


@pytest.mark.parametrize("seed", [1, 2])
def test_the_file_has_the_indels_as_they_were_asked_for(made, tmp_path, seed):
    people, regions = {"FI": 8}, ["chr22:20000000-20008000"]
    order = {"people": people, "regions": regions, "formats": ["vcf"], "seed": seed}
    folder = made(tmp_path / "OUT", plant=INDELS, traits=["ldl"], **order)
    found = alleles_of(folder)
    asked = [tuple(name.split("-")) for name in list(INDELS)[:-1]]
    asked.append(("chr22", "20006003", "G", "T"))
    for contig, place, ref, alt in asked:
        copies = found[contig, int(place) - 1, ref, alt]
        assert sum(map(sum, copies.values())) == 1
    named = pd.read_csv(folder / "truth/planted_carriers.tsv", sep="\t")
    rows = named[["contig", "start", "ref", "alt"]].itertuples(index=False)
    assert {tuple(row) for row in rows} == {(c, int(p) - 1, r, a) for c, p, r, a in asked}
    with pysam.FastaFile(str(folder / "reference/reference.fa.gz")) as fasta:
        assert fasta.fetch("chr22", 20_005_999, 20_006_003) == "TACG"
