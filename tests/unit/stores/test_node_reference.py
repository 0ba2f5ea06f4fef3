"""A node's reference: one file for all nodes, and which sequence names its bases."""

import pytest

from rehearsal.genomes.assembly import REFGET
from rehearsal.genomes.drawn_reference import DrawnReference
from rehearsal.genomes.gene_model_file import write_gene_model
from rehearsal.genomes.known_bases import KnownBases
from rehearsal.genomes.reference import read_reference
from rehearsal.genomes.reference_files import write_reference
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block
from rehearsal.stores.node_reference import (
    TILE,
    gene_bases_of_node,
    reference_bases_of_node,
    reference_of_node,
    share_reference,
)

REAL = KnownBases("chrM", 5_000, "ACGTACGTAC", "a test")
WHOLE = Block("chrM", 0, 16_569)
SOURCE = DrawnReference(3, real=[REAL])


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    write_reference(folder / "reference.fa.gz", folder / "contigs.json", [WHOLE], SOURCE)
    return sorted(folder.iterdir())


def test_nodes_share_one_file_and_read_its_bases(files, tmp_path):
    for node in ("FI", "ES"):
        share_reference(files, tmp_path / node)
    shared = tmp_path / "FI" / "reference" / "reference.fa.gz"
    assert shared.samefile(tmp_path / "ES" / "reference" / "reference.fa.gz")
    assert read_reference(shared, WHOLE) == SOURCE.bases(WHOLE).tobytes().decode()
    assert read_reference(shared, Block("chrM", 5_000, 5_010)) == REAL.bases
    names = reference_of_node(tmp_path / "FI")
    assert names.contigs["chrM"].length == 16_569


def test_only_real_bases_have_the_accession_of_grch38(files, tmp_path):
    share_reference(files, tmp_path)
    names = reference_of_node(tmp_path)
    assert names.accession("chrM", 5_000, 5_010) == REFGET["chrM"]
    drawn = names.accession("chrM", 4_999, 5_010)
    assert drawn == names.contigs["chrM"].refget != REFGET["chrM"]
    assert names.contigs["chrM"].name == "SYNTHETIC-3-chrM"
    assert names.accession("chr1", 0, 1) is None


def test_locations_name_the_sequence_whose_bases_they_have(files, tmp_path):
    share_reference(files, tmp_path)
    names = reference_of_node(tmp_path)
    assert names.sequence_id("chrM", 5_000, 5_001) == "refseq:NC_012920.1"
    assert names.sequence_id("chrM", 4_999, 5_000) == f"ga4gh:{names.contigs['chrM'].refget}"


def test_a_node_reads_the_gene_model_and_the_bases_of_its_genes(files, tmp_path):
    gene = Transcript("A", "NM_A.1", "chrM", "+", ((5_000, 5_010),), 5_001, 5_007, protein="NP_1.1")
    write_gene_model([gene], tmp_path / "genes.gff3.gz")
    share_reference([*files, tmp_path / "genes.gff3.gz"], tmp_path / "FI")
    genes = gene_bases_of_node(tmp_path / "FI")
    assert genes.transcript("NM_A.1") == genes.of_protein("NP_1.1") == gene
    assert genes.window(gene).get(5_000, 5_010) == REAL.bases
    assert genes.protein(gene) == "RT"  # CGT ACG
    assert genes.other_version("NM_A.2") == "NM_A.1"


def test_a_node_without_genes_or_reference_has_none(files, tmp_path):
    assert reference_of_node(tmp_path) is gene_bases_of_node(tmp_path) is None
    write_gene_model([], tmp_path / "genes.gff3.gz")
    share_reference([*files, tmp_path / "genes.gff3.gz"], tmp_path / "FI")
    assert gene_bases_of_node(tmp_path / "FI") is None


def test_a_node_keeps_the_bases_that_were_read_in_memory(files, tmp_path):
    share_reference(files, tmp_path)
    bases = reference_bases_of_node(tmp_path, reference_of_node(tmp_path))
    whole = SOURCE.bases(WHOLE).tobytes().decode()
    for start, end in ((0, 5), (5_000, 5_010), (TILE - 3, TILE + 3), (16_560, 16_569)):
        assert bases.get("chrM", start, end) == whole[start:end]
    (tmp_path / "reference" / "reference.fa.gz").unlink()
    assert bases.get("chrM", 5_000, 5_010) == REAL.bases
    assert bases.get("chrM", 16_568, 20_000) == whole[-1]  # the contig ends
    assert bases.get("chrM", 16_569, 20_000) == ""
    assert bases.get("chr1", 0, 1) is None
    assert reference_bases_of_node(tmp_path / "nowhere", None) is None
