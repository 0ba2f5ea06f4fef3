"""``rehearsal query``: send one query to a network or a node and print the answer for a person."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from rehearsal.errors import InputError, mismatch, shown, unreadable_file
from rehearsal.model import Answer
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry, is_http_url
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import check_keys

ASKER_MARGIN_S = 2.0  # added to the deadline, for the network itself
PATIENCE_S = 60.0
COMMAND = "rehearsal query"
EXISTS: dict[object, str] = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class QueryCommand:
    """A query as it was typed.

    Args:
        url: URL of a network or a node.
        path: Path of the endpoint.
        parameters: URL parameters as KEY=VALUE.
        body: JSON file to POST instead of parameters.
        deadline_s: Deadline in seconds, instead of the network's own.
        partial: Whether the network may answer without overdue nodes.
        token_variable: Environment variable with a bearer token.
        purpose: DUO terms.
        key_variable: Environment variable with a key of the Matchmaker Exchange.
    """

    url: str
    path: str
    parameters: Sequence[str] = ()
    body: Path | None = None
    deadline_s: float | None = None
    partial: bool = False
    token_variable: str | None = None
    purpose: str | None = None
    key_variable: str | None = None

    def node(self) -> NodeEntry:
        """Return the network or node to ask.

        Raises:
            InputError: The URL is none of http or https, or there are a key and a token.
        """
        if not is_http_url(self.url):
            expected = "a URL http(s)://HOST/... without user, password and query"
            found = "one with more parts" if {"@", "?"} & set(self.url) else shown(self.url)
            raise InputError(COMMAND, "URL", expected, found)  # a password is never shown
        if self.token_variable and self.key_variable:
            expected = "a key or a token, because a request with both is refused"
            raise InputError(COMMAND, "--key-variable", expected, "both")
        has_key = self.key_variable is not None
        url = self.url.rstrip("/")
        return NodeEntry(self.url, url, self.token_variable, forward_token=has_key)

    def request(self) -> NodeRequest:
        """Build the request.

        Returns:
            The request.

        Raises:
            InputError: A parameter or the body cannot be used, or the key is not there.
        """
        pairs = [_read_parameter(text) for text in self.parameters]
        if self.body is not None and pairs:
            expected = "a body or parameters KEY=VALUE, because each excludes the other"
            raise InputError(COMMAND, "--body", expected, "both")
        if self.deadline_s is not None:
            pairs.append(("deadlineS", f"{self.deadline_s:g}"))
        if self.partial:
            pairs.append(("partial", "true"))
        body = None if self.body is None else _read_request_body(self.body)
        return NodeRequest(
            self.path.strip("/"),
            "GET" if body is None else "POST",
            body,
            tuple(pairs),
            purpose=self.purpose,
            key=self._key(),
        )

    def _key(self) -> str | None:
        """Read the key from its environment variable. Raises InputError without one."""
        if self.key_variable is None:
            return None
        if not (key := os.environ.get(self.key_variable)):
            expected = "a key for the header X-Auth-Token"
            raise InputError("environment variables", self.key_variable, expected, "nothing")
        return key

    @property
    def patience_s(self) -> float:
        """Time to wait for the answer, in seconds."""
        return PATIENCE_S if self.deadline_s is None else self.deadline_s + ASKER_MARGIN_S


def run_query(command: QueryCommand, as_json: bool = False) -> int:
    """Send a query and print the answer.

    Args:
        command: The query.
        as_json: Whether to print the whole answer as JSON.

    Returns:
        Exit code: 0 when there was an answer, else 1.

    Raises:
        InputError: The query cannot be sent.
    """
    answer = asyncio.run(_ask(command.node(), command.request(), command.patience_s))
    if answer.state != "answered":
        where, found = f"{COMMAND}: {answer.node}", f"{answer.state} ({answer.reason})"
        print(mismatch(where, "an answer", found), file=sys.stderr)
    if lines := _json_lines(answer) if as_json else answer_lines(answer):
        print("\n".join(lines))
    return 0 if answer.state == "answered" else 1


async def _ask(node: NodeEntry, request: NodeRequest, patience_s: float) -> Answer:
    async with NetworkClient([node]) as client:
        started = asyncio.get_running_loop().time()
        return await client.send(node, request, started, patience_s)


def _read_parameter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InputError(COMMAND, "parameters", "KEY=VALUE", shown(text))
    return key, value


def _read_request_body(path: Path) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
        document = orjson.loads(raw)
    except (OSError, orjson.JSONDecodeError) as error:
        found = unreadable_file(error)
        raise InputError(COMMAND, f"--body {path}", "a Beacon request in JSON", found) from error
    try:
        check_keys(raw)
    except Problem as problem:  # a reader keeps one of two values
        expected = "each key of an object once"
        found = problem.message.rpartition(", found ")[2]
        raise InputError(COMMAND, f"--body {path}", expected, found) from None
    if not isinstance(document, dict):
        raise InputError(COMMAND, f"--body {path}", "a JSON object", shown(document))
    return document


def _json_lines(answer: Answer) -> list[str]:
    return [] if answer.body is None else [json.dumps(answer.body, indent=2)]


def answer_lines(answer: Answer) -> list[str]:
    """Format an answer for a person: the total, then one line per node of a network.

    Args:
        answer: The answer.

    Returns:
        Lines of text.
    """
    info = (answer.body or {}).get("info")
    nodes = info.get("nodes", []) if isinstance(info, dict) else []
    privacy = info.get("privacy") if isinstance(info, dict) else None
    return _result_lines(answer) + _privacy_lines(privacy) + [_node_line(node) for node in nodes]


def _privacy_lines(privacy: Any) -> list[str]:
    """Say how the protected answers of a node's datasets came about."""
    if not isinstance(privacy, dict):
        return []
    lines = []
    for dataset, told in privacy.items():
        how = told.get("basis") or told.get("refused", "")
        deviation = told.get("standardDeviation")
        noise = "" if deviation is None else f" with noise of standard deviation {deviation:g}"
        lines.append(f"{dataset}: {how}{noise}")
    return lines


def _result_lines(answer: Answer) -> list[str]:
    body = answer.body or {}
    summary, matches = body.get("responseSummary"), body.get("results")
    if answer.state != "answered":
        return []
    if isinstance(summary, dict):
        return [_total_line(summary, body.get("info"))]
    if isinstance(matches, list):
        notes = [f"Note: {one}" for one in body.get("_notes") or ()]
        return [*([_match_line(one) for one in matches] or ["no matching patients"]), *notes]
    return [json.dumps(body.get("response", body), indent=2)]


def _total_line(summary: dict[str, Any], info: Any) -> str:
    """Say whether there are matches and how many, as far as all nodes told."""
    count = summary.get("numTotalResults")
    word = "yes" if summary.get("exists") else "no"
    uncounted = info.get("uncounted") if isinstance(info, dict) else None
    if not uncounted:
        return word if count is None else f"{word}, {count:,} in total"
    told = "" if not count else f", at least {count:,} in total"
    return f"{word}{told} (no number from {', '.join(map(str, uncounted))})"


def _match_line(one: dict[str, Any]) -> str:
    """Format one matching patient: score, node, contact token and shared features."""
    patient = one["patient"]
    shared = [str(term.get("label", term["id"])) for term in patient.get("features", ())]
    for part in patient.get("genomicFeatures", ()):
        copies = f" x{part['zygosity']}" if "variant" in part and "zygosity" in part else ""
        shared.append(f"{part.get('gene', {}).get('id', 'a variant')}{copies}")
    where = f"{one['score']['patient']:.3f} {one.get('_node', ''):8} {patient['id']}"
    return f"{where}  {', '.join(shared)}"


def _node_line(node: dict[str, Any]) -> str:
    exists = EXISTS.get(node.get("exists"), "")
    count = node.get("count", "")
    cells = f"{node['node']:8} {node['state']:9} {exists:4} {count!s:>10}"
    return f"{cells} {node['latencyMs']:9.1f} ms  {node.get('reason', '')}".rstrip()
