"""Sending queries to a network at a steady rate during a fault, and judging the answers."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import cycle

from rehearsal.evaluation.exact_judge import judge_answer
from rehearsal.evaluation.network_judge import judge_network_answer
from rehearsal.model import AnswerState, Query
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service_client import NetworkReply, ServiceClient
from rehearsal.truth.expected_answers import ExpectedAnswer

NO_REPLY = "no reply"  # in the place of a state: the network gave the client an error


@dataclass(frozen=True)
class ObservedReply:
    """The outcome of one query; times are seconds of the monotonic clock."""

    sent_at: float
    received_at: float
    states: Mapping[str, str]  # by country, as the network reports; or ``no reply`` for all
    reasons: Mapping[str, str] = field(default_factory=dict)  # by country
    wrong: tuple[str, ...] = ()  # wrong answers that were not marked as failed
    lost: tuple[str, ...] = ()  # countries that the answer does not mention

    @property
    def is_whole(self) -> bool:
        """Whether the answers of all nodes are there and right."""
        return set(self.states.values()) == {"answered"} and not (self.wrong or self.lost)


class SteadyQueries:
    """A client that sends queries at a steady rate, even when earlier ones are unanswered.

    Args:
        queries: The queries, sent repeatedly in this order.
        expected: The right answers by query and country.
        countries: The countries of the network.
        deadline_s: Deadline of a query, in seconds.
        per_s: Queries per second.
    """

    def __init__(
        self,
        queries: Sequence[Query],
        expected: Mapping[str, Mapping[str, ExpectedAnswer]],
        countries: Sequence[str],
        deadline_s: float,
        per_s: float,
    ) -> None:
        self._queries = cycle(queries)
        self._expected, self._countries = expected, countries
        self._deadline_s, self._every_s = deadline_s, 1 / per_s
        self._under_way: set[asyncio.Task[None]] = set()
        self.replies: list[ObservedReply] = []
        self.token: str | None = None

    @contextlib.asynccontextmanager
    async def sending(self, service: NodeEntry) -> AsyncIterator[None]:
        """Send queries in the background for as long as the block runs, and await open ones.

        Args:
            service: The network.
        """
        async with ServiceClient(service, lambda _: self.token) as client:
            pump = asyncio.ensure_future(self._pump(client))
            try:
                yield
            finally:
                pump.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await pump
                await asyncio.gather(*self._under_way)

    async def _pump(self, client: ServiceClient) -> None:
        next_at = time.monotonic()
        while True:
            task = asyncio.ensure_future(self._ask(client, next(self._queries)))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            next_at += self._every_s
            await asyncio.sleep(max(0.0, next_at - time.monotonic()))

    async def _ask(self, client: ServiceClient, query: Query) -> None:
        sent_at = time.monotonic()
        try:
            reply = await client.ask(query, self._deadline_s)
        except RuntimeError as error:
            states = dict.fromkeys(self._countries, NO_REPLY)
            observed = ObservedReply(sent_at, time.monotonic(), states, {"": str(error)})
        else:
            expected = self._expected[query.id]
            observed = judge_observed_reply(query, expected, self._countries, reply, sent_at)
        self.replies.append(observed)

    async def wait_for_state(
        self, country: str, states: Sequence[str], since: float, timeout_s: float
    ) -> float | None:
        """Wait until a country's answer has one of some states.

        Args:
            country: The country.
            states: The states to wait for.
            since: Only queries sent after this time count.
            timeout_s: Longest time to wait, in seconds.

        Returns:
            When the first such query was sent; None when there was none in time.
        """
        while time.monotonic() < since + timeout_s:
            asked = [
                one.sent_at
                for one in self.replies
                if one.sent_at >= since and one.states.get(country) in states
            ]
            if asked:
                return min(asked)
            await asyncio.sleep(self._every_s / 2)
        return None

    async def wait_for_whole(
        self, since: float, timeout_s: float, in_a_row: int = 2
    ) -> float | None:
        """Wait until several answers in a row are complete and right.

        Args:
            since: Only queries sent after this time count.
            timeout_s: Longest time to wait, in seconds.
            in_a_row: How many such answers are needed.

        Returns:
            Seconds from ``since`` to the first of these answers; None when they took too long.
        """
        while time.monotonic() < since + timeout_s:
            later = sorted(
                (one for one in self.replies if one.sent_at >= since), key=lambda one: one.sent_at
            )
            run: list[ObservedReply] = []
            for one in later:
                run = [*run, one] if one.is_whole else []
                if len(run) == in_a_row:
                    return run[0].received_at - since
            await asyncio.sleep(self._every_s / 2)
        return None


def judge_observed_reply(
    query: Query,
    expected: Mapping[str, ExpectedAnswer],
    countries: Sequence[str],
    reply: NetworkReply,
    sent_at: float,
) -> ObservedReply:
    """Judge the reply of the network to one query.

    Args:
        query: The query.
        expected: The right answers by country.
        countries: The countries of the network.
        reply: The reply of the network.
        sent_at: When the query was sent.

    Returns:
        The state of each node, and wrong or missing answers that are not marked.
    """
    answers = {answer.node: answer for answer in reply.answers}
    wrong = [
        f"{country}: {verdict.difference}"
        for country, answer in answers.items()
        if answer.state == "answered"
        and not (verdict := judge_answer(query, expected[country], answer)).equal
    ]
    wrong += _wrong_sums(query, expected, reply)
    return ObservedReply(
        sent_at,
        time.monotonic(),
        {country: answer.state for country, answer in answers.items()},
        {country: answer.reason for country, answer in answers.items() if answer.reason},
        tuple(wrong),
        tuple(country for country in countries if country not in answers),
    )


def _wrong_sums(
    query: Query, expected: Mapping[str, ExpectedAnswer], reply: NetworkReply
) -> Iterator[str]:
    """Check that the joined answer is the sum of the answers of the nodes that answered."""
    states = reply.aggregated.states
    answered: dict[str, AnswerState] = {
        node: state for node, state in states.items() if state == "answered"
    }
    if answered:
        aggregated = replace(reply.aggregated, states=answered)
        verdict = judge_network_answer(query, expected, aggregated)
        if not verdict.equal:
            yield f"network: {verdict.difference}"
    elif reply.aggregated.exists is not None:
        yield f"network: exists {reply.aggregated.exists}, though no node answered"
