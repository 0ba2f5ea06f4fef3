"""Tickets, refusals and rights of htsget."""

from __future__ import annotations

import orjson
import pysam
import pytest

from rehearsal.formats.bgzf import END_OF_FILE
from rehearsal.node.htsget import app as htsget
from rehearsal.web.problem import Problem

from .conftest import BLOCKS, ID, SAMPLES, app_of, call, fetch, put_together, ticket


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
        ("referencename=chr17", "InvalidInput"),
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
        (b'{"regions": null}', "InvalidInput", 400),
        (b'{"regions": {}}', "InvalidInput", 400),
        (b'{"regions": [1]}', "InvalidInput", 400),
        (b'{"regions": [{"start": 1}]}', "InvalidInput", 400),
        (b'{"regions": [{"referenceName": "chr17", "start": true}]}', "InvalidInput", 400),
        (b'{"regions": [{"referenceName": "chr17", "start": 2, "end": 1}]}', "InvalidRange", 400),
        (b'{"regions": [{"referenceName": "chr3"}]}', "NotFound", 404),
        (b'{"referenceName": "chr17"}', "InvalidInput", 400),
        (b'{"regions": [{"referenceName": "chr17", "Start": 1}]}', "InvalidInput", 400),
        (b'{"region": [{"referenceName": "chr17"}]}', "InvalidInput", 400),
        (b'{"format": ["BCF"]}', "UnsupportedFormat", 400),
        (b'{"tags": "A"}', "InvalidInput", 400),
        (b"[" * 1_000_000, "InvalidInput", 400),
        (b" " * 1_100_000, "PayloadTooLarge", 413),
    ],
)
def test_bad_bodies_are_refused_as_the_specification_says(app, body, error, status):
    got, _, answer = call(app, f"/htsget/variants/{ID}", body)
    assert (got, orjson.loads(answer)["htsget"]["error"]) == (status, error)


@pytest.mark.parametrize("name", ["17", "NC_000017.11"])
def test_the_form_of_a_contigs_name_is_told(app, name):
    status, _, answer = call(app, f"/htsget/variants/{ID}?referenceName={name}")
    expected = f"referenceName: expected a contig of this node, in the form chr17, found '{name}'"
    assert (status, orjson.loads(answer)["htsget"]["message"]) == (404, expected)


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
    """The access rules themselves are tested; the folder of this node has no genomes."""
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
