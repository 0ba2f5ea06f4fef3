"""What a whole HTTP answer is taken for."""

import orjson
import pytest

from rehearsal.loadtest.load.sender import read_answer

from .sent_requests import CALL


def network_says(states, exists=True, count=3):
    nodes = [{"node": f"N{i}", "state": state} for i, state in enumerate(states)]
    summary = {"exists": exists, "numTotalResults": count}
    return orjson.dumps({"responseSummary": summary, "info": {"nodes": nodes}})


@pytest.mark.parametrize(
    "status, body, state, equal",
    [
        (200, network_says(["answered"] * 2), "answered", True),
        (200, network_says(["answered"] * 2, count=4), "answered", False),
        (200, network_says(["answered"] * 2, exists=False), "answered", False),
        (200, network_says(["answered", "refused"]), "answered", None),
        (200, network_says(["answered", "late"]), "late", None),
        (200, network_says(["answered", "failed"]), "failed", None),
        (403, network_says(["refused"] * 2), "refused", None),
        (504, network_says(["late"] * 2), "late", None),
        (502, network_says(["failed"] * 2), "failed", None),
        (200, b'{"responseSummary": {"exists": true, "numTotalResults": 3}}', "answered", True),
        (200, b"<html>", "failed", None),
        (200, b"[]", "failed", None),
        (200, b"{}", "failed", None),
        (302, b"{}", "failed", None),
    ],
)
def test_what_a_whole_answer_is_taken_for(status, body, state, equal):
    assert read_answer(CALL, status, body)[:2] == (state, equal)
