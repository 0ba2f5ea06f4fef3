"""``rehearsal query``: one question to a network or a node, its answer for a person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from rehearsal.errors import InputError
from rehearsal.model import Answer
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry

ASKER_MARGIN_S = 2.0  # that the network may need beside its deadline
PATIENCE_S = 60.0
EXISTS: dict[object, str] = {True: "yes", False: "no"}


@dataclass(frozen=True, slots=True)
class QueryCommand:
    """A question as it was typed.

    ``url``: of a network or a node. ``parameters``: KEY=VALUE; ``body``: a JSON file to POST
    instead. ``deadline_s``: other than the network's own. ``partial``: nodes that are overdue are
    not waited for. ``token_variable``: the environment variable with a bearer token. ``purpose``:
    DUO terms.
    """

    url: str
    path: str
    parameters: Sequence[str] = ()
    body: Path | None = None
    deadline_s: float | None = None
    partial: bool = False
    token_variable: str | None = None
    purpose: str | None = None

    def node(self) -> NodeEntry:
        """Whom to ask."""
        return NodeEntry(self.url, self.url.rstrip("/"), self.token_variable)

    def request(self) -> NodeRequest:
        """What to ask. Raises InputError for what cannot be asked."""
        pairs = [_read_parameter(text) for text in self.parameters]
        if self.body is not None and pairs:
            raise InputError("rehearsal query", "--body", "a body or parameters, not both")
        if self.deadline_s is not None:
            pairs.append(("deadlineS", f"{self.deadline_s:g}"))
        if self.partial:
            pairs.append(("partial", "true"))
        path, parameters = self.path.strip("/"), tuple(pairs)
        if self.body is None:
            return NodeRequest(path, "GET", None, parameters, purpose=self.purpose)
        body = _read_request_body(self.body)
        return NodeRequest(path, "POST", body, parameters, purpose=self.purpose)

    @property
    def patience_s(self) -> float:
        """How long an answer is waited for."""
        return PATIENCE_S if self.deadline_s is None else self.deadline_s + ASKER_MARGIN_S


def run_query(command: QueryCommand, as_json: bool = False) -> int:
    """Ask, print, and return the exit code: 0 when there was an answer, else 1.

    Raises InputError for what cannot be asked.
    """
    answer = asyncio.run(_ask(command.node(), command.request(), command.patience_s))
    print(_as_json(answer) if as_json else "\n".join(answer_lines(answer)))
    return 0 if answer.state == "answered" else 1


async def _ask(node: NodeEntry, request: NodeRequest, patience_s: float) -> Answer:
    async with NetworkClient([node]) as client:
        started = asyncio.get_running_loop().time()
        return await client.send(node, request, started, patience_s)


def _read_parameter(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InputError("rehearsal query", text, "KEY=VALUE")
    return key, value


def _read_request_body(path: Path) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(path, "file", f"a Beacon request in JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(path, "file", "a Beacon request: a JSON object")
    return document


def _as_json(answer: Answer) -> str:
    return json.dumps(answer.body, indent=2) if answer.body is not None else answer.reason


def answer_lines(answer: Answer) -> list[str]:
    """The answer in words: the total, then a line a node where a network answered."""
    info = (answer.body or {}).get("info")
    nodes = info.get("nodes", []) if isinstance(info, dict) else []
    return _result_lines(answer) + [_node_line(node) for node in nodes]


def _result_lines(answer: Answer) -> list[str]:
    body = answer.body or {}
    summary, matches = body.get("responseSummary"), body.get("results")
    if answer.state != "answered":
        return [f"{answer.state}: {answer.reason}"]
    if isinstance(summary, dict):
        count = summary.get("numTotalResults")
        word = "yes" if summary.get("exists") else "no"
        return [word if count is None else f"{word}, {count:,} in all"]
    if isinstance(matches, list):
        return [_match_line(one) for one in matches] or ["nobody alike"]
    return [json.dumps(body.get("response", body), indent=2)]


def _match_line(one: dict[str, Any]) -> str:
    """Score, node, contact token and what is shared, of one patient alike."""
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
