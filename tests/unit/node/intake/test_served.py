"""Whatever was built is served: every variant is found by allele and by range."""

import asyncio
from urllib.parse import urlencode

import orjson
import pytest

from rehearsal.cli import main
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.app import beacon_app
from rehearsal.node.server import open_node

from ..conftest import call
from .foreign_files import SAMPLES, write_vcf
from .test_headers import GATK
from .test_records import CALLS

RECORDS = {
    "others' contigs": [f"chr22 100 A G {CALLS}", f"HLA-A*01:01:01:01 7 A G {CALLS}"],
    "22 and MT": [f"22 100 A G {CALLS}", "MT 10 A G 1 0 0 1"],
    "lower case": [f"chr22 100 a g {CALLS}", f"chr22 200 act a {CALLS}"],
    "several alleles": ["chr22 100 AT A,GT,ATT 0/1 1/2 2/2 3/3", f"chr22 300 ACG TCT {CALLS}"],
    "duplicates": [f"chr22 100 A G {CALLS}", f"chr22 100 A G {CALLS}"],
    "structural": [
        f"chr22 100 N <DEL> {CALLS} INFO=END=5000",
        f"chr22 200 N <DUP:TANDEM> {CALLS} INFO=SVLEN=300",
        f"chr22 300 N <INS> {CALLS} INFO=SVLEN=300",
        f"chr22 400 N <CN0> {CALLS} INFO=END=500",
        f"chr22 500 N <INV> {CALLS} INFO=END=50818468",
        f"chr22 600 N N[chrX:5[ {CALLS}",
    ],
    "nothing to take": [f"chr22 100 A * {CALLS}"],
    "no records": [],
}


@pytest.fixture(params=RECORDS)
def node(request, tmp_path, capsys):
    """A node that the command built, and what it printed."""
    contigs = f"{GATK} MT=16569" if "MT" in request.param else f"{GATK} chrX=156040895"
    contigs = (
        contigs.replace("chr22", "22").replace("chrM=16569", "")
        if "MT" in request.param
        else contigs
    )
    write_vcf(tmp_path / "in.vcf", *RECORDS[request.param], contigs=contigs)
    rows = "".join(f"{name}\t{sex}\t1970\n" for name, sex in zip(SAMPLES, "fmmf", strict=True))
    people = "id\tsex\tbirth_year\n" + rows.replace("\tf\t", "\tfemale\t").replace(
        "\tm\t", "\tmale\t"
    )
    (tmp_path / "people.tsv").write_text(people)
    command = f"node build --vcf {tmp_path}/in.vcf --individuals {tmp_path}/people.tsv --country FI"
    main([*command.split(), "--out", f"{tmp_path}/node", "--access", "open"])
    return open_node(tmp_path / "node"), capsys.readouterr()


def ask(node, **parameters):
    """Count the people who match parameters of a query."""
    app = beacon_app(node, Authorizer(node.settings, node.people))
    asked = {"assemblyId": "GRCh38", "requestedGranularity": "count", **parameters}
    status, _, answer = asyncio.run(call(app, "/individuals", None, urlencode(asked)))
    assert status == 200
    return orjson.loads(answer)["responseSummary"]["numTotalResults"]


def test_every_variant_is_found_by_allele_and_by_range(node):
    opened, printed = node
    rows = list(opened.variants)
    for row in rows:
        place = {"referenceName": row.contig, "start": row.start}
        carriers = len(row.carriers())
        if row.svlen:
            kind = row.alt[1:-1].split(":")[0].replace("CN0", "DEL")
            exact = {"variantType": kind, "end": row.end}
            assert ask(opened, **place, **exact) >= carriers
        else:
            alleles = {"referenceBases": row.ref, "alternateBases": row.alt}
            assert ask(opened, **place, **alleles) == carriers
        assert ask(opened, **place, end=row.end) >= carriers > 0
    assert f"node: {len(rows)} variants of 4 people\n" in printed.out
    assert " records read, " in printed.out


@pytest.mark.parametrize("node", ["22 and MT"], indirect=True)
def test_other_names_of_contigs_are_noted(node):
    _, printed = node
    assert "in.vcf: contig 22 is read as chr22, and 1 more likewise" in printed.err
