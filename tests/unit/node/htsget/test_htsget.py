"""htsget: what a client puts together from a ticket is exactly the region, in one valid file."""

from __future__ import annotations

import asyncio
import base64
import gzip
import random
from types import SimpleNamespace
from urllib.parse import urlencode, urlsplit

import orjson
import pysam
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.routing import Mount

from rehearsal.formats.bgzf import END_OF_FILE, BgzfWriter
from rehearsal.formats.crypt4gh import encrypt_at_rest
from rehearsal.model import Block
from rehearsal.node.htsget import app as htsget
from rehearsal.node.htsget.data_endpoint import stream
from rehearsal.node.settings import NodeSettings
from rehearsal.web.problem import Problem

ID = "GDI-FI-REHEARSAL-1"
SAMPLES = [f"FI-{i + 1:06d}" for i in range(3000)]
BLOCKS = (
    Block("chr2", 0, 100_000),
    Block("chr17", 1_000_000, 1_200_000),
    Block("chr17", 1_200_000, 1_300_000),
    Block("chrX", 500_000, 600_000),
)
RECORDS = 100  # in a block: several BGZF blocks
LENGTH = 83_257_441


def write_block(folder, block: Block, seed: int, samples=SAMPLES) -> None:
    """A block's BCF as htslib writes it: one contig in the header, deletions among the records."""
    chance = random.Random(seed)
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID={block.contig},length={LENGTH}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join([*fixed, *samples]),
    ]
    for start in sorted(chance.sample(range(block.start, block.end - 2000), RECORDS)):
        ref = "A" * chance.choice((1, 1, 2, 500, 1999))
        calls = chance.choices(("0|0", "0|1", "1|0", "1|1"), k=len(SAMPLES))
        row = [block.contig, str(start + 1), ".", ref, "C", ".", ".", ".", "GT", *calls]
        lines.append("\t".join(row))
    write_bcf(folder, block, lines)


def write_bcf(folder, block: Block, lines: list[str]) -> None:
    text = folder.parent / "block.vcf"
    text.write_text("\n".join(lines) + "\n")
    path = str(folder / f"{block.id}.bcf")
    with (
        pysam.VariantFile(str(text)) as rows,
        pysam.VariantFile(path, "wb", header=rows.header) as out,
    ):
        for record in rows:
            out.write(record)
    pysam.tabix_index(path, preset="bcf", csi=True, force=True)


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("htsget") / "FI"
    (folder / "genomes").mkdir(parents=True)
    for seed, block in enumerate(BLOCKS):
        write_block(folder / "genomes", block, seed)
    return folder


@pytest.fixture(scope="session")
def oracle(plain_folder):
    """Every record of the node: (contig, start, end, text), in order, read by htslib itself."""
    rows = []
    for block in BLOCKS:
        with pysam.VariantFile(str(plain_folder / "genomes" / f"{block.id}.bcf")) as reader:
            rows += [(one.contig, one.start, one.stop, str(one)) for one in reader]
    return rows


def app_of(folder) -> Starlette:
    settings = NodeSettings.for_country("FI", "Finland")
    node_data = SimpleNamespace(
        settings=settings,
        people=SimpleNamespace(path=folder / "people.sqlite"),
        variants=SimpleNamespace(individuals=SAMPLES),
    )
    return Starlette(routes=[Mount("/htsget", htsget.htsget_app(node_data))])


@pytest.fixture(scope="session")
def app(plain_folder):
    return app_of(plain_folder)


@pytest.fixture(scope="session")
def encrypted_app(plain_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("encrypted") / "FI"
    (folder / "genomes").mkdir(parents=True)
    for path in (plain_folder / "genomes").iterdir():
        (folder / "genomes" / path.name).write_bytes(path.read_bytes())
    encrypt_at_rest(folder)
    return app_of(folder)


@pytest.fixture(autouse=True)
def everybody(monkeypatch):
    """Everybody may read everything, unless a test says otherwise."""
    monkeypatch.setattr(htsget, "may_read", lambda request, dataset: ())


def call(app, target, body=None, method=None, headers=None):
    """One request without a socket: (status, headers, body)."""
    url = urlsplit(target)
    sent = []
    fields = {"host": "node.example", **(headers or {})}
    scope = {
        "type": "http",
        "method": method or ("GET" if body is None else "POST"),
        "path": url.path,
        "query_string": url.query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in fields.items()],
        "scheme": "http",
        "server": ("node.example", 80),
        "root_path": "",
    }

    waiting = [{"type": "http.request", "body": body or b"", "more_body": False}]

    async def receive():
        if waiting:
            return waiting.pop()
        return await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    start, *rest = sent
    answer = b"".join(message.get("body", b"") for message in rest)
    return start["status"], {k.decode(): v.decode() for k, v in start["headers"]}, answer


def ticket(app, regions=None, headers=None, **parameters):
    """The ticket for GET parameters, or for POST regions."""
    if regions is not None:
        body = orjson.dumps({**parameters, "regions": regions})
        status, told, answer = call(app, f"/htsget/variants/{ID}", body, headers=headers)
    else:
        target = f"/htsget/variants/{ID}?{urlencode(parameters)}"
        status, told, answer = call(app, target, headers=headers)
    assert status == 200, answer
    assert told["content-type"] == "application/vnd.ga4gh.htsget.v1.3.0+json"
    return orjson.loads(answer)["htsget"]


def fetch(app, one: dict) -> bytes:
    """What one URL of a ticket gives."""
    if one["url"].startswith("data:"):
        return base64.b64decode(one["url"].partition(";base64,")[2])
    status, _, body = call(app, one["url"], headers=one.get("headers"))
    assert status == 200, body
    return body


def put_together(app, told: dict) -> bytes:
    return b"".join(fetch(app, one) for one in told["urls"])


def records(app, tmp_path, regions=None, **parameters):
    """The file that a client writes, read by htslib: (contig, start, end, text) a record."""
    path = tmp_path / "region"
    path.write_bytes(put_together(app, ticket(app, regions, **parameters)))
    with pysam.VariantFile(str(path)) as reader:
        assert list(reader.header.samples) == SAMPLES
        return [(one.contig, one.start, one.stop, str(one)) for one in reader]


def overlapping(oracle, *places):
    return [
        row
        for row in oracle
        if any(row[0] == c and row[1] < end and row[2] > start for c, start, end in places)
    ]


@pytest.fixture(params=["BCF", "VCF"])
def fmt(request):
    return request.param


@pytest.fixture(params=["plain", "encrypted"])
def either(request, app, encrypted_app):
    return app if request.param == "plain" else encrypted_app


def test_without_a_place_everything_comes_contig_by_contig(either, oracle, tmp_path, fmt):
    got = records(either, tmp_path, format=fmt)
    assert got == oracle
    assert len({row[0] for row in got}) == 3


@pytest.mark.parametrize("fmt", ["BCF", "VCF"])
def test_a_file_that_is_one_block_comes_whole(tmp_path, fmt):
    """Header and records share the block, and the mark of the end follows."""
    folder = tmp_path / "FI"
    (folder / "genomes").mkdir(parents=True)
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *SAMPLES[:3]]
    lines = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID=chr2,length={LENGTH}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join(fixed),
        *(f"chr2\t{place}\t.\tA\tC\t.\t.\t.\tGT\t0|1\t0|0\t1|1" for place in (10, 20, 30)),
    ]
    write_bcf(folder / "genomes", BLOCKS[0], lines)
    path = folder / "genomes" / f"{BLOCKS[0].id}.bcf"
    content = gzip.decompress(path.read_bytes())
    with BgzfWriter(path) as writer:
        writer.write(content)
    pysam.tabix_index(str(path), preset="bcf", csi=True, force=True)
    path = tmp_path / "whole"
    path.write_bytes(put_together(app_of(folder), ticket(app_of(folder), format=fmt)))
    with pysam.VariantFile(str(path)) as reader:
        assert [str(row) for row in reader] == [f"{line}\n" for line in lines[4:]]


def test_a_region_within_a_block(either, oracle, tmp_path, fmt):
    place = ("chr17", 1_050_000, 1_100_000)
    expected = overlapping(oracle, place)
    assert expected
    got = records(
        either, tmp_path, format=fmt, referenceName=place[0], start=place[1], end=place[2]
    )
    assert got == expected


def test_a_region_over_two_files_is_one_file(either, oracle, tmp_path, fmt):
    place = ("chr17", 1_150_000, 1_250_000)
    got = records(
        either, tmp_path, format=fmt, referenceName=place[0], start=place[1], end=place[2]
    )
    assert got == overlapping(oracle, place)
    assert {row[1] < 1_200_000 for row in got} == {True, False}


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_region_is_exactly_its_records(app, oracle, tmp_path, data):
    near = [edge for row in oracle if row[0] == "chr17" for edge in (row[1], row[2])]
    edge = st.one_of(st.sampled_from(near), st.integers(990_000, 1_310_000))
    nudged = st.builds(lambda at, by: at + by, edge, st.integers(-1, 1))
    start, end = sorted((data.draw(nudged), data.draw(nudged)))
    got = records(app, tmp_path, format="BCF", referenceName="chr17", start=start, end=end)
    assert got == (overlapping(oracle, ("chr17", start, end)) if start < end else [])


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["chr2", "chr17", "chrX"]),
            st.sampled_from([0, 500_000, 1_000_000]),
            st.integers(0, 290_000),
            st.integers(1, 40_000),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_regions_of_a_post_come_once_each_in_the_order_of_the_genome(app, oracle, tmp_path, asked):
    places = [(contig, base + at, base + at + size) for contig, base, at, size in asked]
    regions = [{"referenceName": c, "start": start, "end": end} for c, start, end in places]
    got = records(app, tmp_path, regions, format="BCF")
    assert got == overlapping(oracle, *places)


def test_a_deletion_between_two_regions_comes_once(app, oracle, tmp_path, fmt):
    contig, start, end, _ = next(row for row in oracle if row[2] - row[1] > 1000)
    places = [(contig, start - 10, start + 10), (contig, end - 10, end + 10)]
    regions = [{"referenceName": c, "start": first, "end": last} for c, first, last in places]
    got = records(app, tmp_path, regions, format=fmt)
    assert got == overlapping(oracle, *places)


def test_a_region_without_records_is_a_valid_empty_file(app, tmp_path, fmt):
    assert records(app, tmp_path, format=fmt, referenceName="chr2", start=5, end=5) == []
    assert records(app, tmp_path, format=fmt, referenceName="chr2", start=99_999_999) == []


def test_vcf_is_meant_when_no_format_is_named(app):
    assert ticket(app)["format"] == "VCF"


def test_the_header_alone(app, tmp_path, fmt):
    told = ticket(app, **{"format": fmt, "class": "header"})
    assert {one["class"] for one in told["urls"]} == {"header"}
    path = tmp_path / "header"
    path.write_bytes(put_together(app, told) + END_OF_FILE)
    with pysam.VariantFile(str(path)) as reader:
        assert list(reader.header.contigs) == ["chr2", "chr17", "chrX"]
        assert list(reader.header.samples) == SAMPLES


def test_every_url_of_a_ticket_has_its_class(app):
    told = ticket(app, referenceName="chr17")
    assert [one["class"] for one in told["urls"]] == ["header", "body", "body", "body"]
    assert fetch(app, told["urls"][-1]) == END_OF_FILE


def test_blocks_of_one_contig_are_sent_as_they_are_in_the_file(app, plain_folder):
    told = ticket(app, format="BCF", referenceName="chr17", start=1_000_000, end=1_200_000)
    body = fetch(app, told["urls"][1])
    stored = (plain_folder / "genomes" / f"{BLOCKS[1].id}.bcf").read_bytes()
    assert body[-5000:] == stored[: -len(END_OF_FILE)][-5000:]


def test_token_and_purpose_go_along_with_every_request_for_data(app):
    sent = {"Authorization": "Bearer abc", "X-Rehearsal-Purpose": "DUO:0000006"}
    told = ticket(app, headers={**sent, "Accept": "*/*", "Cookie": "a=b"})
    for one in told["urls"]:
        if not one["url"].startswith("data:"):
            assert one["headers"] == sent


def test_tickets_and_service_info_follow_the_official_schemas(app, shared):
    import jsonschema
    from referencing import Registry, Resource

    folder = shared / "reference" / "schemas" / "htsget"
    schema = orjson.loads((folder / "htsgetResponse.json").read_bytes())
    url = orjson.loads((folder / "htsgetUrl.json").read_bytes())
    for one in (schema, url):
        one.pop("$id", None)
    definition = schema["definitions"]["htsgetResponse"]
    definition["properties"]["htsget"]["properties"]["urls"]["items"] = {"$ref": "urn:url"}
    if "definitions" in url:
        url = {**url, **url["definitions"].get("htsgetUrl", {})}
    url.pop("$ref", None)
    registry = Registry().with_resources(
        [("urn:url", Resource.from_contents(url, default_specification=None or _draft4()))]
    )
    check = jsonschema.Draft4Validator(definition, registry=registry)
    check.validate({"htsget": ticket(app, referenceName="chr17")})
    example = orjson.loads((folder / "serviceInfoResponse.json").read_bytes())
    status, _, body = call(app, "/htsget/variants/service-info")
    info = orjson.loads(body)
    assert status == 200
    assert set(example) <= set(info)
    assert info["type"] == example["type"]
    assert set(info["htsget"]) == set(example["htsget"])


def _draft4():
    from referencing.jsonschema import DRAFT4

    return DRAFT4


# --- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "error"),
    [
        ("format=BAM", "UnsupportedFormat"),
        ("format=bcf", "UnsupportedFormat"),
        ("start=5", "InvalidInput"),
        ("end=5", "InvalidInput"),
        ("referenceName=chr17&start=6&end=5", "InvalidRange"),
        ("referenceName=chr17&start=-1", "InvalidInput"),
        ("referenceName=chr17&start=4294967296", "InvalidInput"),
        ("referenceName=chr17&start=1.5", "InvalidInput"),
        ("referenceName=chr17&start=%D9%A3", "InvalidInput"),
        ("referenceName=chr17&referenceName=chr2", "InvalidInput"),
        ("referenceName=chr3", "NotFound"),
        ("referenceName=*", "NotFound"),
        ("referenceMD5=0123", "InvalidInput"),
        ("class=body", "InvalidInput"),
        ("class=header&referenceName=chr17", "InvalidInput"),
        ("class=header&fields=POS", "InvalidInput"),
        ("tags=A,B&notags=B", "InvalidInput"),
        ("regions=chr17", "InvalidInput"),
    ],
)
def test_bad_parameters_are_refused_as_the_specification_says(app, parameters, error):
    status, _, body = call(app, f"/htsget/variants/{ID}?{parameters}")
    told = orjson.loads(body)["htsget"]
    assert (status, told["error"]) == (404 if error == "NotFound" else 400, error)
    assert told["message"]


@pytest.mark.parametrize(
    ("body", "error", "status"),
    [
        (b"", "InvalidInput", 400),
        (b"[]", "InvalidInput", 400),
        (b'{"regions": []}', "InvalidInput", 400),
        (b'{"regions": {}}', "InvalidInput", 400),
        (b'{"regions": [1]}', "InvalidInput", 400),
        (b'{"regions": [{"start": 1}]}', "InvalidInput", 400),
        (b'{"regions": [{"referenceName": "chr17", "start": true}]}', "InvalidInput", 400),
        (b'{"regions": [{"referenceName": "chr17", "start": 2, "end": 1}]}', "InvalidRange", 400),
        (b'{"regions": [{"referenceName": "chr3"}]}', "NotFound", 404),
        (b'{"referenceName": "chr17"}', "InvalidInput", 400),
        (b'{"format": ["BCF"]}', "UnsupportedFormat", 400),
        (b'{"tags": "A"}', "InvalidInput", 400),
        (b"[" * 1_000_000, "InvalidInput", 400),
        (b" " * 1_100_000, "PayloadTooLarge", 413),
    ],
)
def test_bad_bodies_are_refused_as_the_specification_says(app, body, error, status):
    got, _, answer = call(app, f"/htsget/variants/{ID}", body)
    assert (got, orjson.loads(answer)["htsget"]["error"]) == (status, error)


def test_a_method_that_is_not_served_is_told_which_are(app):
    status, headers, body = call(app, "/htsget/variants/service-info", method="DELETE")
    assert (status, set(headers["allow"].split(", "))) == (405, {"GET", "HEAD"})
    assert orjson.loads(body)["htsget"]["error"] == "InvalidInput"


def test_a_post_has_no_parameters_in_its_url(app):
    status, _, _ = call(app, f"/htsget/variants/{ID}?format=BCF", b"{}")
    assert status == 400


@pytest.mark.parametrize(
    "path",
    [
        "/htsget/variants/GDI-SE-REHEARSAL-1",
        "/htsget/variants/a/b",
        f"/htsget/reads/{ID}",
        "/htsget/reads/service-info",
        f"/htsget/data/{ID}/chr1-0-5.bcf",
        f"/htsget/data/{ID}/{BLOCKS[0].id}.bam",
        f"/htsget/data/{ID}/{BLOCKS[0].id}.bcf.csi",
        f"/htsget/data/{ID}/header.sam",
        f"/htsget/data/{ID}/header.bcf?contig=chr3",
        f"/htsget/data/GDI-SE-REHEARSAL-1/{BLOCKS[0].id}.bcf",
        f"/htsget/data/{ID}/..%2F..%2Fnode.yaml",
    ],
)
def test_what_is_not_here_is_404(app, path):
    status, _, body = call(app, path)
    assert (status, orjson.loads(body)["htsget"]["error"]) == (404, "NotFound")


def test_a_node_without_genomes_says_404(tmp_path):
    status, _, _ = call(app_of(tmp_path), f"/htsget/variants/{ID}")
    assert status == 404


# --- who may read -------------------------------------------------------------------------------


@pytest.fixture
def guarded(app, monkeypatch):
    def wants_token(request, dataset):
        token = request.headers.get("authorization")
        if token is None:
            raise Problem("a bearer token is needed", 401)
        if token != "Bearer right":
            raise Problem("not with this token", 403)
        return ()

    monkeypatch.setattr(htsget, "may_read", wants_token)
    return app


GUARDED = (
    f"/htsget/variants/{ID}",
    "/htsget/variants/unknown",
    f"/htsget/data/{ID}/header.bcf",
    f"/htsget/data/{ID}/header.vcf.gz",
    f"/htsget/data/{ID}/{BLOCKS[0].id}.bcf",
    f"/htsget/data/{ID}/{BLOCKS[0].id}.vcf.gz",
    f"/htsget/data/{ID}/chr1-0-5.bcf",
)


@pytest.mark.parametrize("path", GUARDED)
def test_without_the_right_token_nothing_is_told_not_even_what_exists(guarded, path):
    status, headers, body = call(guarded, path)
    assert status == 401
    assert headers["www-authenticate"] == "Bearer"
    assert orjson.loads(body)["htsget"]["error"] == "InvalidAuthentication"
    status, _, body = call(guarded, path, headers={"Authorization": "Bearer wrong"})
    assert status == 403
    assert orjson.loads(body)["htsget"]["error"] == "PermissionDenied"


def test_with_the_right_token_the_region_is_read(guarded, oracle, tmp_path):
    told = ticket(
        guarded, format="BCF", referenceName="chrX", headers={"Authorization": "Bearer right"}
    )
    path = tmp_path / "region.bcf"
    path.write_bytes(put_together(guarded, told))
    with pysam.VariantFile(str(path)) as reader:
        assert [str(one) for one in reader] == [row[3] for row in oracle if row[0] == "chrX"]


def test_the_rules_of_access_decide_at_a_whole_node(ask, monkeypatch):
    """They are asked as they are; this node's folder has no genomes."""
    monkeypatch.undo()
    status, body = ask(f"/htsget/variants/{ID}")
    assert status in (401, 403, 404)
    assert set(body) == {"htsget"}


@pytest.mark.parametrize("status", [401, 403])
def test_refusals_by_the_rules_of_access_become_htsgets_own(app, monkeypatch, status):
    def refuse(request, dataset):
        assert dataset == ID
        raise Problem("not you", status)

    monkeypatch.setattr(htsget, "may_read", refuse)
    got, _, body = call(app, f"/htsget/variants/{ID}")
    error = {401: "InvalidAuthentication", 403: "PermissionDenied"}[status]
    assert (got, orjson.loads(body)["htsget"]) == (status, {"error": error, "message": "not you"})


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    few=st.sets(st.integers(43, len(SAMPLES) - 1), max_size=5), fmt=st.sampled_from(["BCF", "VCF"])
)
def test_people_who_are_left_out_leave_no_trace(app, rare, tmp_path, monkeypatch, few, fmt):
    """The only carriers of an allele, and any others, are left out."""
    folder, carriers = rare
    excluded = few | carriers
    monkeypatch.setattr(htsget, "may_read", lambda request, dataset: excluded)
    path = tmp_path / "left"
    path.write_bytes(put_together(app_of(folder), ticket(app_of(folder), format=fmt)))
    kept = [name for i, name in enumerate(SAMPLES) if i not in excluded]
    with pysam.VariantFile(str(path)) as reader:
        assert list(reader.header.samples) == kept
        rows = list(reader)
        expected = [("C", "T"), ("G", "T"), ("T", "A", "G")]
        assert [one.alleles for one in rows] == expected
        assert [dict(one.info) for one in rows] == [{}, {}, {}]
        calls = rows[2].samples
        assert [calls[SAMPLES[i]]["GT"] for i in (40, 41, 42)] == [(1, 2), (1,), (None,)]
        for one in rows[:2]:
            calls = [call["GT"] for call in one.samples.values()]
            assert calls == [(0, 1) if name == SAMPLES[40] else (0, 0) for name in kept]


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    """A node with alleles that persons 7 and 9 alone carry, and others; and the two."""
    folder = tmp_path_factory.mktemp("rare") / "FI"
    (folder / "genomes").mkdir(parents=True)
    fixed = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines = [
        "##fileformat=VCFv4.3",
        f"##contig=<ID=chr2,length={LENGTH}>",
        '##INFO=<ID=AC,Number=A,Type=Integer,Description="">',
        '##FORMAT=<ID=DP,Number=1,Type=Integer,Description="">',
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="">',
        "\t".join([*fixed, *SAMPLES]),
    ]
    for position, ref, alts, calls in (
        (10, "A", "G", {7: "0|1", 9: "1|1"}),
        (20, "C", "G,T", {7: "0|1", 40: "0|2"}),
        (30, "G", "T", {9: "1|1", 40: "0|1"}),
        (40, "T", "A,C,G", {7: "2", 9: "3|1", 40: "1|3", 41: "1", 42: "."}),
    ):
        given = [calls.get(i, "0|0") + ":3" for i in range(len(SAMPLES))]
        counts = ",".join("1" for _ in alts.split(","))
        row = ["chr2", str(position), ".", ref, alts, ".", "PASS", f"AC={counts}", "GT:DP", *given]
        lines.append("\t".join(row))
    write_bcf(folder / "genomes", BLOCKS[0], lines)
    return folder, {7, 9}


# --- data blocks --------------------------------------------------------------------------------

WHOLE = f"/htsget/data/{ID}/{BLOCKS[1].id}.bcf?start=1050000&end=1150000"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.integers(0, 35_000), size=st.integers(1, 80_000), form=st.sampled_from("abc"))
def test_any_range_is_the_same_bytes_as_in_the_whole(either, first, size, form):
    _, headers, whole = call(either, WHOLE)
    assert int(headers["content-length"]) == len(whole) > 40_000
    wanted = {
        "a": (f"bytes={first}-{first + size - 1}", whole[first : first + size]),
        "b": (f"bytes={first}-", whole[first:]),
        "c": (f"bytes=-{size}", whole[-size:]),
    }
    text, expected = wanted[form]
    status, headers, body = call(either, WHOLE, headers={"Range": text})
    assert status == 206
    assert body == expected
    begin = len(whole) - len(body) if form == "c" else first
    assert headers["content-range"] == f"bytes {begin}-{begin + len(body) - 1}/{len(whole)}"


@pytest.mark.parametrize("text", ["bytes=99999999-", "bytes=-0"])
def test_a_range_behind_the_end_is_416(app, text):
    length = call(app, WHOLE)[1]["content-length"]
    status, headers, body = call(app, WHOLE, headers={"Range": text})
    assert (status, headers["content-range"], body) == (416, f"bytes */{length}", b"")


@pytest.mark.parametrize("text", ["bytes=5-2", "bytes=0-1,5-6", "lines=1-2", "bytes=-", "bytes=x-"])
def test_what_is_not_one_range_gets_everything(app, text):
    assert call(app, WHOLE, headers={"Range": text})[0] == 200


def test_head_tells_the_length_without_the_bytes(app):
    length = call(app, WHOLE)[1]["content-length"]
    status, headers, body = call(app, WHOLE, method="HEAD")
    assert (status, headers["content-length"], body) == (200, length, b"")
    assert headers["accept-ranges"] == "bytes"


def test_a_stream_wants_http_1_1():
    old = Request({"type": "http", "method": "GET", "http_version": "1.0"})
    with pytest.raises(HTTPException) as refused:
        asyncio.run(stream(old, iter([b"BCF"])))
    assert refused.value.status_code == 505


def test_head_of_a_stream_tells_no_length(app):
    target = f"/htsget/data/{ID}/{BLOCKS[1].id}.vcf.gz"
    status, headers, body = call(app, target, method="HEAD")
    assert (status, body) == (200, b"")
    assert "content-length" not in headers


def test_a_missing_index_is_an_error_and_told_without_insides(plain_folder, tmp_path, caplog):
    (tmp_path / "genomes").mkdir()
    name = f"{BLOCKS[1].id}.bcf"
    (tmp_path / "genomes" / name).write_bytes((plain_folder / "genomes" / name).read_bytes())
    broken = app_of(tmp_path)
    for suffix in ("bcf", "vcf.gz"):
        target = f"/htsget/data/{ID}/{BLOCKS[1].id}.{suffix}?start=1050000&end=1060000"
        status, _, body = call(broken, target)
        assert (status, orjson.loads(body)["htsget"]["error"]) == (500, "InternalServerError")
        assert str(tmp_path) not in body.decode()
        assert f"{name}.csi" in caplog.text


def test_files_of_other_people_are_not_joined(plain_folder, tmp_path, caplog):
    (tmp_path / "genomes").mkdir()
    for path in (plain_folder / "genomes").iterdir():
        (tmp_path / "genomes" / path.name).write_bytes(path.read_bytes())
    write_block(tmp_path / "genomes", BLOCKS[0], 1, SAMPLES[::-1])
    status, _, _ = call(app_of(tmp_path), f"/htsget/data/{ID}/header.bcf")
    assert status == 500
    assert "the same as in" in caplog.text


@pytest.mark.parametrize("bad", ["start=x", "end=-1", "after=99999999999", "number=1.0"])
def test_bad_numbers_of_a_data_block_are_400(app, bad):
    assert call(app, f"/htsget/data/{ID}/{BLOCKS[1].id}.bcf?{bad}")[0] == 400


def test_a_browser_may_ask_from_another_site(app):
    _, headers, _ = call(app, f"/htsget/variants/{ID}", headers={"Origin": "https://a.example"})
    assert headers["access-control-allow-origin"] == "https://a.example"
    asked = {
        "Origin": "https://a.example",
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization",
    }
    status, headers, _ = call(app, f"/htsget/variants/{ID}", method="OPTIONS", headers=asked)
    assert status == 200
    assert headers["access-control-allow-headers"] == "authorization"
    assert headers["access-control-max-age"] == "2592000"
