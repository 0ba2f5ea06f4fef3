"""What is made of a reply: nothing wrong or lost passes for marked."""

from rehearsal.loadtest.faults.steady_queries import ObservedReply, judge_observed_reply
from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.network.service_client import NetworkReply
from rehearsal.truth.expected_answers import ExpectedAnswer

QUERY = Query("q", "count", "individuals", {"query": {"requestedGranularity": "count"}})
TRUE = {"FI": ExpectedAnswer(True, 3), "SE": ExpectedAnswer(True, 4)}


def answer(node: str, count: int | None, state="answered", reason=""):
    body = {
        "meta": {"returnedGranularity": "count"},
        "responseSummary": {"exists": bool(count), "numTotalResults": count},
    }
    return Answer("q", node, state, 200, body if count is not None else None, 0.01, 10, reason)


def reply(*answers: Answer) -> NetworkReply:
    return NetworkReply(answers, aggregate_answers(QUERY, answers))


def observed(*answers: Answer) -> ObservedReply:
    return judge_observed_reply(QUERY, TRUE, ["FI", "SE"], reply(*answers), sent_at=1.0)


def test_right_answers_of_all_are_whole():
    one = observed(answer("FI", 3), answer("SE", 4))
    assert one.is_whole
    assert (one.wrong, one.lost) == ((), ())


def test_a_marked_node_makes_an_answer_incomplete_but_not_wrong():
    one = observed(answer("FI", 3), answer("SE", None, "failed", "HTTP 500"))
    assert not one.is_whole
    assert (one.wrong, one.lost) == ((), ())
    assert one.reasons == {"SE": "HTTP 500"}


def test_a_wrong_count_without_a_mark_is_wrong():
    one = observed(answer("FI", 3), answer("SE", 5))
    assert [text.partition(":")[0] for text in one.wrong] == ["SE", "network"]
    assert not one.is_whole


def test_a_node_that_is_not_told_of_is_lost():
    assert observed(answer("FI", 3)).lost == ("SE",)
