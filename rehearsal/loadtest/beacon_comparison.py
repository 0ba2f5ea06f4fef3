"""A named part of the suite put to any Beacon, and to another in turn: who answers how fast.

Both are asked the same questions in the same minutes, one straight after the other and by turns
first, so that whatever the machine and the line do meanwhile happens to both.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from math import nan
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from rehearsal.errors import InputError
from rehearsal.evaluation.latency import percentile
from rehearsal.evaluation.suite import read_suite
from rehearsal.files import atomic_path
from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.machine import load_average
from rehearsal.model import ANSWER_STATES, Answer, Query
from rehearsal.network.aggregate import count_of, says_exists
from rehearsal.network.client import NetworkClient, NodeRequest, token_of
from rehearsal.network.launcher import running_nodes
from rehearsal.network.registry import NodeEntry, is_http_url
from rehearsal.node.runtime_files import served_copy
from rehearsal.node.settings.node_settings import NodeSettings

SOURCE = "rehearsal bench"  # what complaints begin with
PARTS = {"frequency": "allele_frequency", "individuals": "individuals"}
TARGET, AGAINST, CONTROL = "target", "against", "control"
COVERAGE = 0.95
NULL = NodeRequest("info", query=CONTROL)


@dataclass(frozen=True, slots=True)
class Ratio:
    """Of paired latencies, target to the other: the median and its interval, of ``pairs``.

    NaN where there are too few pairs to say.
    """

    median: float
    low: float
    high: float
    pairs: int


@dataclass(frozen=True, slots=True)
class BeaconAddress:
    """The URL of a Beacon, and the environment variable that holds a token for it. ``option``: of
    the command line, by which complaints name it."""

    option: str
    url: str
    token_variable: str | None = None

    def entry(self) -> NodeEntry:
        """The Beacon as a node. Raises InputError for what is no URL or has no token."""
        if not is_http_url(self.url):
            expected = (
                f"a URL http(s)://HOST/... without user, password and query, not {self.url!r}"
            )
            raise InputError(SOURCE, self.option, expected)
        node = NodeEntry(self.option.strip("-"), self.url.rstrip("/"), self.token_variable)
        token_of(node)
        return node


def compare_beacons(
    target: BeaconAddress,
    part: str,
    suite: Path,
    against: BeaconAddress | None = None,
    rounds: int = 5,
    deadline_s: float = 10.0,
    out: Path | None = None,
) -> int:
    """Ask, print, and return the exit code: 0 when everybody who was named answered something.

    ``against``: another Beacon, or in place of its URL the folder of a node of ours, which is
    served for as long as this takes. ``out``: Parquet, a row a request. Raises InputError for what
    cannot be asked.
    """
    queries = queries_of_part(read_suite(suite), part, suite)
    with ExitStack() as stack:
        sides = {TARGET: target.entry()}
        if against is not None:
            sides[AGAINST] = stack.enter_context(_served(against))
        sides[CONTROL] = NodeEntry(CONTROL, stack.enter_context(StubNodes([0.0])).urls[0])
        table = asyncio.run(ask_in_turn(sides, queries, rounds, deadline_s))
    if out is not None:
        with atomic_path(out) as path:
            table.to_parquet(path)
    title = f"{part}: {len(queries)} queries of {suite}, {rounds} rounds"
    print("\n".join([title, *comparison_lines(table)]))
    answered = table[table["state"] == "answered"]["side"].unique()
    return 0 if set(sides) <= set(answered) else 1


def queries_of_part(suite: Sequence[Query], part: str, source: Path) -> list[Query]:
    """The queries of a part: of controlled access, as they have one right answer each.

    Raises InputError when the suite has none.
    """
    found = [one for one in suite if one.kind == PARTS[part] and one.tier == "controlled"]
    if not found:
        raise InputError(source, "suite", f"queries of kind {PARTS[part]}, for --part {part}")
    return found


@contextmanager
def _served(address: BeaconAddress) -> Iterator[NodeEntry]:
    """A Beacon that is there, or a node of ours that is served meanwhile."""
    folder = Path(address.url)
    if not folder.is_dir():
        yield address.entry()
        return
    country = NodeSettings.read(folder).country_code
    with TemporaryDirectory() as place:
        copy = served_copy(folder, Path(place) / country)
        with running_nodes({country: copy}, Path(place) / "logs") as (node,):
            yield replace(address, url=node.url).entry()


async def ask_in_turn(
    sides: Mapping[str, NodeEntry], queries: Sequence[Query], rounds: int, deadline_s: float
) -> pd.DataFrame:
    """A row a query, round and side; sides take turns in being first.

    Columns: ``query``, ``round``, ``side``, ``place`` (0: asked first), ``state``, ``http_status``,
    ``exists``, ``count``, ``latency_ms``, ``bytes``, ``reason``, ``load_average_1min``. Everybody
    is asked once before, for a connection. The side ``control`` is asked for nothing.
    """
    rows = []
    clock = asyncio.get_running_loop().time
    async with NetworkClient(list(sides.values())) as client:
        for side, node in sides.items():
            request = NULL if side == CONTROL else NodeRequest.of(queries[0])
            await client.send(node, request, clock(), deadline_s)
        for turn in range(rounds):
            for number, query in enumerate(queries):
                first = (turn + number) % len(sides)
                order = [*list(sides)[first:], *list(sides)[:first]]
                for place, side in enumerate(order):
                    request = NULL if side == CONTROL else NodeRequest.of(query)
                    answer = await client.send(sides[side], request, clock(), deadline_s)
                    at = {"query": query.id, "round": turn, "side": side, "place": place}
                    rows.append(at | _answer_columns(answer, side))
    return pd.DataFrame(rows).astype({"count": "Int64", "exists": "boolean"})


def _answer_columns(answer: Answer, side: str) -> dict[str, Any]:
    has_content = answer.state == "answered" and side != CONTROL
    return {
        "state": answer.state,
        "http_status": answer.http_status,
        "exists": says_exists(answer) if has_content else None,
        "count": count_of(answer) if has_content else None,
        "latency_ms": answer.latency_s * 1000,
        "bytes": answer.size_bytes,
        "reason": answer.reason,
        "load_average_1min": load_average(),
    }


def pairs_of(table: pd.DataFrame, one: str = TARGET, other: str = AGAINST) -> pd.DataFrame:
    """A row a query and round that both answered: latencies and answers side by side."""
    answered = table[table["state"] == "answered"]
    keys = ["query", "round"]
    sides = [answered[answered["side"] == side] for side in (one, other)]
    return sides[0].merge(sides[1], on=keys, suffixes=("_one", "_other"))


def paired_ratio(pairs: pd.DataFrame) -> Ratio:
    """Median of the ratios of latencies, and an interval for it by order statistics.

    The interval holds at least ``COVERAGE`` whatever the distribution: it lies between the k-th
    smallest and the k-th largest ratio, k by the binomial distribution with 1/2. Six pairs are the
    fewest that have one.
    """
    ratios = np.sort((pairs["latency_ms_one"] / pairs["latency_ms_other"]).to_numpy())
    n = len(ratios)
    k = int(stats.binom.ppf((1 - COVERAGE) / 2, n, 0.5)) if n else 0
    if k < 1:
        return Ratio(float(np.median(ratios)) if n else nan, nan, nan, n)
    return Ratio(float(np.median(ratios)), float(ratios[k - 1]), float(ratios[n - k]), n)


def comparison_lines(table: pd.DataFrame) -> list[str]:
    """What a comparison came to, for a person."""
    lines = [
        f"{'':8} {'answered':>8} {'refused':>8} {'late':>6} {'failed':>6} "
        f"{'p50 ms':>9} {'p95 ms':>9} {'p99 ms':>9} {'bytes':>9}"
    ]
    for side, rows in table.groupby("side", sort=False):
        answered = rows[rows["state"] == "answered"]
        counts = [int((rows["state"] == state).sum()) for state in ANSWER_STATES]
        values = [percentile(answered["latency_ms"].to_numpy(), share) for share in (50, 95, 99)]
        cells = f"{counts[0]:8} {counts[1]:8} {counts[2]:6} {counts[3]:6}"
        figures = " ".join(f"{value:9.2f}" for value in values)
        lines.append(f"{side:8} {cells} {figures} {answered['bytes'].mean():9.0f}")
    for other in (AGAINST, CONTROL):
        if other in set(table["side"]):
            ratio = paired_ratio(pairs_of(table, TARGET, other))
            lines.append(f"target to {other}: {_ratio_text(ratio)}")
    if AGAINST in set(table["side"]):
        lines.append(_agreement_text(pairs_of(table)))
    reasons = table.loc[table["state"] != "answered", ["side", "reason"]].value_counts()
    lines += [f"{side}: {number} times {reason}" for (side, reason), number in reasons[:5].items()]
    return [*lines, f"load average {table['load_average_1min'].max():.1f} at the most"]


def _ratio_text(ratio: Ratio) -> str:
    if not ratio.pairs:
        return "no query that both answered"
    interval = f"95 % interval {ratio.low:.3g} to {ratio.high:.3g}"
    if np.isnan(ratio.low):
        interval = "too few for an interval"
    return f"{ratio.median:.3g} times as long at the median ({interval}, {ratio.pairs} pairs)"


def _agreement_text(pairs: pd.DataFrame) -> str:
    exists = (pairs["exists_one"] == pairs["exists_other"]).sum()
    both = pairs[pairs["count_one"].notna() & pairs["count_other"].notna()]
    counts = (both["count_one"] == both["count_other"]).sum()
    return (
        f"the same answer: exists in {exists} of {len(pairs)} pairs, "
        f"the count in {counts} of {len(both)} where both gave one"
    )
