"""``rehearsal query``: requests as they are typed, and errors in the form of all commands."""

from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.errors import InputError
from rehearsal.model import Answer
from rehearsal.network import query_command
from rehearsal.network.client import request_headers
from rehearsal.network.query_command import QueryCommand, answer_lines, run_query

URL = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("parameters", "body", "message"),
    [
        (["limit"], None, "rehearsal query: parameters: expected KEY=VALUE, found 'limit'"),
        (
            ["a=b"],
            "{}",
            "rehearsal query: --body: expected a body or parameters KEY=VALUE, .*, found both",
        ),
        ([], "[]", r"rehearsal query: --body .*: expected a JSON object, found \[\]"),
        (
            [],
            '{"a": 1, "a": 2}',
            "rehearsal query: --body .*: expected each key .* once, found 'a' tw",
        ),
        ([], "{", "rehearsal query: --body .*: expected a Beacon request in JSON, found an unread"),
    ],
)
def test_a_query_that_cannot_be_sent_is_an_error(tmp_path: Path, parameters, body, message):
    file = None
    if body is not None:
        file = tmp_path / "body.json"
        file.write_text(body)
    with pytest.raises(InputError, match=f"^{message}"):
        QueryCommand(URL, "individuals", parameters, file).request()


def test_a_missing_answer_is_reported_on_standard_error(monkeypatch, capsys):
    async def ask(node, request, patience_s):
        return Answer("", node.country, "late", None, None, 60.0, 0, "no whole answer within 60 s")

    monkeypatch.setattr(query_command, "_ask", ask)
    assert run_query(QueryCommand(URL, "individuals")) == 1
    printed = capsys.readouterr()
    expected = f"rehearsal query: {URL}: expected an answer, found late"
    assert printed.err == f"{expected} (no whole answer within 60 s)\n"
    assert printed.out == ""


def test_an_answer_is_printed_as_a_total():
    body = {"responseSummary": {"exists": True, "numTotalResults": 1234}}
    assert answer_lines(Answer("", URL, "answered", 200, body, 0.1, 50)) == ["yes, 1,234 in total"]
    matches = Answer("", URL, "answered", 200, {"results": []}, 0.1, 50)
    assert answer_lines(matches) == ["no matching patients"]


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        ({"exists": True}, "yes (no number from AT, SE)"),
        (
            {"exists": True, "numTotalResults": 3},
            "yes, at least 3 in total (no number from AT, SE)",
        ),
    ],
)
def test_a_total_without_the_numbers_of_some_nodes_is_a_lower_bound(summary, line):
    body = {"responseSummary": summary, "info": {"uncounted": ["AT", "SE"]}}
    assert answer_lines(Answer("", URL, "answered", 200, body, 0.1, 50)) == [line]


def test_notes_on_a_match_are_printed():
    body = {"results": [], "_notes": ["other bases"]}
    lines = answer_lines(Answer("", URL, "answered", 200, body, 0.1, 50))
    assert lines == ["no matching patients", "Note: other bases"]


def test_a_key_of_the_matchmaker_exchange_goes_into_its_header(monkeypatch):
    monkeypatch.setenv("KEY", "secret")
    command = QueryCommand(URL, "match", key_variable="KEY")
    assert request_headers(command.node(), command.request())["X-Auth-Token"] == "secret"
    monkeypatch.delenv("KEY")
    with pytest.raises(InputError, match="KEY: expected a key for the header X-Auth-Token, found"):
        command.request()
    with pytest.raises(
        InputError, match=r"--key-variable: expected a key or a token, .* found both"
    ):
        replace(command, token_variable="TOKEN").node()
