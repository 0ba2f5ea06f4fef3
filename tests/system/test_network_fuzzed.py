"""Fuzz the network and a node behind it, as a caller with rights."""

import json

import pytest

from .openapi_checks import fuzz
from .test_network_scores_alerts import CARE, HMB, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

# statuses of the network: no node answered, or not before the deadline of the fuzzer
UNAVAILABLE = ("502", "503", "504")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    with running(tmp_path_factory.mktemp("run")) as started:
        yield started


@pytest.fixture(scope="module")
def digest(nodes):
    return nodes.ask("/scores")[1]["response"]["scoringFiles"][0]["scoringFile"]


def test_the_network_has_no_server_error_and_no_answer_that_breaks_its_schema(
    nodes, digest, tmp_path
):
    headers = {"Authorization": f"Bearer {nodes.token()}", "X-Rehearsal-Purpose": HMB}
    known = {"waitS": 0, "node": "FI"}
    fuzz(nodes.url, tmp_path, headers, known, UNAVAILABLE)


def test_a_node_with_all_extensions_has_none_either(nodes, digest, tmp_path):
    token = nodes.token("clinician", "FI")
    headers = {"Authorization": f"Bearer {token}", "X-Rehearsal-Purpose": CARE}
    known = {"waitS": 0, "id": "FI-000000", "digest": digest}
    url = json.loads((nodes.endpoints / "FI.json").read_text())["url"]
    fuzz(url, tmp_path, headers, known)
