"""Comparing the latencies of two Beacons with the same queries.

Both Beacons get the same queries in the same minutes, directly one after the other, and take turns
in being first. Changes in the load of the machine and of the line then affect both.
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

from rehearsal.errors import InputError, shown
from rehearsal.evaluation.judgement import first_names
from rehearsal.evaluation.latency import percentile
from rehearsal.evaluation.suite import read_suite
from rehearsal.files import atomic_path
from rehearsal.loadtest.stub_nodes import StubNodes
from rehearsal.machine import load_average
from rehearsal.model import ANSWER_STATES, Answer, Query
from rehearsal.network.aggregate import UNREADABLE, count_of, records, says_exists
from rehearsal.network.client import NetworkClient, NodeRequest, token_of
from rehearsal.network.launcher import Launch, node_command, running_nodes
from rehearsal.network.registry import NodeEntry, is_http_url
from rehearsal.network.variant_records import group_frequencies
from rehearsal.node.runtime_files import served_copy
from rehearsal.node.settings.node_settings import NodeSettings

SOURCE = "rehearsal bench"  # begins error messages
PARTS = {"frequency": "allele_frequency", "individuals": "individuals"}
TARGET, AGAINST, CONTROL = "target", "against", "control"
COVERAGE = 0.95
FREQUENCIES = ("frequency", "frequency_F", "frequency_M")  # columns
TOLERANCE = 1e-6  # of frequencies, which some Beacons write with six digits
NULL = NodeRequest("info", query=CONTROL)


@dataclass(frozen=True, slots=True)
class Ratio:
    """The ratio of paired latencies of two Beacons; NaN where there are too few pairs."""

    median: float
    low: float  # lower end of the median's interval
    high: float  # upper end
    pairs: int  # number of pairs


@dataclass(frozen=True, slots=True)
class BeaconAddress:
    """The address of a Beacon, as the command line gives it."""

    option: str  # the option that gives it, for errors
    url: str  # base URL, or the folder of a node
    token_variable: str | None = None  # environment variable with a bearer token

    def entry(self) -> NodeEntry:
        """Return the Beacon as an entry of a registry.

        Raises:
            InputError: The URL is malformed, or the environment variable holds no token.
        """
        if not is_http_url(self.url):
            expected = "a URL http(s)://HOST/... without user, password and query"
            raise InputError(SOURCE, self.option, expected, shown(self.url))
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
    """Send the queries, and print latencies and agreement.

    Args:
        target: The Beacon to measure.
        part: The part of the suite to send: a key of ``PARTS``.
        suite: The query suite of a run.
        against: The Beacon to compare with, or the folder of a node, which is served meanwhile;
            None for none.
        rounds: How often each query is sent.
        deadline_s: Longest time to wait for an answer, in seconds.
        out: The Parquet file to write, one row per request; None for none.

    Returns:
        The exit status: 0 when every Beacon answered at least one query, else 1.

    Raises:
        InputError: The queries cannot be sent.
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
    """Select the queries of a part that need controlled access: each has one right answer.

    Args:
        suite: The query suite.
        part: A key of ``PARTS``.
        source: The file of the suite, for errors.

    Returns:
        The queries.

    Raises:
        InputError: The suite has none.
    """
    found = [one for one in suite if one.kind == PARTS[part] and one.tier == "controlled"]
    if not found:
        expected = f"queries of kind {PARTS[part]}, for --part {part}"
        raise InputError(source, "suite", expected, "none")
    return found


@contextmanager
def _served(address: BeaconAddress) -> Iterator[NodeEntry]:
    """Give the entry of a Beacon; a node's folder is served for as long as the block runs."""
    folder = Path(address.url)
    if not folder.is_dir():
        yield address.entry()
        return
    country = NodeSettings.read(folder).country_code
    with TemporaryDirectory() as place:
        copy = served_copy(folder, Path(place) / country)
        logs = Path(place) / "logs"
        with running_nodes({country: copy}, logs, command=_without_limit) as (node,):
            yield replace(address, url=node.url).entry()


def _without_limit(launch: Launch) -> list[str]:
    """The command line of a node that one client may ask as fast as it can."""
    return [*node_command(launch), "--requests-per-s", "0"]


async def ask_in_turn(
    sides: Mapping[str, NodeEntry], queries: Sequence[Query], rounds: int, deadline_s: float
) -> pd.DataFrame:
    """Send queries to several sides by turns.

    Each side gets one request before, to open a connection. The side ``control`` gets requests
    that need no work.

    Args:
        sides: The Beacons by the name of their side.
        queries: The queries.
        rounds: How often each query is sent.
        deadline_s: Longest time to wait for an answer, in seconds.

    Returns:
        One row per query, round and side, with the columns ``query``, ``round``, ``side``,
        ``place`` (0: first of the turn), ``state``, ``http_status``, ``exists``, ``count``,
        ``frequency``, ``frequency_F`` and ``frequency_M`` (of one allele, in all people, women and
        men), ``latency_ms``, ``bytes``, ``reason``, ``load_average_1min``.
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
    types = {"count": "Int64", "exists": "boolean", **dict.fromkeys(FREQUENCIES, "Float64")}
    return pd.DataFrame(rows).astype(types)


def _answer_columns(answer: Answer, side: str) -> dict[str, Any]:
    has_content = answer.state == "answered" and side != CONTROL
    return {
        "state": answer.state,
        "http_status": answer.http_status,
        "exists": says_exists(answer) if has_content else None,
        "count": count_of(answer) if has_content else None,
        **(_frequencies(answer) if has_content else dict.fromkeys(FREQUENCIES)),
        "latency_ms": answer.latency_s * 1000,
        "bytes": answer.size_bytes,
        "reason": answer.reason,
        "load_average_1min": load_average(),
    }


def _frequencies(answer: Answer) -> dict[str, float | None]:
    """Return the frequencies of the one allele in an answer, by column; None where not given."""
    try:
        given = [one for one in map(group_frequencies, records(answer)) if one]
    except UNREADABLE:
        given = []
    groups = given[0] if given else {}
    return {column: groups.get(column.removeprefix("frequency")) for column in FREQUENCIES}


def pairs_of(table: pd.DataFrame, one: str = TARGET, other: str = AGAINST) -> pd.DataFrame:
    """Join the answers of two sides.

    Args:
        table: What ``ask_in_turn`` returns.
        one: The first side.
        other: The second side.

    Returns:
        One row per query and round that both sides answered; columns end in ``_one`` and
        ``_other``.
    """
    answered = table[table["state"] == "answered"]
    keys = ["query", "round"]
    sides = [answered[answered["side"] == side] for side in (one, other)]
    return sides[0].merge(sides[1], on=keys, suffixes=("_one", "_other"))


def paired_ratio(pairs: pd.DataFrame) -> Ratio:
    """Compute the median of the ratios of latencies, with an interval from order statistics.

    The interval covers the median with a probability of at least ``COVERAGE`` for any
    distribution. It lies between the k-th smallest and the k-th largest ratio, with k from the
    binomial distribution with 1/2. At least six pairs are needed.

    Args:
        pairs: What ``pairs_of`` returns.

    Returns:
        The median and its interval.
    """
    ratios = np.sort((pairs["latency_ms_one"] / pairs["latency_ms_other"]).to_numpy())
    n = len(ratios)
    k = int(stats.binom.ppf((1 - COVERAGE) / 2, n, 0.5)) if n else 0
    if k < 1:
        return Ratio(float(np.median(ratios)) if n else nan, nan, nan, n)
    return Ratio(float(np.median(ratios)), float(ratios[k - 1]), float(ratios[n - k]), n)


def comparison_lines(table: pd.DataFrame) -> list[str]:
    """Show the results of a comparison as text.

    Args:
        table: What ``ask_in_turn`` returns.

    Returns:
        Lines of text.
    """
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
            lines.append(f"target against {other}: {_ratio_text(ratio)}")
    if AGAINST in set(table["side"]):
        lines += _agreement_lines(pairs_of(table))
    reasons = table.loc[table["state"] != "answered", ["side", "reason"]].value_counts()
    lines += [f"{side}: {number} times: {reason}" for (side, reason), number in reasons[:5].items()]
    return [*lines, f"highest load average: {table['load_average_1min'].max():.1f}"]


def _ratio_text(ratio: Ratio) -> str:
    if not ratio.pairs:
        return "no query was answered by both"
    interval = f"95 % interval {ratio.low:.3g} to {ratio.high:.3g}"
    if np.isnan(ratio.low):
        interval = "too few pairs for an interval"
    return f"median latency ratio {ratio.median:.3g} ({interval}, {ratio.pairs} pairs)"


def _agreement_lines(pairs: pd.DataFrame) -> Iterator[str]:
    """Say in how many pairs the answers agree, and for each difference in which queries."""
    compared = {"presence": _compared(pairs, ["exists"]), "count": _compared(pairs, ["count"])}
    compared["frequency"] = _compared(pairs, list(FREQUENCIES))
    same = (f"{name} in {one.sum()} of {len(one)} pairs" for name, one in compared.items())
    yield f"same answers, where both give them: {', '.join(same)}"
    for name, one in compared.items():
        queries = list(dict.fromkeys(pairs.loc[one.index[~one], "query"]))
        if queries:
            yield f"different {name}: {first_names(queries)}"


def _compared(pairs: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    """Compare columns of two sides; returns a truth value for every pair that has two values."""
    differences = pd.DataFrame({column: _difference(pairs, column) for column in columns})
    given = differences[differences.notna().any(axis=1)]
    return (given.isna() | (given <= TOLERANCE)).all(axis=1).astype(bool)


def _difference(pairs: pd.DataFrame, column: str) -> pd.Series:
    one, other = (pairs[f"{column}_{side}"].astype("Float64") for side in ("one", "other"))
    return (one - other).abs()
