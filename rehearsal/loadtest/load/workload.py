"""The workload of load tests: queries of the run's suite, sent by users of every country."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson
from yarl import URL

from rehearsal.errors import InputError
from rehearsal.loadtest.load.sender import Call
from rehearsal.model import Query
from rehearsal.network.client import PURPOSE, NodeRequest
from rehearsal.network.issuer import CENTRAL_COMMITTEE, open_issuer
from rehearsal.network.tokens import HOUR_S, create_person, sign_tokens
from rehearsal.truth.expected_answers import ExpectedAnswer

PUBLIC, CLINICIAN, RESEARCHER = "public", "clinician", "researcher"
CONTROL = "control"  # in the place of a role and a kind: requests to the empty handler
LIFETIME_S = 4 * HOUR_S


def issue_tokens(
    issuer_folder: Path, countries: Sequence[str]
) -> dict[tuple[str, str], str | None]:
    """Issue the tokens of all users.

    Researchers hold the central committee's grant and get exact answers to everything. Clinicians
    are known to the issuer but hold no grant, so they get the answers of registered users.

    Args:
        issuer_folder: Folder of the issuer.
        countries: The countries of the users.

    Returns:
        Tokens by role and country; None for public users, who have none.

    Raises:
        InputError: The folder does not contain an issuer.
    """
    issuer = open_issuer(issuer_folder)
    tokens: dict[tuple[str, str], str | None] = {}
    for country in countries:
        granted = create_person("researcher", country, [CENTRAL_COMMITTEE], issuer.url)
        known = create_person("clinician", country, issuer=issuer.url)
        tokens[PUBLIC, country] = None
        tokens[CLINICIAN, country] = sign_tokens(issuer, known, lifetime_s=LIFETIME_S).passport
        tokens[RESEARCHER, country] = sign_tokens(issuer, granted, lifetime_s=LIFETIME_S).passport
    return tokens


@dataclass(frozen=True, slots=True)
class Workload:
    """Queries and the users who send them."""

    suite: Sequence[Query]
    expected: Mapping[str, Mapping[str, ExpectedAnswer]]  # right answers by query and country
    tokens: Mapping[tuple[str, str], str | None]  # of users by role and country; None: no token

    def calls(self, countries: Sequence[str], url: str) -> list[Call]:
        """Make a call of every query that has a right answer, for each of the users.

        Only queries of controlled access are used: they cover all kinds, and the truth has their
        complete answers.

        Args:
            countries: The countries whose nodes answer; right answers are added up over them.
            url: Base URL of the network.

        Returns:
            The calls.
        """
        calls = []
        for query in self.suite:
            expected = [self.expected[query.id][country] for country in countries]
            if query.tier == "controlled" and not any(one.refused for one in expected):
                bare, whole_answer = call_of(query, url), _whole_answer(query, expected)
                calls += [
                    _put_by(bare, role, country, token, whole_answer)
                    for (role, country), token in self.tokens.items()
                ]
        return calls


def _whole_answer(query: Query, expected: Sequence[ExpectedAnswer]) -> tuple[bool, int | None]:
    """Presence, and the count if requested, of all countries together."""
    counted = query.granularity != "boolean"
    exists = any(one.exists for one in expected)
    return exists, sum(one.count for one in expected) if counted else None


def _put_by(
    call: Call, role: str, country: str, token: str | None, whole_answer: tuple[bool, int | None]
) -> Call:
    """Make the call of a user; only researchers see the complete answer."""
    headers = call.headers if token is None else _with_token(call.headers, token)
    exists, count = whole_answer if role == RESEARCHER else (None, None)
    return replace(call, headers=headers, role=role, country=country, exists=exists, count=count)


def call_of(query: Query, url: str) -> Call:
    """Make the call of a query without a token.

    Args:
        query: The query.
        url: Base URL of the Beacon.

    Returns:
        The call.
    """
    request = NodeRequest.of(query)
    headers, body = {"Accept": "application/json"}, None
    if request.purpose:
        headers[PURPOSE] = request.purpose
    where = URL(f"{url}/{request.path}", encoded=True)
    if request.method == "POST":
        headers["Content-Type"] = "application/json"
        body = orjson.dumps(request.body)
    elif request.parameters:
        where = where.with_query(request.parameters)
    return Call(str(where), request.method, headers, body, query.id, query.kind, PUBLIC, "")


def _with_token(headers: Mapping[str, str], token: str) -> dict[str, str]:
    return {**headers, "Authorization": f"Bearer {token}"}


def control_call(url: str) -> Call:
    """Make the call to a handler that does no work.

    Args:
        url: Base URL of the handler.

    Returns:
        The call.
    """
    accept = {"Accept": "application/json"}
    return Call(f"{url}/info", "GET", accept, None, CONTROL, CONTROL, CONTROL, "")


def weights(
    calls: Sequence[Call], kinds: Mapping[str, float], roles: Mapping[str, float]
) -> np.ndarray:
    """Compute the probability of each call from the weights of kinds and roles.

    Within a kind and role, all queries and countries are equally likely.

    Args:
        calls: The calls.
        kinds: Weights of kinds of queries.
        roles: Weights of roles of users.

    Returns:
        Probabilities that add up to 1, shape (n_calls,).

    Raises:
        InputError: No call has a weight above 0.
    """
    cells = [(call.kind, call.role) for call in calls]
    size = Counter(cells)
    chance = np.array([kinds.get(k, 0) * roles.get(r, 0) / size[k, r] for k, r in cells])
    if not chance.sum() > 0:
        expected = f"a weight above 0 for one of {', '.join(sorted({call.kind for call in calls}))}"
        raise InputError("bench.load", "kinds", expected, "none")
    return chance / chance.sum()
