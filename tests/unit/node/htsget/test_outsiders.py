"""What others' htsget clients and test suites expect of a node.

Read from:

- ``samtools/hts-specs`` c101c797106d8a1006b9b06f75e8bcc6062cf81e, htsget.md (1.3.0)
- ``ga4gh/htsget-compliance`` 0e3cb648896b2d5bac71729b0541d36e6d05c0b3,
  ga4gh/htsget/compliance/config/test_case_property_matrix.py lines 84-151 (the cases of variants),
  config/methods.py lines 28-35 and 53-88 (how it joins a ticket, and that it knows inline data by
  ``data:;base64,`` alone)
- ``ga4gh/htsget-refserver`` 197f3f50cdb735e523fe1f88b9af0f18faec3a0b,
  internal/htsserver/requestsingle_test.go lines 50-66 (unknown identifiers)
"""

import base64

import orjson
import pysam
import pytest

from rehearsal.model import Block

from .conftest import ID, SAMPLES, app_of, call, fetch, put_together, ticket, write_bcf

HERE, EMPTY = Block("chr17", 1_000_000, 1_100_000), "chr22"
PLACE = 1_050_000


@pytest.fixture(scope="module")
def sparse(tmp_path_factory):
    """A node whose header lists two contigs, of which one has records."""
    folder = tmp_path_factory.mktemp("sparse") / "FI"
    (folder / "genomes").mkdir(parents=True)
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    row = [HERE.contig, str(PLACE + 1), ".", "A", "C", ".", ".", ".", "GT"]
    lines = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID={EMPTY},length=50818468>",
        f"##contig=<ID={HERE.contig},length=83257441>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join([*fixed, *SAMPLES]),
        "\t".join([*row, *["0|1"] * len(SAMPLES)]),
    ]
    write_bcf(folder / "genomes", HERE, lines)
    return app_of(folder)


def read(app, told, tmp_path):
    """Return (contigs of the header, positions of the records) by htslib."""
    path = tmp_path / "file"
    path.write_bytes(put_together(app, told))
    with pysam.VariantFile(str(path)) as reader:
        return set(reader.header.contigs), [(one.contig, one.start) for one in reader]


def test_a_listed_contig_without_data_is_an_empty_file(sparse, fmt, tmp_path):
    """Requests with empty results still get header and end-of-file marker."""
    told = ticket(sparse, format=fmt, referenceName=EMPTY)
    assert read(sparse, told, tmp_path) == ({EMPTY, HERE.contig}, [])


def test_a_listed_contig_without_data_among_regions_of_a_post(sparse, fmt, tmp_path):
    regions = [{"referenceName": EMPTY, "start": 5, "end": 9}, {"referenceName": HERE.contig}]
    told = ticket(sparse, regions, format=fmt)
    assert read(sparse, told, tmp_path)[1] == [(HERE.contig, PLACE)]
    told = ticket(sparse, regions[:1], format=fmt)
    assert read(sparse, told, tmp_path)[1] == []


def test_a_contig_that_no_header_lists_is_not_found(sparse):
    status, _, body = call(sparse, f"/htsget/variants/{ID}?referenceName=chr23")
    assert (status, orjson.loads(body)["htsget"]["error"]) == (404, "NotFound")


@pytest.mark.parametrize("scheme", [None, "crypt4gh"])
@pytest.mark.parametrize("asked", [None, "VCF", "BCF"])
def test_the_cases_of_the_compliance_suite(asked, scheme, sparse, tmp_path):
    """The suite joins what it gets from http and from ``data:;base64,``, and nothing else."""
    given = {"format": asked, "encryptionScheme": scheme}
    told = ticket(sparse, **{key: one for key, one in given.items() if one is not None})
    assert told["format"] == (asked or "VCF")
    data = b""
    for one in told["urls"]:
        if one["url"].startswith("data:;base64,"):
            data += base64.b64decode(one["url"].split("data:;base64,")[-1], validate=True)
        elif one["url"].startswith(("http://", "https://")):
            data += fetch(sparse, one)
    path = tmp_path / "joined"
    path.write_bytes(data)
    assert data.endswith(base64.b64decode(told["urls"][-1]["url"].partition(",")[2]))
    with pysam.VariantFile(str(path)) as reader:
        assert [one.start for one in reader] == [PLACE]


def test_unplaced_reads_have_no_positions(sparse):
    """``start`` with the reference ``*`` is InvalidInput, the reference alone is not found."""
    for query, expected in (("&start=1", (400, "InvalidInput")), ("", (404, "NotFound"))):
        status, _, body = call(sparse, f"/htsget/variants/{ID}?referenceName=*{query}")
        assert (status, orjson.loads(body)["htsget"]["error"]) == expected
