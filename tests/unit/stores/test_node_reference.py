"""A node's reference: bases by place, and which sequence names them."""

import pytest

from rehearsal.genomes.assembly import REFGET
from rehearsal.genomes.drawn_reference import DrawnReference
from rehearsal.genomes.known_bases import KnownBases
from rehearsal.genomes.reference_files import write_reference
from rehearsal.model import Block
from rehearsal.stores.node_reference import open_reference, share_reference

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
    reference = open_reference(tmp_path / "FI")
    assert reference.fetch("chrM", 5_000, 5_010) == REAL.bases
    assert reference.fetch("chrM", 100, 900) == SOURCE.bases(WHOLE).tobytes().decode()[100:900]
    assert reference.contigs["chrM"].length == 16_569
    reference.close()


def test_only_real_bases_have_the_accession_of_grch38(files, tmp_path):
    share_reference(files, tmp_path)
    reference = open_reference(tmp_path)
    assert reference.accession("chrM", 5_000, 5_010) == REFGET["chrM"]
    drawn = reference.accession("chrM", 4_999, 5_010)
    assert drawn == reference.contigs["chrM"].refget != REFGET["chrM"]
    assert reference.contigs["chrM"].name == "SYNTHETIC-3-chrM"
    assert reference.accession("chr1", 0, 1) is None


def test_a_node_without_reference_has_none(tmp_path):
    assert open_reference(tmp_path) is None
