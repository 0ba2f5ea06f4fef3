"""The truth's own reading of genes agrees with the annotation of nodes' files."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.evaluation.suite import beacon_request
from rehearsal.genomes.gene_model import read_gene_model
from rehearsal.genomes.gene_model_file import write_gene_model
from rehearsal.genomes.transcripts import Transcript, read_transcripts
from rehearsal.model import Block, Gene, Query
from rehearsal.truth.gene_consequences import ACCESSIONS, GeneTruth
from rehearsal.truth.gene_files import GeneRow, read_genes
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources

from ..genomes.gene_model import CONTIG, LENGTH, bases_of_genes, two_genes
from ..genomes.test_annotation import Allele, annotate, block_with, random_alleles

TABLE = Path(__file__).resolve().parents[3] / "config/transcripts.tsv"


def row_of(one: Transcript) -> GeneRow:
    coding = (one.cds_start, one.cds_end)
    return GeneRow(one.gene, one.name, one.contig, one.strand, list(one.exons), coding)


def fetch(bases: str, contig: str, start: int, end: int) -> str:
    return bases[start:end]


@pytest.mark.parametrize("seed", range(4))
def test_both_routes_name_the_same_consequence_of_small_variants(seed: int) -> None:
    bases = bases_of_genes(seed)
    alleles = random_alleles(bases, np.random.default_rng(seed))
    table = annotate(alleles, bases)
    columns = (table[name] for name in ("position", "ref", "alt", "gene", "consequence"))
    found = {(p, r, a): (gene, label) for p, r, a, gene, label in zip(*columns, strict=True)}
    truth = GeneTruth([row_of(one) for one in two_genes()], partial(fetch, bases))
    expected = {}
    for allele in alleles:
        for one in truth.consequences(CONTIG, *allele):
            expected[allele] = (one.gene, one.label)
    differing = {
        allele: (found.get(allele), expected.get(allele))
        for allele in alleles
        if found.get(allele) != expected.get(allele)
    }
    assert differing == {}
    assert len(expected) > 800
    accessions = dict(zip(table["consequence"], table["consequence_id"], strict=True))
    assert accessions.items() <= ACCESSIONS.items()


def test_both_routes_name_the_same_consequence_of_structural_variants() -> None:
    bases = bases_of_genes(9)
    rng = np.random.default_rng(9)
    alts = ("<DEL>", "<DUP:TANDEM>", "<INS:ME:ALU>", "<INV>", "<CN0>", "<CN3>")
    alleles: list[Allele] = []
    ends = {}
    for place, position in enumerate(sorted(rng.choice(1_700, 300, replace=False).tolist())):
        alt = alts[place % len(alts)]
        size = 280 if alt == "<INS:ME:ALU>" else int(rng.integers(50, 1_200))
        end = position + 1 if alt == "<INS:ME:ALU>" else position + 1 + size
        alleles.append((position, bases[position], alt))
        ends[position] = (end, size)
    table = annotate(alleles, bases, ends)
    found = set(zip(table["position"], table["gene"], table["consequence"], strict=True))
    truth = GeneTruth([row_of(one) for one in two_genes()], partial(fetch, bases))
    expected = {
        (position, one.gene, one.label)
        for position, ref, alt in alleles
        for one in truth.consequences(CONTIG, position, ref, alt, ends[position][0])
    }
    assert found == expected
    assert len({label for *_, label in expected}) >= 6


def test_both_readers_find_the_same_genes(tmp_path: Path) -> None:
    assert sorted(read_genes(TABLE)) == sorted(map(row_of, read_transcripts(TABLE)))
    path = tmp_path / "genes.gff3.gz"
    write_gene_model(two_genes(), path)
    both = read_gene_model(TABLE, path, [Block(CONTIG, 0, LENGTH)])
    assert [row for row in read_genes(TABLE, path) if row.contig == CONTIG] == [
        row_of(one) for one in both
    ]


def a_person_with_many_alleles(tmp_path: Path) -> tuple[TruthSources, pd.DataFrame]:
    """Sources of the truth about one person, and the consequences of the person's alleles."""
    bases = bases_of_genes(3)
    alleles = [a for a in random_alleles(bases, np.random.default_rng(3)) if len(a[1]) == len(a[2])]
    alleles = [allele for allele in alleles if allele[0] % 7 == 0]
    block = Block(CONTIG, 0, LENGTH)
    ts = block_with(alleles, {})
    tables = ts.dump_tables()
    tables.individuals.add_row()
    tables.nodes.individual = np.zeros(1, np.int32)
    path = tmp_path / f"{block.id}.trees"
    tables.dump(path)
    people = pd.DataFrame(
        {"id": ["FI-1"], "country": ["FI"], "sex": ["male"], "birth_year": [1980]}
    )
    none = pd.DataFrame({name: [] for name in ("individual", "code", "mondo")})
    truth = GeneTruth([row_of(one) for one in two_genes()], partial(fetch, bases))
    genes = [Gene("A", CONTIG, 0, 2_000, "+"), Gene("B", CONTIG, 0, 2_000, "-")]
    sources = TruthSources({block: path}, people, none, none, none, genes, gene_truth=truth)
    return sources, annotate(alleles, bases)


def test_a_filter_by_consequence_keeps_the_variants_that_have_it_in_the_gene(
    tmp_path: Path,
) -> None:
    sources, table = a_person_with_many_alleles(tmp_path)
    for gene in ("A", "B"):
        for term, below in {
            "SO:0001583": {"SO:0001583"},
            "SO:0001627": {"SO:0001627", "SO:0001575", "SO:0001574"},  # splice sites
            "SO:0001819": {"SO:0001819", "SO:0001567", "SO:0002019"},  # start, stop retained
        }.items():
            request = beacon_request(
                {"geneId": gene}, [{"id": term}], "count", {"skip": 0, "limit": 10}
            )
            query = Query("q", "gene", "g_variants", request)
            answer = TruthCalculator(sources).compute_answer(query)["FI"]
            own = (table["gene"] == gene) & table["consequence_id"].isin(below)
            assert answer.count == own.sum() > 0


def test_filters_by_two_consequences_keep_the_variants_that_have_both(tmp_path: Path) -> None:
    sources, table = a_person_with_many_alleles(tmp_path)
    missense, other, intron = "SO:0001583", "SO:0001819", "SO:0001627"

    def count(*terms: str) -> int:
        place = {"referenceName": CONTIG, "start": [0], "end": [LENGTH]}
        filters = [{"id": term} for term in terms]
        request = beacon_request(place, filters, "count", {"skip": 0, "limit": 10})
        query = Query("q", "range", "g_variants", request)
        return TruthCalculator(sources).compute_answer(query)["FI"].count

    having = table.groupby(["position", "ref", "alt"])["consequence_id"].agg(set)
    for terms in ((missense,), (missense, intron), (missense, other)):
        assert count(*terms) == having.map(set(terms).issubset).sum()
    assert count(missense) > 0
