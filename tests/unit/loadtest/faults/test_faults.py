"""What the fault bench makes of what it hears: nothing wrong or lost passes for marked."""

import asyncio

import pytest

from rehearsal.loadtest.faults import fault_proxy
from rehearsal.loadtest.faults.injectors import DAMAGES, FAULTS, Injection
from rehearsal.loadtest.faults.probe import NO_REPLY, Heard, judged
from rehearsal.loadtest.faults.run import fault_checks, row_of
from rehearsal.loadtest.faults.scenarios import SCENARIOS, chosen
from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.network.service_client import NetworkReply
from rehearsal.truth.expected_answers import ExpectedAnswer

QUERY = Query("q", "count", "individuals", {"query": {"requestedGranularity": "count"}})
TRUE = {"FI": ExpectedAnswer(True, 3), "SE": ExpectedAnswer(True, 4)}
BY_NAME = {one.name: one for one in SCENARIOS}


def answer(node: str, count: int | None, state="answered", reason=""):
    body = {
        "meta": {"returnedGranularity": "count"},
        "responseSummary": {"exists": bool(count), "numTotalResults": count},
    }
    return Answer("q", node, state, 200, body if count is not None else None, 0.01, 10, reason)


def reply(*answers: Answer) -> NetworkReply:
    return NetworkReply(answers, aggregate_answers(QUERY, answers))


def heard(*answers: Answer) -> Heard:
    return judged(QUERY, TRUE, ["FI", "SE"], reply(*answers), asked_at=1.0)


def test_right_answers_of_all_are_whole():
    one = heard(answer("FI", 3), answer("SE", 4))
    assert one.is_whole
    assert (one.wrong, one.lost) == ((), ())


def test_a_marked_node_makes_an_answer_incomplete_but_not_wrong():
    one = heard(answer("FI", 3), answer("SE", None, "failed", "HTTP 500"))
    assert not one.is_whole
    assert (one.wrong, one.lost) == ((), ())
    assert one.reasons == {"SE": "HTTP 500"}


def test_a_wrong_count_without_a_mark_is_wrong():
    one = heard(answer("FI", 3), answer("SE", 5))
    assert [text.partition(":")[0] for text in one.wrong] == ["SE", "network"]
    assert not one.is_whole


def test_a_node_that_is_not_told_of_is_lost():
    assert heard(answer("FI", 3)).lost == ("SE",)


def told(scenario: str, *heard_ones: Heard, recovered_s: float | None = 0.5):
    injection = Injection(None, None, None, None, applied_at=10.0, healed_at=12.0)
    return row_of(BY_NAME[scenario], injection, heard_ones, "SE", recovered_s)


def while_broken(state: str, reason: str = "HTTP 500: no", **more) -> Heard:
    return Heard(10.5, 10.6, {"FI": "answered", "SE": state}, {"SE": reason}, **more)


def test_a_fault_that_is_marked_and_mended_holds():
    row = told("answers 500", while_broken("failed"), while_broken("failed"))
    assert row["held"], row["why"]
    assert (row["answered"], row["marked"], row["unmarked"]) == (2, 2, 0)
    assert row["victim"] == "failed 2"
    assert row["others_answered"] == 1.0


@pytest.mark.parametrize(
    ("rows", "recovered_s", "why"),
    [
        ([while_broken("answered")], 0.5, "the fault did not show: answered"),
        ([while_broken("failed"), while_broken("answered")], 0.5, "but also answered"),
        ([while_broken("failed", "the dog ate it")], 0.5, "'HTTP 500' expected"),
        ([while_broken("failed", wrong=("FI: count",))], 0.5, "1 answers wrong without a mark"),
        ([while_broken("failed", lost=("IT",))], 0.5, "1 answers lost without a mark"),
        ([while_broken("failed")], None, "no whole answer within"),
        ([], 0.5, "nothing heard"),
    ],
)
def test_what_does_not_hold_fails_the_scenario_and_says_why(rows, recovered_s, why):
    row = told("answers 500", *rows, recovered_s=recovered_s)
    assert not row["held"]
    assert why in row["why"]


def test_the_network_itself_may_be_away_but_its_askers_must_know():
    away = Heard(10.5, 10.6, {"FI": NO_REPLY, "SE": NO_REPLY}, {"": "refused"})
    assert told("network killed and restarted", away)["held"]
    half = Heard(10.5, 10.6, {"FI": "answered", "SE": "answered"})
    assert not told("network killed and restarted", away, half)["held"]


def test_a_failed_scenario_fails_the_run():
    import pandas as pd

    table = pd.DataFrame([told("answers 500", while_broken("answered"))])
    (check,) = fault_checks(table)
    assert not check["passed"]
    assert check["name"] == "fault: answers 500"
    assert "did not show" in check["observed"]


def test_scenarios_are_complete_and_name_faults_that_there_are():
    assert {one.fault for one in SCENARIOS} == set(FAULTS)
    assert len(BY_NAME) == len(SCENARIOS)
    manners = {one.options["manner"] for one in SCENARIOS if one.fault == "manner"}
    assert manners == set(fault_proxy.SAID)
    damages = {one.options["damage"] for one in SCENARIOS if one.fault == "damage"}
    assert damages == set(DAMAGES)
    short, full = ({one.name for one in chosen(mode)} for mode in ("short", "full"))
    assert short < full == set(BY_NAME)


def test_a_front_passes_on_until_it_is_told_to_misbehave():
    async def node(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    async def ask(port: int) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\n\r\n")
        said = await reader.read(1000)
        writer.close()
        return said

    async def run():
        server = await asyncio.start_server(node, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with fault_proxy.front_of("127.0.0.1", port) as front:
            before = await ask(front.port)
            front.manner = "error500"
            broken = await ask(front.port)
            front.manner = None
            after = await ask(front.port)
        server.close()
        return before, broken, after

    before, broken, after = asyncio.run(run())
    assert before.endswith(b"ok")
    assert broken.startswith(b"HTTP/1.1 500")
    assert after == before


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_damages_change_a_file(damage, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    DAMAGES[damage](path)
    assert path.read_bytes() != bytes(range(100))
