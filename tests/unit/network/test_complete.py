"""Versions as served, scopes of filters, handovers, Phenopackets and the registry of services."""

import asyncio

import pytest

from rehearsal.network.app import network_app
from rehearsal.network.registry import NodeEntry, Registry, write_nodes
from rehearsal.network.service import Network, Policy
from rehearsal.node.beacon.vrs import identifiers

from ..node.conftest import call
from .in_process import InProcessClient

PEOPLE = "GDI-EE-REHEARSAL-1"
ALLELE = {"referenceName": "17", "start": [43_044_300], "assemblyId": "GRCh38"}
ALLELE |= {"referenceBases": "A", "alternateBases": "G"}


def body(parameters=None, filters=(), granularity="record", limit=2):
    asked = {"requestedGranularity": granularity, "filters": list(filters)}
    asked |= {"requestParameters": parameters or {}, "pagination": {"skip": 0, "limit": limit}}
    return {"query": asked | {"includeResultsetResponses": "ALL"}}


def handovers(answer):
    return [
        one
        for some in answer.get("response", {}).get("resultSets", ())
        for one in some.get("resultsHandovers", ())
    ]


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
def test_the_version_is_the_one_that_is_served(asked, where, granted):
    served = asked.ask(where, "/info", granted=granted)[1]["response"]["apiVersion"]
    _, answer = asked.ask(where, "/individuals", body(granularity="boolean"), granted=granted)
    assert answer["meta"]["apiVersion"] == served
    assert answer["meta"]["receivedRequestSummary"]["apiVersion"] == served
    told = asked.ask(where, "/service-info", granted=granted)[1]
    assert told["type"]["version"] == served


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize(
    ("term", "scope", "is_right"),
    [
        ("NCIT:C16576", "individual", True),
        ("NCIT:C16576", "genomicVariation", False),
        ("SO:0001583", "genomicVariation", True),
        ("SO:0001583", "individual", False),
    ],
)
def test_a_filter_applies_to_its_scope_or_is_refused(asked, term, scope, is_right, granted):
    sent = body({"geneId": "BRCA1"}, [{"id": term, "scope": scope}])
    status, answer = asked.ask("EE", "/g_variants", sent, granted=granted)
    if is_right:
        assert status in ((200,) if granted else (200, 403))
    else:
        assert status == 400
        assert "scope" in answer["error"]["errorMessage"]


def test_a_person_leads_to_a_phenopacket_for_whoever_sees_the_record(asked):
    _, answer = asked.ask("EE", "/individuals", body(), granted=True)
    first, _ = handovers(answer)
    assert first["url"] == "http://node.example/individuals/FI-000001/phenopacket"
    path = first["url"].removeprefix("http://node.example")
    status, found = asked.ask("EE", path, granted=True)
    assert status == 200
    assert found["subject"]["sex"] == "FEMALE"
    assert [one["term"]["id"] for one in found["diseases"]] == ["MONDO:0005010"]
    assert found["diseases"][0]["onset"] == {"age": {"iso8601duration": "P61Y6M"}}
    assert [one["namespacePrefix"] for one in found["metaData"]["resources"]] == ["MONDO"]
    json_format = pytest.importorskip("google.protobuf.json_format")
    schema = pytest.importorskip("phenopackets")
    json_format.ParseDict(found, schema.Phenopacket())


def test_without_a_token_nothing_leads_on_and_no_phenopacket_says_who_exists(asked):
    for where in ("EE", "network"):
        for path, sent in (("/individuals", body()), ("/g_variants", body(ALLELE))):
            _, answer = asked.ask(where, path, sent, granted=False)
            assert handovers(answer) == []
    known = asked.ask("EE", "/individuals/FI-000001/phenopacket", granted=False)
    unknown = asked.ask("EE", "/individuals/FI-999999/phenopacket", granted=False)
    assert known[0] == unknown[0] == 401
    assert known[1]["error"] == unknown[1]["error"]
    assert asked.ask("EE", "/individuals/FI-999999/phenopacket", granted=True)[0] == 404


def test_a_variant_leads_to_its_htsget_ticket(asked, monkeypatch):
    monkeypatch.setattr(asked.data["EE"], "has_genomes", True)
    _, answer = asked.ask("EE", "/g_variants", body(ALLELE), granted=True)
    (found,) = handovers(answer)
    place = "referenceName=chr17&start=43044300&end=43044301"
    assert found["url"] == f"http://node.example/htsget/variants/{PEOPLE}?{place}"
    assert found["handoverType"]["id"] == "EDAM:format_3016"
    _, answer = asked.ask("EE", "/g_variants", body(ALLELE), granted=False)
    assert handovers(answer) == []


def test_a_node_without_service_info_is_listed_by_its_info(asked, monkeypatch):
    whole = asked.apps["FI"]

    async def without_service_info(scope, receive, send):
        path = "/nothing" if scope["path"] == "/service-info" else scope["path"]
        await whole({**scope, "path": path}, receive, send)

    _, known = asked.ask("network", "/services/org.rehearsal.fi", granted=False)
    monkeypatch.setitem(asked.apps, "FI", without_service_info)
    status, found = asked.ask("network", "/services/org.rehearsal.fi", granted=False)
    assert status == 200
    assert found["organization"]["name"] == known["organization"]["name"]
    for key in ("id", "name", "version", "url"):
        assert found[key] == known[key]
    assert found["type"]["artifact"] == "beacon"


@pytest.mark.parametrize("granted", [False, True])
def test_the_network_is_a_registry_of_services(asked, granted):
    status, found = asked.ask("network", "/services", granted=granted)
    assert status == 200
    assert [one["id"] for one in found] == [
        "org.rehearsal.network",
        *(f"org.rehearsal.{one}" for one in ("ee", "fi", "se")),
    ]
    for one in found:  # what ExternalService of the registry's specification demands
        assert {"id", "name", "type", "organization", "version", "url"} <= one.keys()
    assert found[1]["url"] == "https://ee.example"
    assert asked.ask("network", "/services/org.rehearsal.ee", granted=granted)[1] == found[1]
    assert asked.ask("network", "/services/org.example", granted=granted)[0] == 404
    (kind,) = asked.ask("network", "/services/types", granted=granted)[1]
    assert kind["artifact"] == "beacon"


@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize(
    ("name", "status"),
    [("NM_016562.3:c.644A>G", 400), ("NM_016562.4:c.644C>G", 400), ("NP_057646.1:p.R215S", 400)],
)
def test_a_name_that_contradicts_the_gene_model_is_refused_everywhere(
    asked, where, granted, name, status
):
    told, answer = asked.ask(where, f"/g_variants/{name}", body(), granted=granted)
    assert told == status
    assert "genomicAlleleShortForm: expected" in answer["error"]["errorMessage"]


@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize(
    ("name", "identifier"),
    [
        ("NM_016562.4:c.644A>G", "chrX-12886152-A-G"),
        *((one, "chrX-12886152-A-G") for _, one in identifiers("chrX", 12_886_151, "A", "G")),
        ("NC_000017.11:g.43044301A>G", "chr17-43044301-A-G"),
        ("NC_000017.11:g.43124028_43124029del", "chr17-43124027-ACT-A"),
        ("NC_000017.11:g.43124028_43124029delCT", "chr17-43124027-ACT-A"),
    ],
)
def test_a_variant_is_found_below_its_hgvs_name(asked, where, name, identifier):
    sent = body(granularity="record")
    status, answer = asked.ask(where, f"/g_variants/{name}", sent, granted=True)
    assert status == 200
    found = {
        record["variantInternalId"]
        for one in answer["response"]["resultSets"]
        for record in one["results"]
    }
    assert found == {identifier}
    status, answer = asked.ask(where, f"/g_variants/{name}", sent, granted=False)
    assert status in (200, 403)
    if status == 200:
        assert answer["responseSummary"]["exists"] is False
    assert asked.ask("EE", "/g_variants/NC_000017.11:g.5_1del", sent, granted=True)[0] == 400


def test_a_dataset_that_no_node_has_is_not_found(asked):
    status, answer = asked.ask("network", "/datasets/NONE/individuals", granted=True)
    assert status == 404
    assert len(answer["info"]["nodes"]) == 3


def test_a_network_with_a_token_of_its_own_answers_no_other_site(asked, tmp_path):
    """Every site that its user visits could read what the token brings."""
    headers = [(b"origin", b"https://a.example")]
    for keys, told in (({}, b"https://a.example"), ({"token_variable": "TOKEN"}, None)):
        write_nodes([NodeEntry("EE", "https://ee.example", **keys)], tmp_path / "nodes.yaml")
        network = Network(
            Registry([tmp_path / "nodes.yaml"]), InProcessClient(asked.apps), Policy()
        )
        _, answered, _ = asyncio.run(call(network_app(network), "/info", headers=headers))
        assert answered.get(b"access-control-allow-origin") == told
