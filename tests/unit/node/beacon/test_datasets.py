"""Datasets: which ones a query asks, and what is told of each."""

import asyncio
from dataclasses import replace

import orjson
import pytest

from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.node_data import NodeData

from ..conftest import call

FREQUENCIES, PEOPLE = "GOE-FI-REHEARSAL-1", "GDI-FI-REHEARSAL-1"
TESTS, TUMOURS = "GDI-FI-TEST-1", "GDI-FI-TUMOURS-1"
ALLELE = "referenceName=17&start=43044300&referenceBases=A&alternateBases=G"
BORN_IN_THE_NINETIES = "demographic.birthDecade:1990"  # the last two of the twelve people


def terms_of(ask, path):
    status, body = ask(path)
    assert status == 200
    return {one["id"] for one in body["response"]["filteringTerms"]}


def test_the_filtering_terms_of_a_dataset_are_those_of_its_people(ask):
    everything = terms_of(ask, "/filtering_terms")
    assert BORN_IN_THE_NINETIES in everything
    for path in (f"/datasets/{FREQUENCIES}", f"/datasets/{PEOPLE}", "/cohorts/COHORT-FI-1"):
        assert terms_of(ask, f"{path}/filtering_terms") == everything
    tested = terms_of(ask, f"/datasets/{TESTS}/filtering_terms")
    assert tested == everything - {BORN_IN_THE_NINETIES}


@pytest.mark.parametrize(
    "path",
    [
        "/datasets/NOPE",
        "/datasets/GDI-SE-REHEARSAL-1",
        "/cohorts/NOPE",
        "/g_variants/foo",
        "/individuals/FI-000001",
    ],
)
def test_what_is_no_collection_here_has_no_filtering_terms(ask, path):
    assert ask(f"{path}/filtering_terms")[0] == 404


@pytest.mark.parametrize("path", ["/individuals", "/g_variants", "/datasets", "/cohorts"])
def test_the_test_mode_beside_another_dataset_is_refused(ask, path):
    status, body = ask(path, datasets=PEOPLE, testMode="true")
    assert status == 400
    assert body["error"]["errorMessage"] == (
        f"testMode: expected false, or no named dataset but that for tests, found true and {PEOPLE}"
    )
    assert ask(path, datasets=f"{PEOPLE},{TESTS}", testMode="true")[0] == 400
    for more in ({"datasets": TESTS}, {}):
        assert ask(path, testMode="true", **more)[0] == 200


def test_the_test_mode_below_another_dataset_is_refused(ask):
    for path in (f"/datasets/{PEOPLE}", f"/datasets/{PEOPLE}/individuals"):
        assert ask(path, testMode="true")[0] == 400
    assert ask(f"/datasets/{TESTS}/individuals", testMode="true")[0] == 200


def test_the_test_mode_lists_the_dataset_for_tests(ask):
    for parameters in ("", ALLELE):
        sent = dict(pair.split("=") for pair in parameters.split("&") if pair)
        _, body = ask("/datasets", testMode="true", **sent)
        assert [one["id"] for one in body["response"]["collections"]] == [TESTS]


def test_a_dataset_that_is_not_here_is_noted_beside_one_that_is(ask):
    for path in ("/individuals", "/g_variants", "/datasets", "/cohorts"):
        status, body = ask(path, datasets=f"{PEOPLE},NOPE")
        assert status == 200
        assert body["info"]["warnings"] == ["datasets: 'NOPE' is no dataset of this node"]
        assert ask(path, datasets="NOPE")[0] == 404


@pytest.fixture(scope="module")
def ask_with_tumours(node_data):
    """A node whose tumours have the same variants as the germline."""
    settings = replace(node_data.settings, tumours_dataset=TUMOURS)
    data = NodeData(settings, node_data.variants, node_data.people, tumours=node_data.variants)
    app = beacon_app(data, Authorizer(settings, data.people))

    def send(path, parameters=""):
        status, _, body = asyncio.run(call(app, path, None, parameters))
        assert status == 200, body
        return orjson.loads(body)

    return send


def test_tumours_are_for_queries_that_name_them(ask_with_tumours):
    def datasets(parameters):
        found = ask_with_tumours("/datasets", parameters)["response"]["collections"]
        return [one["id"] for one in found]

    def exists(parameters):
        return ask_with_tumours("/cohorts", parameters)["responseSummary"]["exists"]

    assert TUMOURS in datasets("")
    assert datasets(ALLELE) == [FREQUENCIES, PEOPLE]
    assert datasets(f"{ALLELE}&datasets={TUMOURS}") == [TUMOURS]
    nobody = ALLELE.replace("43044300", "43044301")
    for sent in (ALLELE, nobody, f"{ALLELE}&datasets={TUMOURS}"):
        assert exists(sent) is bool(datasets(sent))
