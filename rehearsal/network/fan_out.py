"""One question to many nodes at once: when the answers are gathered, and who is waited for.

By default everybody is waited for until the deadline. A partial answer leaves earlier, by the
rule of ``partial_end_s``. The sequential way is how today's European aggregator gathers: all
nodes are asked at once, but collected one after another with a patience for each, so that k
hung nodes cost k times the patience.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from rehearsal.model import Answer
from rehearsal.network.registry import NodeEntry

# what a partial answer waits for those who are overdue; with our own work below 50 ms
GRACE_S = 0.03
SEQUENTIAL_PATIENCE_S = 5.0

Send = Callable[[NodeEntry], Awaitable[Answer]]


def partial_end_s(
    asked: int, finished_s: Collection[float], usual_s: Collection[float]
) -> float | None:
    """When a partial answer leaves, in seconds after asking; None: that is not known yet.

    It waits until half of the ``asked`` nodes have finished; then for ``GRACE_S`` after the
    slowest of those (``finished_s``), and after the time that each healthy node which is still
    missing usually takes (``usual_s``). A node that answered nothing last time, or was never
    heard of, gets the grace only.
    """
    if 2 * len(finished_s) < asked or not finished_s:
        return None
    return max(*finished_s, *usual_s) + GRACE_S if usual_s else max(finished_s) + GRACE_S


async def gather(nodes: Sequence[NodeEntry], send: Send) -> list[Answer]:
    """Everybody's answer, in the order of the nodes; ``send`` keeps the deadline."""
    return list(await asyncio.gather(*(send(node) for node in nodes)))


async def gather_partially(
    nodes: Sequence[NodeEntry], send: Send, usual_s: Mapping[str, float], started: float, query: str
) -> list[Answer]:
    """What has come when the partial answer leaves; the rest is cut off and marked ``late``.

    ``usual_s``: by country, of healthy nodes. ``started``: the loop's time of asking.
    """
    clock = asyncio.get_running_loop().time
    tasks = {asyncio.ensure_future(send(node)): node for node in nodes}
    missing = set(tasks)
    finished_s: list[float] = []
    try:
        while missing:
            usual = _usual_times([tasks[task] for task in missing], usual_s)
            end_s = partial_end_s(len(nodes), finished_s, usual)
            timeout = None if end_s is None else started + end_s - clock()
            if timeout is not None and timeout <= 0:
                break
            done, missing = await asyncio.wait(
                missing, timeout=timeout, return_when=asyncio.FIRST_COMPLETED
            )
            finished_s += [clock() - started] * len(done)
    finally:
        _cancel(missing)
    waited_s = clock() - started
    return [
        _cut_off(node, query, waited_s) if task in missing else task.result()
        for task, node in tasks.items()
    ]


def _usual_times(nodes: Sequence[NodeEntry], usual_s: Mapping[str, float]) -> list[float]:
    return [usual_s[node.country] for node in nodes if node.country in usual_s]


def _cancel(tasks: Collection[asyncio.Future[Answer]]) -> None:
    for task in tasks:
        task.cancel()


def _cut_off(node: NodeEntry, query: str, waited_s: float) -> Answer:
    reason = f"not waited for beyond {waited_s * 1000:.0f} ms: a partial answer was asked for"
    return Answer(query, node.country, "late", None, None, waited_s, 0, reason)


async def gather_one_after_another(
    nodes: Sequence[NodeEntry], send: Send, patience_s: float, query: str
) -> list[Answer]:
    """The baseline: nodes are collected in turn, each within ``patience_s`` of its turn."""
    tasks = [asyncio.ensure_future(send(node)) for node in nodes]
    answers = []
    for node, task in zip(nodes, tasks, strict=True):
        try:
            answers.append(await asyncio.wait_for(task, patience_s))
        except TimeoutError:
            reason = f"no whole answer within {patience_s:g} s of its turn"
            answers.append(Answer(query, node.country, "late", None, None, patience_s, 0, reason))
    return answers
