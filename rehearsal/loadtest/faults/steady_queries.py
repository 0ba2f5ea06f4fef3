"""Asks a network at a steady rate while something is broken, and judges all that comes back."""

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

NO_REPLY = "no reply"  # stands for a state: the network itself did not answer, and the asker knows


@dataclass(frozen=True)
class ObservedReply:
    """What became of one query. Times are of the monotonic clock, in seconds.

    ``states``: by country, as the network told, or ``no reply`` for all; ``wrong``: what was told
    wrongly and not marked; ``lost``: countries of which nothing was told.
    """

    sent_at: float
    received_at: float
    states: Mapping[str, str]
    reasons: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether everybody's answer is there and right."""
        return set(self.states.values()) == {"answered"} and not (self.wrong or self.lost)


class SteadyQueries:
    """Asks ``per_s`` queries a second, whether or not earlier ones have been answered."""

    def __init__(
        self,
        queries: Sequence[Query],
        expected: Mapping[str, Mapping[str, ExpectedAnswer]],
        countries: Sequence[str],
        deadline_s: float,
        per_s: float,
    ) -> None:
        """``expected``: by query and country; ``countries``: those of the network."""
        self._queries = cycle(queries)
        self._expected, self._countries = expected, countries
        self._deadline_s, self._every_s = deadline_s, 1 / per_s
        self._under_way: set[asyncio.Task[None]] = set()
        self.replies: list[ObservedReply] = []
        self.token: str | None = None

    @contextlib.asynccontextmanager
    async def sending(self, service: NodeEntry) -> AsyncIterator[None]:
        """Ask in the background as long as the block runs; what is under way is waited for."""
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
        """When the first question was asked, after ``since``, that a country's answer came to one
        of the states for; None when that takes too long."""
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
        """Seconds from ``since`` until the first of so many whole answers in a row, all asked
        after it, was there; None when that takes too long."""
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
    """What the network told of each node, and whether anything of it is wrong without a mark."""
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
    """The joined answer must be what the nodes that answered hold, no less and no more."""
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
