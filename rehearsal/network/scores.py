"""``/scores`` and ``/drug_flags`` of the network.

The network adds up the nodes' histograms, locates one person in them, and fits a Cox regression
over all people from sums alone. The only individual score that passes through is that of a patient
whose own clinician requests it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from rehearsal.errors import shown
from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions
from rehearsal.network.client import NodeRequest
from rehearsal.network.node_responses import (
    Body,
    failure_response,
    forward_request,
    network_response,
    read_object,
    usable_responses,
    with_parameters,
)
from rehearsal.network.registry import NodeEntry
from rehearsal.network.score_aggregation import (
    add_hazard_sums,
    add_histograms,
    hazard_ratio,
    limited_step,
    newton_step,
    place_of,
)
from rehearsal.network.service import Network
from rehearsal.web.app import Api, Json, query_pairs
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import read_body

CONFIDENCE = 0.95
ROUNDS = 25
CONVERGED = 1e-9  # smallest change of the coefficient


class ScoreEndpoints:
    """The handlers of scores and drug flags.

    Args:
        network: The network whose nodes are asked.
    """

    def __init__(self, network: Network) -> None:
        self._network = network

    def add_to(self, api: Api) -> None:
        """Register the handlers.

        Args:
            api: The application.
        """
        api.add("/scores", self.files)
        api.add("/scores", self.histogram, ["POST"])
        api.add("/scores/hazard", self.hazard, ["POST"])
        api.add("/drug_flags/{node}/{id}", self.drug_flags)

    async def files(self, request: Request) -> Json:
        """List the scoring files of the nodes, and the nodes that have each.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        answers = await self._ask_all(forward_request(request, "scores"))
        files: dict[str, Body] = {}
        for node, response in usable_responses(answers).items():
            for one in response["scoringFiles"]:
                files.setdefault(one["scoringFile"], {**one, "nodes": []})["nodes"].append(node)
        return network_response({"scoringFiles": list(files.values())}, answers)

    async def histogram(self, request: Request) -> Json:
        """Add up the nodes' histograms of a score.

        The body is that of a node's request. It may add ``patient``, the caller's own patient, who
        is then located in the histogram, for example ``{"node": "PL", "id": "PL-000012"}``.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        asked = read_object(await read_body(request))
        patient = asked.pop("patient", None)
        home = None if patient is None else self._home(patient)
        question = forward_request(request, "scores", "POST", asked)
        answers, own = await asyncio.gather(
            self._ask_all(question), self._patient_score(request, asked, patient, home)
        )
        histograms = usable_responses(answers)
        if not histograms:
            return failure_response(answers)
        histogram = add_histograms(histograms)
        if own is not None:
            histogram["patient"] = _patient_place(own, histogram)
        return network_response(histogram, answers)

    async def hazard(self, request: Request) -> Json:
        """Fit the hazard ratio of a standard deviation of a score, stratified by node and sex.

        The body is ``{"scoringFile", "disease", "confidence": 0.95}``. Newton's method takes
        several rounds over the nodes that answered the first. The result is exactly that of a
        regression over the pooled people.

        Args:
            request: The HTTP request.

        Returns:
            The response.

        Raises:
            Problem: The request is wrong, a node became unavailable, or the fit did not converge.
        """
        asked = read_object(await read_body(request))
        confidence = _take_confidence(asked)
        coefficient = 0.0
        nodes: list[NodeEntry] = []
        first: list[Answer] = []
        for number in range(1, ROUNDS + 1):
            body = {**asked, "coefficient": coefficient}
            question = forward_request(request, "scores/hazard", "POST", body)
            answers = await (self._ask(nodes, question) if nodes else self._ask_all(question))
            responses = usable_responses(answers)
            if not responses:
                return failure_response(answers)
            if not nodes:
                nodes = [node for node in self._network.nodes if node.country in responses]
                first = answers
            if len(responses) < len(nodes):
                raise Problem("A node became unavailable during the fit. Try again.", 409)
            sums = add_hazard_sums(responses)
            step = newton_step(sums)
            if abs(step) < CONVERGED:
                return network_response(hazard_ratio(coefficient, sums, confidence, number), first)
            coefficient += limited_step(step)
        raise Problem(f"The fit did not converge within {ROUNDS} rounds.", 409)

    async def drug_flags(self, request: Request) -> Json:
        """Ask the node of the caller's own patient for drug flags.

        Args:
            request: The HTTP request.

        Returns:
            The response.
        """
        patient = {"node": request.path_params["node"], "id": request.path_params["id"]}
        home = self._home(patient)
        question = forward_request(request, f"drug_flags/{_path_step(patient['id'])}")
        question = with_parameters(question, **dict(query_pairs(request)))
        answers = await self._ask([home], question)
        responses = usable_responses(answers)
        if not responses:
            return failure_response(answers)
        return network_response(responses[home.country], answers)

    async def _ask_all(self, question: NodeRequest) -> list[Answer]:
        return await self._network.ask(question, Conditions(self._network.policy.deadline_s))

    async def _ask(self, nodes: Sequence[NodeEntry], question: NodeRequest) -> list[Answer]:
        deadline_s = self._network.policy.deadline_s
        return await asyncio.gather(
            *(self._network.send(node, question, deadline_s) for node in nodes)
        )

    def _home(self, patient: Any) -> NodeEntry:
        """Find the node of a patient. Raises Problem."""
        if not isinstance(patient, dict) or set(patient) != {"node", "id"}:
            raise Problem.mismatch("patient", "an object with node and id", shown(patient))
        for node in self._network.nodes:
            if node.country == patient["node"]:
                return node
        expected, found = "a country with a node", shown(patient["node"])
        raise Problem.mismatch("patient.node", expected, found, 404)

    async def _patient_score(
        self, request: Request, asked: Body, patient: Body | None, home: NodeEntry | None
    ) -> Answer | None:
        if patient is None or home is None:
            return None
        digest = _path_step(str(asked.get("scoringFile", "")))
        path = f"scores/{digest}/individuals/{_path_step(str(patient['id']))}"
        (answer,) = await self._ask([home], forward_request(request, path))
        return answer


def _take_confidence(asked: Body) -> float:
    """Remove the confidence level from the body and return it. Raises Problem."""
    confidence = asked.pop("confidence", CONFIDENCE)
    if not isinstance(confidence, float) or not 0 < confidence < 1:
        raise Problem.mismatch("confidence", "a number between 0 and 1", shown(confidence))
    if "coefficient" in asked:
        expected = "no coefficient, because it is estimated"
        raise Problem.mismatch("coefficient", expected, shown(asked["coefficient"]))
    return confidence


def _path_step(text: str) -> str:
    """Percent-encode one step of a path. Raises Problem for an empty one or a dot."""
    if text in ("", ".", ".."):
        raise Problem.mismatch("the path", "an identifier", shown(text), 404)
    return quote(text, safe="")


def _patient_place(own: Answer, histogram: Body) -> Body:
    """Locate a patient among the people of their node and of all; pass a refusal on."""
    response = usable_responses([own]).get(own.node)
    if response is None:
        return {"node": own.node, "state": own.state, "reason": own.reason}
    return {
        "node": own.node,
        "state": own.state,
        **place_of(response["score"], histogram, own.node),
    }
