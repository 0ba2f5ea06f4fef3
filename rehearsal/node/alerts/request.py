"""What is asked of subscriptions and alerts, read and checked."""

from __future__ import annotations

import math
from typing import Any

import orjson

from rehearsal.web.problem import Problem, shown

LONGEST_WAIT_S = 30.0
MOST_SUBSCRIPTIONS = 100  # of one subscriber at one node
MOST_TOKENS = 1000


def read_wait_s(pairs: list[tuple[str, str]]) -> float:
    """``waitS`` of a URL's parameters; 0 without. Raises Problem."""
    given = dict(pairs)
    if len(given) != len(pairs) or not set(given) <= {"waitS"}:
        raise Problem("parameters: waitS, once, and nothing else")
    try:
        seconds = float(given.get("waitS", "0"))
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= LONGEST_WAIT_S:
        limits = f"seconds from 0 to {LONGEST_WAIT_S:g}"
        raise Problem(f"waitS: {limits}, not {shown(given['waitS'])}")
    return seconds


def read_tokens(body: bytes) -> list[str]:
    """``{"tokens": [...]}`` of alerts. Raises Problem."""
    tokens = read_object(body, {"tokens"})["tokens"]
    if not isinstance(tokens, list) or not all(isinstance(one, str) for one in tokens):
        raise Problem("tokens: a list of texts")
    if len(tokens) > MOST_TOKENS:
        raise Problem(f"tokens: at most {MOST_TOKENS}")
    return tokens


def read_object(body: bytes, keys: set[str]) -> dict[str, Any]:
    """The JSON object in a body, which has these keys. Raises Problem."""
    try:
        given = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(f"the body is no JSON: {error}") from None
    if not isinstance(given, dict) or set(given) != keys:
        raise Problem(f"the body: an object with {', '.join(sorted(keys))}")
    return given
