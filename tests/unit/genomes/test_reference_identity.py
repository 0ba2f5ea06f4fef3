"""What headers say of the reference is true of its bases, in every format alike."""

import hashlib
import zipfile

import msprime
import orjson
import pandas as pd
import pysam
import pytest
import tskit

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.export.vcf import write_bcf, write_vcf
from rehearsal.export.vcf_zarr import write_vcf_zarr
from rehearsal.genomes.assembly import REFGET
from rehearsal.genomes.drawn_reference import DrawnReference
from rehearsal.genomes.reference_files import write_reference
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.genomes.tree_metadata import TREES_SCHEMA, trees_metadata
from rehearsal.model import Block
from rehearsal.stores.country_shards import write_shards

LENGTH = 16_569
WHOLE = Block("chrM", 0, LENGTH)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """The identity of a drawn reference, and genotypes of two people on it."""
    folder = tmp_path_factory.mktemp("run")
    fasta, contigs = folder / "reference.fa.gz", folder / "contigs.json"
    write_reference(fasta, contigs, [WHOLE], DrawnReference(3))
    identity = ReferenceIdentity.read(contigs, fasta)
    tables = msprime.sim_ancestry(2, ploidy=1, sequence_length=LENGTH, random_seed=1).dump_tables()
    with pysam.FastaFile(str(fasta)) as file:
        bases = file.fetch("chrM")
    site = tables.sites.add_row(9, bases[9])
    tables.mutations.add_row(site, 0, "ACGT"["CGTA".index(bases[9])], time=tskit.UNKNOWN_TIME)
    tables.metadata_schema, tables.metadata = TREES_SCHEMA, trees_metadata(identity, "chrM")
    people = pd.DataFrame({"id": ["FI-1", "FI-2"], "country": "FI", "sex": "female"})
    md5 = hashlib.md5(bases.encode()).hexdigest()
    return tables.tree_sequence(), people, md5


def test_headers_name_the_file_and_the_digest_and_say_synthetic(run, tmp_path):
    ts, people, md5 = run
    genotypes = Genotypes.of([ts], "chrM", people)
    write_bcf(genotypes, tmp_path / "x.bcf")
    write_vcf(genotypes, tmp_path / "x.vcf.gz")
    write_shards(ts, WHOLE, people, {"FI": tmp_path / "node.bcf"}, {})
    write_pgen(genotypes, tmp_path / "x.pgen")
    headers = [(tmp_path / "x.pvar").read_text()]
    for name in ("x.bcf", "x.vcf.gz", "node.bcf"):
        with pysam.VariantFile(str(tmp_path / name)) as file:
            headers.append(str(file.header))
    contig = f"##contig=<ID=chrM,length={LENGTH},assembly=synthetic-GRCh38,md5={md5}>"
    for header in headers:
        assert {contig, "##reference=reference.fa.gz"} <= set(header.splitlines())
        assert "assembly=GRCh38" not in header
    write_vcf_zarr(genotypes, tmp_path / "x.vcz.zip")
    with zipfile.ZipFile(tmp_path / "x.vcz.zip") as archive:
        attributes = orjson.loads(archive.read(".zattrs"))
    about = {"assembly": "synthetic-GRCh38", "reference": "reference.fa.gz", "md5": md5}
    assert about.items() <= attributes.items()


@pytest.mark.parametrize(("bases", "assembly"), [("GRCh38", "GRCh38"), ("given", None)])
def test_only_a_contig_with_the_bases_of_grch38_is_called_so(bases, assembly):
    identity = {"length": LENGTH, "refget": REFGET["chrM"], "md5": "0", "name": "", "real": []}
    found = ReferenceIdentity.of({"file": "x.fa", "contigs": {"chrM": identity | {"bases": bases}}})
    assert found.assembly("chrM") == (assembly or "synthetic-GRCh38")
    assert found.assembly("chr1") == "synthetic-GRCh38"
