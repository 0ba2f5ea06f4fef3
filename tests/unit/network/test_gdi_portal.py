"""GDI's User Portal asks a node and the network, without a token and with a grant.

What it sends and reads is from GenomicDataInfrastructure/gdi-userportal-dataset-discovery-service,
commit b2904a63, src/main/openapi/beacon/gvariants.yaml (path: line 13; defaults of a page: lines 66
to 78) and src/main/java/io/github/genomicdatainfrastructure/discovery/datasets/infrastructure/
beacon/persistence/BeaconGVariantsRequestMapper.java, lines 29 to 55 and 83 to 124.
"""

import pytest

from .in_process import COUNTRIES

COMMON = {"referenceName": "17", "start": [43_044_300], "assemblyId": "GRCh38"}
COMMON |= {"referenceBases": "A", "alternateBases": "G"}


def portal_request(parameters, limit=1):
    return {
        "meta": {"apiVersion": "2.0"},
        "query": {
            "filters": [],
            "includeResultsetResponses": "HIT",
            "requestedGranularity": "record",
            "testMode": False,
            "pagination": {"skip": 0, "limit": limit},
            "requestParameters": parameters,
        },
    }


def rows_shown(body):
    """The rows that the portal shows: Beacon, dataset, population, frequency."""
    return [
        (one.get("beaconId"), one["id"], frequency["population"], frequency["alleleFrequency"])
        for one in body["response"]["resultSets"]
        for record in one.get("results", ())
        for source in record.get("frequencyInPopulations", ())
        for frequency in source["frequencies"]
    ]


@pytest.mark.parametrize("where", [*COUNTRIES[:1], "network"])
def test_the_portal_shows_the_frequencies_of_every_country_to_whoever_has_a_grant(asked, where):
    status, body = asked.ask(where, "/v2.0.0/g_variants", portal_request(COMMON), granted=True)
    assert status == 200
    rows = rows_shown(body)
    countries = COUNTRIES if where == "network" else (where,)
    assert [row[:3] for row in rows if row[2] in COUNTRIES] == [
        (f"org.rehearsal.{one.lower()}", f"GOE-{one}-REHEARSAL-1", one) for one in countries
    ]
    assert {row[3] for row in rows if row[2] in COUNTRIES} == {5 / 24}


@pytest.mark.parametrize("where", [*COUNTRIES[:1], "network"])
def test_the_portal_shows_no_frequencies_without_a_token(asked, where):
    status, body = asked.ask(where, "/v2.0.0/g_variants", portal_request(COMMON), granted=False)
    assert status == 200
    assert rows_shown(body) == []
    assert body["responseSummary"] == {"exists": False, "numTotalResults": 0}
    everything = portal_request(COMMON)
    everything["query"]["includeResultsetResponses"] = "ALL"
    _, body = asked.ask(where, "/v2.0.0/g_variants", everything, granted=False)
    named = {one["id"].split("-")[1]: one["beaconId"] for one in body["response"]["resultSets"]}
    countries = COUNTRIES if where == "network" else (where,)
    assert named == {one: f"org.rehearsal.{one.lower()}" for one in countries}


def test_each_node_counts_its_pages_by_itself(asked):
    found = {one: [] for one in COUNTRIES}
    region = {"referenceName": "22", "start": [21_000_000], "end": [21_003_000]}
    for skip in range(4):
        sent = portal_request(region)
        sent["query"]["pagination"] = {"skip": skip, "limit": 11}
        _, body = asked.ask("network", "/g_variants", sent, granted=True)
        assert body["responseSummary"]["numTotalResults"] == 90
        for one in body["response"]["resultSets"]:
            if one["id"].startswith("GOE"):
                assert one["resultsCount"] == 30
                found[one["info"]["node"]] += [
                    record["variantInternalId"] for record in one["results"]
                ]
    assert found["EE"] == found["FI"] == found["SE"]
    assert len(set(found["EE"])) == len(found["EE"]) == 30


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("version", ["/v2", "/v2.0", "/v2.0.0", "/v2.1.1"])
def test_a_path_may_begin_with_a_version(asked, version, granted):
    for where in (COUNTRIES[0], "network"):
        plain = asked.ask(where, "/individuals", granted=granted)
        assert (
            asked.ask(where, f"{version}/individuals", granted=granted)[1].keys() == plain[1].keys()
        )
        assert asked.ask(where, version, granted=granted)[1]["response"]["id"]
        assert asked.ask(where, f"{version}/nothing", granted=granted)[0] == 404
        assert asked.ask(where, "/v3.0.0/individuals", granted=granted)[0] == 404
