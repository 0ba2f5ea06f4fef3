"""How a caller reads the network's answer."""

import pytest

from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions, Part, aggregate_entries, shown_of
from rehearsal.network.service_client import read_reply
from rehearsal.node.beacon.request import BeaconRequest

from .node_answers import answered, late


def test_the_asker_reads_what_the_network_wrote():
    frequencies = [
        {
            "frequencies": [
                {
                    "population": "FI",
                    "alleleCount": 3,
                    "alleleNumber": 10,
                    "alleleCountHomozygous": 2,
                    "alleleCountHeterozygous": 1,
                    "alleleCountHemizygous": 0,
                }
            ]
        }
    ]
    record = {
        "variation": {
            "location": {"interval": {"start": {"value": 7}}},
            "referenceBases": "A",
            "alternateBases": "G",
        },
        "frequencyInPopulations": frequencies,
    }
    sets = [{"id": "GOE-FI", "exists": True, "resultsCount": 1, "results": [record]}]
    answers = [answered("AT", True), answered("FI", True, 1, sets), late("SE")]
    parts = [Part(one, f"org.{one.node}", shown_of(one, "g_variants")) for one in answers]
    conditions = Conditions(10, trace=True)
    _, body = aggregate_entries("g_variants", BeaconRequest(), "record", parts, conditions)
    reply = read_reply(Answer("q", "network", "answered", 200, body, 0.5, 1000))
    assert [one.body for one in reply.answers] == [one.body for one in answers]
    assert reply.aggregated.count == 1
    assert reply.aggregated.uncounted == ("AT",)
    assert reply.aggregated.states["SE"] == "late"
    assert reply.aggregated.frequencies[(7, "A", "G", 0, 0)]["FI"].count == 3
    assert [node for node, _ in reply.aggregated.records] == ["FI"]
    assert reply.aggregated.latency_s == 0.5
    assert reply.aggregated.size_bytes == 800


def test_a_service_that_is_no_network_is_an_error():
    with pytest.raises(
        RuntimeError, match=r"expected an answer of the network service, found failed \(HTTP 500"
    ):
        read_reply(Answer("q", "network", "failed", 500, {"error": {}}, 0.5, 10, "HTTP 500"))
