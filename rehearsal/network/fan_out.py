"""Send one query to many nodes at once: when answers are collected, and how long to wait.

By default every node has until the deadline. A partial answer leaves earlier, by the rule of
``partial_end_s``. The sequential policy collects as today's European aggregator does: all nodes are
asked at once, but their answers are collected one after another, each with its own timeout, so k
hanging nodes cost k times the timeout.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from rehearsal.model import Answer
from rehearsal.network.registry import NodeEntry

# time that a partial answer waits for overdue nodes; with our own work below 50 ms
GRACE_S = 0.03
SEQUENTIAL_PATIENCE_S = 5.0

Send = Callable[[NodeEntry], Awaitable[Answer]]


def partial_end_s(
    asked: int, finished_s: Collection[float], usual_s: Collection[float]
) -> float | None:
    """Compute when a partial answer leaves.

    It waits until half of the nodes have finished. From then on it waits for ``GRACE_S`` after the
    slowest of those, and after the usual time of each healthy node that is still missing. A node
    that gave no answer last time, or was never heard of, gets the grace period only.

    Args:
        asked: Number of nodes that were asked.
        finished_s: Time that each finished node took, in seconds.
        usual_s: Usual time of each healthy node that is missing, in seconds.

    Returns:
        Seconds after the start; None while it is not known yet.
    """
    if 2 * len(finished_s) < asked or not finished_s:
        return None
    return max(*finished_s, *usual_s) + GRACE_S if usual_s else max(finished_s) + GRACE_S


async def gather(nodes: Sequence[NodeEntry], send: Send) -> list[Answer]:
    """Collect the answers of all nodes.

    Args:
        nodes: The nodes.
        send: Sends the request to a node and keeps the deadline.

    Returns:
        One answer per node, in the order of the nodes.
    """
    return list(await asyncio.gather(*(send(node) for node in nodes)))


async def gather_partially(
    nodes: Sequence[NodeEntry], send: Send, usual_s: Mapping[str, float], started: float, query: str
) -> list[Answer]:
    """Collect answers until the partial answer leaves. The other nodes are marked ``late``.

    Args:
        nodes: The nodes.
        send: Sends the request to a node.
        usual_s: Usual time of healthy nodes in seconds, by country code.
        started: Time of the event loop at which the query started.
        query: Id of the query.

    Returns:
        One answer per node, in the order of the nodes.
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
    reason = f"no answer within {waited_s * 1000:.0f} ms, when the partial answer left"
    return Answer(query, node.country, "late", None, None, waited_s, 0, reason)


async def gather_one_after_another(
    nodes: Sequence[NodeEntry], send: Send, patience_s: float, query: str
) -> list[Answer]:
    """Collect the answers in turn, the baseline.

    Args:
        nodes: The nodes.
        send: Sends the request to a node.
        patience_s: Time for each node from its turn on, in seconds.
        query: Id of the query.

    Returns:
        One answer per node, in the order of the nodes.
    """
    tasks = [asyncio.ensure_future(send(node)) for node in nodes]
    answers = []
    for node, task in zip(nodes, tasks, strict=True):
        try:
            answers.append(await asyncio.wait_for(task, patience_s))
        except TimeoutError:
            reason = f"no whole answer within {patience_s:g} s of its turn"
            answers.append(Answer(query, node.country, "late", None, None, patience_s, 0, reason))
    return answers
