"""A question whose records take more than one page of the network."""

import asyncio

import orjson
import pytest

from rehearsal.model import AlleleCounts, Answer, Variant
from rehearsal.network.service_client import read_reply
from rehearsal.stories import beacon_queries, record_pages
from rehearsal.stories.question_types import beacon
from rehearsal.stories.story_types import Asker, Question
from rehearsal.truth.expected_answers import ExpectedAnswer, expected_to_json

ASKER = Asker("Dr Who", "FI", "researcher", "controlled", "DUO:0000006")
# start of each variant, by node: two pages of two
HELD = {"EE": [10, 20, 30], "FI": [20, 40]}
ONE_COPY = AlleleCounts(an=200, ac=1, hom=0, het=1, hemi=0)


def question(granularity="record"):
    asked = {"find": "variants", "parameters": {"geneId": "GENE"}, "filters": [], "tumours": False}
    asked |= {"granularity": granularity, "expected": {}}
    return Question("q", "Which variants?", "beacon", ASKER, None, asked, ("story.yaml", "q"))


def record(node, start):
    interval = {"start": {"value": start}, "end": {"value": start + 1}}
    told = {"population": node, "alleleCount": 1, "alleleNumber": 200, "alleleFrequency": 0.005}
    copies = {"Homozygous": 0, "Heterozygous": 1, "Hemizygous": 0}
    told |= {f"alleleCount{kind}": number for kind, number in copies.items()}
    return {
        "variantInternalId": str(start),
        "variation": {
            "location": {"interval": interval},
            "referenceBases": "A",
            "alternateBases": "G",
        },
        "frequencyInPopulations": [{"frequencies": [told]}],
    }


def sets(node, starts):
    """Both datasets of a node hold the same variants."""
    one = {"setType": "dataset", "exists": True, "info": {"node": node}}
    one |= {"resultsCount": len(HELD[node]), "results": [record(node, start) for start in starts]}
    return [one | {"id": f"{dataset}-{node}"} for dataset in ("GDI", "GOE")]


class Network:
    """Answers as the network does: a page of each node, and with ``trace`` what each
    node said itself. ``late``: nodes that do not answer for later pages."""

    def __init__(self, late=()):
        self.asked, self._late = [], late

    async def ask(self, query, trace=True):
        page = query.request["query"]["pagination"]
        self.asked.append((page["skip"], page["limit"], trace))
        start = page["skip"] * page["limit"]
        nodes, shown = [], []
        for node, held in HELD.items():
            late = page["skip"] > 0 and node in self._late
            own = {
                "meta": {"returnedGranularity": "record"},
                "responseSummary": {"exists": True, "numTotalResults": len(held)},
                "response": {"resultSets": sets(node, held[: page["limit"]])},
            }
            state = "late" if late else "answered"
            told = {"node": node, "state": state, "httpStatus": None if late else 200}
            nodes.append(told | {"latencyMs": 1.0, "answer": own if trace else None})
            shown += sets(node, held[start : start + page["limit"]])
        body = {
            "responseSummary": {"exists": True, "numTotalResults": 5},
            "response": {"resultSets": shown},
            "info": {"nodes": nodes, "uncounted": []},
        }
        return read_reply(Answer("q", "network", "answered", 200, body, 0.1, 100))


def truth():
    groups = {"": ONE_COPY}
    return {
        node: expected_to_json(
            ExpectedAnswer(
                True, len(held), {Variant("chr1", one, "A", "G"): groups for one in held}
            )
        )
        for node, held in HELD.items()
    }


def as_read(told):
    """Truth as it comes back from its file."""
    return orjson.loads(orjson.dumps(told))


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(beacon_queries, "LIMIT", 2)
    monkeypatch.setattr(record_pages, "FEW", 1)


def test_all_pages_together_are_judged_as_one_answer():
    network = Network()
    reply = asyncio.run(beacon.ask(question(), network))
    assert network.asked == [(0, 1, True), (0, 2, False), (1, 2, False)]
    came = {(node, int(one["variantInternalId"])) for node, one in reply.aggregated.records}
    assert came == {(node, start) for node, held in HELD.items() for start in held}
    checks = beacon.judge(question(), as_read(truth()), reply)
    assert [(check.name, check.passed) for check in checks] == [
        ("every country answered", True),
        ("the answer of each country equals the truth", True),
        ("the answer of the network equals the truth", True),
    ]


def test_a_node_that_is_late_for_a_later_page_has_not_answered():
    reply = asyncio.run(beacon.ask(question(), Network(late=["FI"])))
    assert {one.node: one.state for one in reply.answers} == {"EE": "answered", "FI": "late"}
    assert not reply.aggregated.complete
    checks = beacon.judge(question(), as_read(truth()), reply)
    assert not any(check.passed for check in checks)


def test_a_count_is_asked_for_once():
    network = Network()
    asyncio.run(beacon.ask(question("count"), network))
    assert network.asked == [(0, 2, True)]


def test_a_few_records_are_asked_for_once(monkeypatch):
    monkeypatch.setattr(record_pages, "FEW", 5)
    network = Network()
    reply = asyncio.run(beacon.ask(question(), network))
    assert network.asked == [(0, 5, True)]
    assert all(check.passed for check in beacon.judge(question(), as_read(truth()), reply))
