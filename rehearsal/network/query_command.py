"""``rehearsal query``: one question to a network or a node, its answer for a person."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson

from rehearsal.model import Answer, InputError
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.registry import NodeEntry

ASKER_MARGIN_S = 2.0  # that the network may need beside its deadline
PATIENCE_S = 60.0


def ask_by_hand(
    url: str,
    path: str,
    parameters: Sequence[str],
    body: Path | None = None,
    deadline_s: float | None = None,
    partial: bool = False,
    token_variable: str | None = None,
    purpose: str | None = None,
    as_json: bool = False,
) -> int:
    """Ask, print, and return the exit code: 0 when there was an answer, else 1.

    ``parameters``: KEY=VALUE. ``purpose``: DUO terms. Raises InputError for what cannot be asked.
    """
    pairs = [_pair(text) for text in parameters]
    own = [("deadlineS", f"{deadline_s:g}")] if deadline_s is not None else []
    own += [("partial", "true")] if partial else []
    method = "GET" if body is None else "POST"
    if body is not None and pairs:
        raise InputError("rehearsal query", "--body", "a body or parameters, not both")
    document = None if body is None else _document(body)
    request = NodeRequest(path.strip("/"), method, document, (*pairs, *own), purpose=purpose)
    node = NodeEntry(url, url.rstrip("/"), token_variable)
    patience_s = PATIENCE_S if deadline_s is None else deadline_s + ASKER_MARGIN_S
    answer = asyncio.run(_ask(node, request, patience_s))
    print(_as_json(answer) if as_json else "\n".join(lines(answer)))
    return 0 if answer.state == "answered" else 1


async def _ask(node: NodeEntry, request: NodeRequest, patience_s: float) -> Answer:
    async with NetworkClient([node]) as client:
        started = asyncio.get_running_loop().time()
        return await client.put(node, request, started, patience_s)


def _pair(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InputError("rehearsal query", text, "KEY=VALUE")
    return key, value


def _document(path: Path) -> dict[str, Any]:
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise InputError(path, "file", f"a Beacon request in JSON: {error}") from error
    if not isinstance(document, dict):
        raise InputError(path, "file", "a Beacon request: a JSON object")
    return document


def _as_json(answer: Answer) -> str:
    return json.dumps(answer.body, indent=2) if answer.body is not None else answer.reason


def lines(answer: Answer) -> list[str]:
    """The answer in words: the total, then a line a node where a network answered."""
    body = answer.body or {}
    summary = body.get("responseSummary")
    info = body.get("info")
    nodes = info.get("nodes", []) if isinstance(info, dict) else []
    if answer.state != "answered":
        said = [f"{answer.state}: {answer.reason}"]
    elif isinstance(summary, dict):
        count = summary.get("numTotalResults")
        word = "yes" if summary.get("exists") else "no"
        said = [word if count is None else f"{word}, {count:,} in all"]
    elif isinstance(body.get("results"), list):
        said = [_match(one) for one in body["results"]] or ["nobody alike"]
    else:
        said = [json.dumps(body.get("response", body), indent=2)]
    return said + [_line(node) for node in nodes]


def _match(one: dict[str, Any]) -> str:
    """Score, node, contact token and what is shared, of one patient alike."""
    patient = one["patient"]
    shared = [str(term.get("label", term["id"])) for term in patient.get("features", ())]
    for part in patient.get("genomicFeatures", ()):
        copies = f" x{part['zygosity']}" if "variant" in part and "zygosity" in part else ""
        shared.append(f"{part.get('gene', {}).get('id', 'a variant')}{copies}")
    where = f"{one['score']['patient']:.3f} {one.get('_node', ''):8} {patient['id']}"
    return f"{where}  {', '.join(shared)}"


def _line(node: dict[str, Any]) -> str:
    exists = {True: "yes", False: "no"}.get(node.get("exists"), "")
    count = node.get("count", "")
    cells = f"{node['node']:8} {node['state']:9} {exists:4} {count!s:>10}"
    return f"{cells} {node['latencyMs']:9.1f} ms  {node.get('reason', '')}".rstrip()
