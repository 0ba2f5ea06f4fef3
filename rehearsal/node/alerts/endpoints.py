"""The handlers of a node's ``/subscriptions`` and ``/alerts``."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
from starlette.requests import Request

from rehearsal.errors import shown
from rehearsal.node.access.rights import NO_TOKEN, Rights, caller_rights
from rehearsal.node.access.visas import Caller
from rehearsal.node.alerts import openapi
from rehearsal.node.alerts.alert_store import Alert, Subscription
from rehearsal.node.alerts.profile import Profile
from rehearsal.node.alerts.request import (
    MOST_SUBSCRIPTIONS,
    Acknowledgement,
    AlertsQuery,
    SubscriptionRequest,
)
from rehearsal.node.alerts.subscription_matcher import SubscriptionMatcher, may_subscribe
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.web.app import Api, Json, query_pairs
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import read_body
from rehearsal.web.request_models import decode_body, decode_parameters


class SubscriptionEndpoints:
    """Subscriptions and alerts of one node.

    Args:
        node_data: The node's data.
        monitor: Matches new patients with subscriptions.
    """

    def __init__(self, node_data: NodeData, monitor: SubscriptionMatcher) -> None:
        self._node_data, self._monitor, self._store = node_data, monitor, monitor.store

    def add_to(self, api: Api) -> None:
        """Add the routes.

        Args:
            api: The node's API.
        """
        api.add("/subscriptions", self.list_subscriptions)
        api.add("/subscriptions", self.subscribe, ["POST"])
        api.add("/subscriptions/{id}", self.unsubscribe, ["DELETE"])
        api.add("/alerts", self.list_alerts)
        api.add("/alerts/acknowledged", self.acknowledge, ["POST"])

    def paths(self) -> Body:
        """Return the OpenAPI path items of the routes, by path."""
        return openapi.paths()

    async def subscribe(self, request: Request) -> Json:
        """Answer ``POST /subscriptions``.

        The same subscriber, profile and purpose make the same subscription. Subscribing again
        renews it with the visas shown now.

        Args:
            request: The request, after authorization.

        Returns:
            The subscription.

        Raises:
            Problem: The caller may not see records (401, 403), the profile is invalid (400), or the
                caller has too many subscriptions (429).
        """
        permitted = caller_rights(request)
        caller = self._subscriber(permitted)
        wanted = decode_body(await read_body(request), SubscriptionRequest)
        profile = Profile.from_request(wanted.profile, self._node_data)
        purpose = None if permitted.purpose is None else str(permitted.purpose)
        one = Subscription(
            _identifier(caller, purpose, profile.to_json()), caller, purpose, profile
        )
        known = self._store.subscriptions
        if one.id not in known and len(self._of(caller)) >= MOST_SUBSCRIPTIONS:
            found = f"{len(self._of(caller))} and a new one"
            expected = f"at most {MOST_SUBSCRIPTIONS} subscriptions at a node"
            raise Problem.mismatch("subscriptions", expected, found, 429)
        self._store.subscribe(one)
        return self._answer(_subscription(one))

    async def list_subscriptions(self, request: Request) -> Json:
        """Answer ``GET /subscriptions`` with the caller's own ones.

        Args:
            request: The request, after authorization.

        Returns:
            The subscriptions.

        Raises:
            Problem: The request has no token (401).
        """
        caller = _caller(caller_rights(request))
        return self._answer({"subscriptions": [_subscription(one) for one in self._of(caller)]})

    async def unsubscribe(self, request: Request) -> Json:
        """Answer ``DELETE /subscriptions/{id}``.

        Args:
            request: The request, after authorization.

        Returns:
            The id of the deleted subscription.

        Raises:
            Problem: The request has no token (401), or the caller has no such subscription (404).
        """
        caller = _caller(caller_rights(request))
        identifier = request.path_params["id"]
        if identifier not in {one.id for one in self._of(caller)}:
            raise Problem.mismatch("id", "one of your subscriptions", shown(identifier), 404)
        self._store.unsubscribe(identifier)
        return self._answer({"unsubscribed": identifier})

    async def list_alerts(self, request: Request) -> Json:
        """Answer ``GET /alerts`` with the caller's alerts that were not acknowledged.

        The parameter ``waitS`` waits for the first one, if there is none yet.

        Args:
            request: The request, after authorization.

        Returns:
            The alerts.

        Raises:
            Problem: The request has no token (401), or a parameter is invalid (400).
        """
        caller = _caller(caller_rights(request))
        wait_s = decode_parameters(query_pairs(request), AlertsQuery).wait_s
        await self._monitor.wait_for_alert(caller, wait_s)
        caller = _caller(caller_rights(request))  # who may have lost rights while waiting
        alerts = [self._alert(one) for one in self._monitor.pending(caller)]
        return self._answer({"alerts": alerts})

    async def acknowledge(self, request: Request) -> Json:
        """Answer ``POST /alerts/acknowledged``.

        Args:
            request: The request, after authorization.

        Returns:
            The number of alerts newly marked as received.

        Raises:
            Problem: The request has no token (401), or its body is invalid (400).
        """
        caller = _caller(caller_rights(request))
        tokens = decode_body(await read_body(request), Acknowledgement).tokens
        marked = self._store.acknowledge(caller.issuer, caller.subject, tokens)
        return self._answer({"acknowledged": marked})

    def _subscriber(self, permitted: Rights) -> Caller:
        if not may_subscribe(permitted, self._node_data) or permitted.caller is None:
            raise permitted.refusal()
        return permitted.caller

    def _of(self, caller: Caller) -> list[Subscription]:
        mine = (caller.issuer, caller.subject)
        every = self._store.subscriptions.values()
        return [one for one in every if (one.caller.issuer, one.caller.subject) == mine]

    def _alert(self, one: Alert) -> dict[str, Any]:
        return {
            "subscription": one.subscription,
            "node": self._node_data.settings.country_code,
            "time": _timestamp(one.time),
            "token": one.token,
        }

    def _answer(self, response: dict[str, Any]) -> Json:
        return Json(envelope.informational(self._node_data.settings.beacon_id, response))


def _caller(permitted: Rights) -> Caller:
    if permitted.caller is None:
        raise Problem(NO_TOKEN, 401, cause="no token")
    return permitted.caller


def _identifier(caller: Caller, purpose: str | None, profile: dict[str, Any]) -> str:
    """Derive the subscription's id, which is the same at every node.

    So neither network nor subscriber needs a table of ids.
    """
    content = orjson.dumps(
        [caller.issuer, caller.subject, purpose, profile], option=orjson.OPT_SORT_KEYS
    )
    return hashlib.sha256(content).hexdigest()[:32]


def _subscription(one: Subscription) -> dict[str, Any]:
    profile = one.profile
    age = None if profile.age is None else {"from": profile.age[0], "to": profile.age[1]}
    return {
        "subscription": one.id,
        "purpose": one.purpose,
        "expires": _timestamp(one.caller.expires),
        "profile": {
            "sex": profile.sex,
            "age": age,
            "terms": list(profile.terms),
            "gene": profile.gene,
            "maximumFrequency": profile.maximum_frequency,
        },
    }


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
