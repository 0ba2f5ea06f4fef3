"""The network as a GA4GH service registry 1.0.0: ``/services``, by the nodes' own service-info."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.errors import shown
from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions
from rehearsal.network.node_responses import forward_request
from rehearsal.network.service import Network
from rehearsal.web.app import Api, Json, base_url
from rehearsal.web.openapi import Body, json_of
from rehearsal.web.problem import Problem

REQUIRED = ("id", "name", "type", "organization", "version")  # of service-info 1.0.0


class ServiceRegistry:
    """Lists the network and the nodes that say what they are: by service-info, or by ``/info``.

    Args:
        network: The network.
        own: The network's own service-info.
        conditions: Reads how a request is to be asked.
    """

    def __init__(
        self, network: Network, own: Body, conditions: Callable[[Network, Request], Conditions]
    ) -> None:
        self._network, self._own, self._conditions = network, own, conditions

    def add_to(self, api: Api) -> None:
        """Add the routes.

        Args:
            api: The network's API.
        """
        api.add("/services", partial(self._answer, lambda found, _: found))
        api.add("/services/types", partial(self._answer, lambda found, _: _types(found)))
        api.add("/services/{id}", partial(self._answer, _one))

    async def _answer(
        self, show: Callable[[list[Body], Request], object], request: Request
    ) -> Response:
        return Json(show(await self._services(request), request))

    async def _services(self, request: Request) -> list[Body]:
        conditions = self._conditions(self._network, request)
        nodes = {node.country: node for node in self._network.nodes}
        answers = await self._network.ask(forward_request(request, "service-info"), conditions)
        told = {answer.node: _service_info(answer) for answer in answers}
        # a Beacon need not have service-info; one that did not answer is not asked again
        silent = [one.node for one in answers if told[one.node] is None and one.http_status]
        question = forward_request(request, "info")
        infos = await asyncio.gather(
            *(self._network.send(nodes[one], question, conditions.deadline_s) for one in silent)
        )
        told |= {one.node: _service_of_info(one, nodes[one.node].url) for one in infos}
        listed = [{**body, "url": nodes[one].url} for one, body in told.items() if body is not None]
        return [{**self._own, "url": base_url(request)}, *listed]


def _service_info(answer: Answer) -> Body | None:
    body = answer.body or {}
    whole = answer.state == "answered" and all(name in body for name in REQUIRED)
    return body if whole else None


def _service_of_info(answer: Answer, url: str) -> Body | None:
    """Build service-info from a Beacon's ``/info``; None if it does not name the Beacon."""
    info = (answer.body or {}).get("response")
    if answer.state != "answered" or not isinstance(info, dict) or not info.get("id"):
        return None
    api_version = str(info.get("apiVersion", "")).removeprefix("v")
    return {
        "id": info["id"],
        "name": info.get("name", info["id"]),
        "type": {"group": "org.ga4gh", "artifact": "beacon", "version": api_version},
        "organization": _organization(info, url),
        "version": str(info.get("version", api_version)),
    }


def _organization(info: Body, url: str) -> Body:
    given = info.get("organization")
    organization = given if isinstance(given, dict) else {}
    home = organization.get("welcomeUrl") or info.get("welcomeUrl") or url
    return {"name": organization.get("name", ""), "url": home}


def _types(found: list[Body]) -> list[Body]:
    types: list[Body] = []
    for one in found:
        if one["type"] not in types:
            types.append(one["type"])
    return types


def _one(found: list[Body], request: Request) -> Body:
    identifier = request.path_params["id"]
    for one in found:
        if one["id"] == identifier:
            return one
    raise Problem.mismatch("services", "the id of a service that answers", shown(identifier), 404)


def paths() -> Body:
    """Describe the routes for OpenAPI, by path."""
    content = json_of({"type": "object"})
    many = json_of({"type": "array", "items": {"type": "object"}})
    identifier = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
    return {
        "/services": _described("List the network and its nodes, as GA4GH service-info.", many),
        "/services/types": _described("List the types of these services.", many),
        "/services/{id}": _described("Return one of them.", content, [identifier]),
    }


def _described(summary: str, content: Body, parameters: list[Body] | None = None) -> Body:
    answer: Body = {"summary": summary}
    answer["responses"] = {"200": {"description": "Found.", "content": content}}
    if parameters:
        answer["parameters"] = parameters
    return {"get": answer}
