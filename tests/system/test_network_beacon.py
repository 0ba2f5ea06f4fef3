"""The network over real nodes: answers conform to Beacon, pages are consistent."""

import json
import runpy
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.network.launcher import running_network, running_nodes
from rehearsal.node.beacon.entry_types import COLLECTIONS, ENTRY_TYPES
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.vcf_import import build_from_vcf
from rehearsal.stores.people_store_writer import build_people

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]

SHARED = Path(__file__).resolve().parents[2] / "../shared"
VALIDATOR = SHARED / "tools/validate_beacon.py"
SCHEMAS = SHARED / "reference/schemas/beacon-v2.1.1"
PEOPLE = {"EE": 4, "FI": 7, "SE": 2}  # by country
STARTS = {"EE": [100, 200], "FI": [100, 300, 400], "SE": []}  # of variants on chr22, 1-based
GRANULARITIES = ("boolean", "count", "record")
INFORMATIONAL = ("", "info", "configuration", "map", "entry_types", "filtering_terms")
ONE = {
    "g_variants": "chr22-100-A-G",
    "individuals": "FI-000001",
    "biosamples": "FI-000001-BS",
    "runs": "FI-000001-RUN",
    "analyses": "FI-000001-AN",
    "datasets": "GDI-FI-REHEARSAL-1",
    "cohorts": "COHORT-FI-1",
}


def build_node(folder: Path, country: str) -> Path:
    folder.mkdir(parents=True)
    names = [f"{country}-{i + 1:06d}" for i in range(PEOPLE[country])]
    sexes = ["female" if i % 2 == 0 else "male" for i in range(len(names))]
    people = pd.DataFrame({"id": names, "sex": sexes, "birth_year": 1970})
    people = people.assign(family=None, father=None, mother=None)
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr22,length=50818468>"]
    lines.append('##FORMAT=<ID=GT,Number=1,Type=String,Description="">')
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines.append("\t".join([*columns, *names]))
    for start in STARTS[country]:
        calls = ["0/1"] + ["0/0"] * (len(names) - 1)
        lines.append("\t".join(["chr22", str(start), ".", "A", "G", ".", ".", ".", "GT", *calls]))
    vcf = folder / "all.vcf"
    vcf.write_text("\n".join(lines) + "\n")
    disease = ("ICD10:I25.1", "Atherosclerotic heart disease", "MONDO:0005010", 61.5)
    diseases = pd.DataFrame(
        [(names[0], *disease)], columns=["individual", "code", "label", "mondo", "age_of_onset"]
    )
    NodeSettings.for_country(country, country).opened().write(folder)
    build_from_vcf([vcf], people, folder / "variants.sqlite")
    build_people(people, {"diseases": diseases}, folder / "people.sqlite")
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    top = tmp_path_factory.mktemp("network")
    folders = {country: build_node(top / country, country) for country in PEOPLE}
    with (
        running_nodes(folders, top / "logs") as nodes,
        running_network(nodes, 10, top / "logs") as service,
    ):
        yield service.url


@pytest.fixture(scope="module")
def ask(network):
    """``ask(path, body, **parameters)`` returns status and body of the network's answer."""

    def ask(path: str, body=None, **parameters):
        query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(f"{network}{path}{query}", data, 30) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    return ask


def all_paths():
    """List (path, entry type) of every endpoint for entries."""
    for path, entry_type in ENTRY_TYPES.items():
        yield f"/{path}", path
        yield f"/{path}/{ONE[path]}", path
        for listed in entry_type.lists:
            yield f"/{path}/{ONE[path]}/{listed}", listed


def request(granularity: str, **query) -> dict:
    return {"meta": {"apiVersion": "v2.0"}, "query": {"requestedGranularity": granularity} | query}


@pytest.fixture(scope="module")
def validator():
    """The validator of the official schemas; the test is skipped without them."""
    if not VALIDATOR.is_file():
        pytest.skip(f"the official schemas are missing: {SHARED}")
    return runpy.run_path(str(VALIDATOR), init_globals={"B": f"{SCHEMAS}/"})


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize(("path", "entry_type"), list(all_paths()))
def test_answers_have_beacons_form(ask, path, entry_type, granularity):
    status, body = ask(path, request(granularity, includeResultsetResponses="ALL"))
    assert status == 200, body
    assert body["meta"]["beaconId"] == "org.rehearsal.network"
    assert body["meta"]["returnedGranularity"] == granularity
    summary = body["responseSummary"]
    assert isinstance(summary["exists"], bool)
    assert ("numTotalResults" in summary) is (granularity != "boolean")
    shown = body["response"]["collections" if entry_type in COLLECTIONS else "resultSets"]
    assert len({one["id"] for one in shown}) == len(shown)
    for one in shown:
        assert one["info"]["node"] in PEOPLE
        assert one["info"]["beaconId"] == f"org.rehearsal.{one['info']['node'].lower()}"
    nodes = body["info"]["nodes"]
    assert [node["node"] for node in nodes] == sorted(PEOPLE)
    counts = [node.get("count", 0) for node in nodes if node["state"] == "answered"]
    assert sum(counts) == summary.get("numTotalResults", sum(counts))


@pytest.mark.parametrize("granularity", GRANULARITIES)
@pytest.mark.parametrize(("path", "entry_type"), list(all_paths()))
def test_answers_are_valid_by_the_official_schemas(ask, validator, path, entry_type, granularity):
    for include in ("ALL", "NONE"):
        _, body = ask(path, request(granularity, includeResultsetResponses=include))
        *errors, _ = validator["check"](body, entry_type)
        assert errors == []


def test_self_descriptions_are_valid_by_the_official_schemas(ask, validator):
    for path, schema in validator["FW"].items():
        status, body = ask(f"/{path}")
        assert status == 200
        assert validator["errs"](f"framework/json/responses/{schema}.json", body) == [], path


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/g_variants?start=x", 400), ("/datasets/NONE", 404)],
)
def test_errors_are_valid_by_the_official_schemas(ask, validator, path, status):
    said, body = ask(path)
    assert said == status
    assert validator["errs"]("framework/json/responses/beaconErrorResponse.json", body) == []


def test_the_network_describes_itself(ask):
    for path in INFORMATIONAL:
        status, body = ask(f"/{path}")
        assert status == 200
        assert body["meta"]["beaconId"] == "org.rehearsal.network"
    assert ask("/service-info")[1]["type"]["artifact"] == "beacon"
    _, body = ask("/map")
    assert body["response"]["endpointSets"]["individual"]["rootUrl"].endswith("/individuals")


def test_filtering_terms_are_the_union_of_the_nodes(ask):
    for path in ("/filtering_terms", "/individuals/filtering_terms"):
        _, body = ask(path)
        terms = [(term["id"], term["type"]) for term in body["response"]["filteringTerms"]]
        assert len(set(terms)) == len(terms)
        assert "ICD10:I25.1" in [name for name, _ in terms]
        assert {node["state"] for node in body["info"]["nodes"]} == {"answered"}


def names(body) -> list[str]:
    return [record["id"] for one in body["response"]["resultSets"] for record in one["results"]]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_each_result_set_has_pages_of_its_own(ask, limit, method):
    found = {country: [] for country in PEOPLE}
    for skip in range(max(PEOPLE.values()) // limit + 1):
        if method == "POST":
            page = {"skip": skip, "limit": limit}
            _, body = ask("/individuals", request("record", pagination=page))
        else:
            wanted = {"skip": skip, "limit": limit, "requestedGranularity": "record"}
            _, body = ask("/individuals", **wanted)
        assert body["responseSummary"]["numTotalResults"] == sum(PEOPLE.values())
        pagination = body["meta"]["receivedRequestSummary"]["pagination"]
        assert pagination == {"skip": skip, "limit": limit}
        for one in body["response"]["resultSets"]:
            country = one["info"]["node"]
            assert one["beaconId"] == f"org.rehearsal.{country.lower()}"
            assert one["resultsCount"] == PEOPLE[country]
            assert len(one["results"]) <= limit
            found[country] += [record["id"] for record in one["results"]]
    assert found == {c: [f"{c}-{i + 1:06d}" for i in range(PEOPLE[c])] for c in PEOPLE}


def test_pages_of_variants_and_of_datasets(ask):
    variants, datasets = [], []
    for skip in range(2):
        page = {"skip": skip, "limit": 2}
        _, body = ask("/g_variants", request("record", pagination=page))
        assert body["responseSummary"]["numTotalResults"] == 5
        for one in body["response"]["resultSets"]:
            if one["id"].startswith("GOE"):
                variants += [
                    (one["info"]["node"], record["variation"]["location"]["interval"]["start"])
                    for record in one["results"]
                ]
    assert sorted((node, start["value"] + 1) for node, start in variants) == [
        *(("EE", 100), ("EE", 200)),
        *(("FI", 100), ("FI", 300), ("FI", 400)),
    ]
    for skip in range(2):
        _, body = ask("/datasets", skip=skip, limit=2)
        assert body["responseSummary"]["numTotalResults"] == 9
        datasets += [one["id"] for one in body["response"]["collections"]]
    assert len(set(datasets)) == len(datasets) == 9


def test_counts_by_sex_add_up(ask):
    women, men = (
        ask("/individuals", filters=term, requestedGranularity="count")[1]
        for term in ("NCIT:C16576", "NCIT:C20197")
    )
    assert women["responseSummary"]["numTotalResults"] == 2 + 4 + 1
    assert men["responseSummary"]["numTotalResults"] == 2 + 3 + 1


def test_a_countrys_own_dataset_is_found_and_the_others_refuse(ask):
    status, body = ask("/datasets/GDI-FI-REHEARSAL-1/individuals", requestedGranularity="count")
    assert status == 200
    assert body["responseSummary"]["numTotalResults"] == 7
    states = {node["node"]: node["state"] for node in body["info"]["nodes"]}
    assert states == {"EE": "refused", "FI": "answered", "SE": "refused"}


def test_the_trace_holds_every_nodes_own_answer(ask):
    _, body = ask("/individuals", request("record", pagination={"limit": 3}) | {}, trace="true")
    for node in body["info"]["nodes"]:
        assert node["answer"]["meta"]["beaconId"] == node["beaconId"]
        assert node["bytes"] > 0
    assert names(body)[:3] == ["EE-000001", "EE-000002", "EE-000003"]
