"""One query to many nodes, some faulty: each gets a state, none delays another."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from rehearsal.model import Answer, Query
from rehearsal.network.aggregate import aggregate_answers
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.launcher import running_nodes
from rehearsal.network.registry import NodeEntry

from .network_stub import stub_command

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

QUERY = Query("q1", "count", "g_variants", {"query": {"requestedGranularity": "count"}})
DEADLINE_S = 15
MANNERS = {
    "AT": "healthy",
    "BE": "hung",
    "BG": "error500",
    "CY": "garbage",
    "CZ": "nobody",
    "DE": "half",
    "DK": "redirect",
    "EE": "endless",
    "ES": "refusing",
    "FI": "trickle",
    "FR": "no-summary",
    "GB": "closing",
    "GR": "healthy",
}


def ask(nodes: list[NodeEntry], times: int = 1) -> list[list[Answer]]:
    async def asked() -> list[list[Answer]]:
        async with NetworkClient(nodes, size_limit=1 << 20) as client:
            return [await client.ask(QUERY, DEADLINE_S) for _ in range(times)]

    return asyncio.run(asked())


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nodes")
    folders = {country: folder / manner for country, manner in MANNERS.items()}
    with running_nodes(folders, folder, 30, stub_command) as running:
        yield running


@pytest.fixture(scope="module")
def answers(nodes) -> dict[str, Answer]:
    return {answer.node: answer for answer in ask(nodes)[0]}


def test_every_node_is_in_the_answer_with_its_state(answers: dict[str, Answer]):
    assert {node: answer.state for node, answer in answers.items()} == {
        "AT": "answered",
        "BE": "late",
        "BG": "failed",
        "CY": "failed",
        "CZ": "failed",
        "DE": "failed",
        "DK": "failed",
        "EE": "failed",
        "ES": "refused",
        "FI": "late",
        "FR": "failed",
        "GB": "answered",
        "GR": "answered",
    }


@pytest.mark.parametrize(
    ("node", "reason"),
    [
        ("BE", f"no whole answer within {DEADLINE_S} s (0 bytes came)"),
        ("BG", "HTTP 500: the disk is full"),
        ("CY", "not a JSON object: '<html>It works!</html>'"),
        ("CZ", "no connection (Connection refused)"),
        ("DE", "the connection was closed in the middle of the answer"),
        ("DK", "redirected to 'http://127.0.0.1:9/elsewhere', not followed"),
        ("EE", "body over 1048576 bytes"),
        ("ES", "HTTP 400: start is negative"),
        ("FI", f"no whole answer within {DEADLINE_S} s"),
        ("FR", "no responseSummary.exists"),
    ],
)
def test_the_reason_says_what_was_wrong(answers: dict[str, Answer], node: str, reason: str):
    assert reason in answers[node].reason


def test_a_hung_node_is_marked_late_at_the_deadline_and_delays_nobody(nodes):
    """The exact time is tested in virtual time: tests/unit/network."""
    hung, deadline_s = {"BE", "FI"}, 0.5

    async def scene() -> list[Answer]:
        async with NetworkClient(nodes, size_limit=1 << 20) as client:
            request, started = NodeRequest.of(QUERY), asyncio.get_running_loop().time()
            sent = {
                node.country: asyncio.ensure_future(client.send(node, request, started, 3600))
                for node in nodes
            }
            await asyncio.gather(*(one for country, one in sent.items() if country not in hung))
            assert not any(sent[country].done() for country in hung)
            for country in hung:
                sent[country].cancel()
            started = asyncio.get_running_loop().time()
            again = [node for node in nodes if node.country in hung]
            return await asyncio.gather(
                *(client.send(node, request, started, deadline_s) for node in again)
            )

    answers = asyncio.run(scene())
    assert {answer.node: answer.state for answer in answers} == dict.fromkeys(hung, "late")
    assert all(answer.latency_s >= deadline_s for answer in answers)


def test_the_joined_answer_counts_the_healthy_and_names_the_rest(answers: dict[str, Answer]):
    joined = aggregate_answers(QUERY, list(answers.values()))
    assert joined.exists is True
    assert joined.count == 9
    assert not joined.complete
    assert set(joined.states) == set(MANNERS)
    assert set(joined.reasons) == set(MANNERS) - {"AT", "GB", "GR"}


def test_a_kept_alive_connection_that_the_node_closed_meanwhile_is_opened_again(tmp_path: Path):
    folders = {"GB": tmp_path / "closing"}
    with running_nodes(folders, tmp_path, 30, stub_command) as running:
        rounds = ask(running, times=20)
    assert [answers[0].reason for answers in rounds] == [""] * 20


def test_a_node_killed_between_two_queries_is_marked_failed(tmp_path: Path):
    folders = {"AT": tmp_path / "healthy", "BE": tmp_path / "healthy"}

    async def asked(running: list[NodeEntry]) -> list[Answer]:
        async with NetworkClient(running) as client:
            assert [answer.state for answer in await client.ask(QUERY, 60)] == ["answered"] * 2
            os.kill(running[0].pid, signal.SIGKILL)
            os.waitid(os.P_PID, running[0].pid, os.WEXITED | os.WNOWAIT)
            return await client.ask(QUERY, 60)

    with running_nodes(folders, tmp_path, 30, stub_command) as running:
        answers = asyncio.run(asked(running))
    assert [answer.state for answer in answers] == ["failed", "answered"]


def test_a_stopped_node_is_late_and_answers_again_when_it_continues(tmp_path: Path):
    async def asked(running: list[NodeEntry]) -> list[str]:
        async with NetworkClient(running) as client:
            states = []
            for number, event, deadline_s in (
                (signal.SIGSTOP, os.WSTOPPED, 0.7),
                (signal.SIGCONT, os.WCONTINUED, 60),
            ):
                os.kill(running[0].pid, number)
                os.waitid(os.P_PID, running[0].pid, event | os.WNOWAIT)
                states += [answer.state for answer in await client.ask(QUERY, deadline_s)]
            return states

    folders = {"AT": tmp_path / "healthy"}
    with running_nodes(folders, tmp_path, 30, stub_command) as running:
        assert asyncio.run(asked(running)) == ["late", "answered"]
