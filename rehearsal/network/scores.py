"""``/scores`` and ``/drug_flags`` of the network: nodes' histograms added up, one person's place in
them, and a Cox regression over everybody by sums alone.

No score of anybody passes through here but the one that a patient's own clinician asks for.
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
from rehearsal.web.app import Api, Json, query_pairs, read_body
from rehearsal.web.problem import Problem

CONFIDENCE = 0.95
ROUNDS = 25
CONVERGED = 1e-9  # of the coefficient


class ScoreEndpoints:
    """The handlers over one network."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def add_to(self, api: Api) -> None:
        api.add("/scores", self.files)
        api.add("/scores", self.histogram, ["POST"])
        api.add("/scores/hazard", self.hazard, ["POST"])
        api.add("/drug_flags/{node}/{id}", self.drug_flags)

    async def files(self, request: Request) -> Json:
        """The scoring files that nodes have, and which nodes have each."""
        answers = await self._ask_all(forward_request(request, "scores"))
        files: dict[str, Body] = {}
        for node, response in usable_responses(answers).items():
            for one in response["scoringFiles"]:
                files.setdefault(one["scoringFile"], {**one, "nodes": []})["nodes"].append(node)
        return network_response({"scoringFiles": list(files.values())}, answers)

    async def histogram(self, request: Request) -> Json:
        """What a node is asked, and beside it ``patient``: ``{"node": "PL", "id": "PL-000012"}``,
        the asker's own patient, whose place is told."""
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
        """``{"scoringFile", "disease", "confidence": 0.95}``: the hazard ratio of a standard
        deviation of the score, stratified by node and sex. Newton's rounds over the nodes that
        answered the first; exact, as a regression of the pooled people would be."""
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
                raise Problem("a node left in the middle of the fit: ask again", 409)
            sums = add_hazard_sums(responses)
            step = newton_step(sums)
            if abs(step) < CONVERGED:
                return network_response(hazard_ratio(coefficient, sums, confidence, number), first)
            coefficient += limited_step(step)
        raise Problem(f"the fit did not end within {ROUNDS} rounds", 409)

    async def drug_flags(self, request: Request) -> Json:
        """Of the asker's own patient: the one node is asked that the patient is at."""
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
        """The node of a patient. Raises Problem."""
        if not isinstance(patient, dict) or set(patient) != {"node", "id"}:
            raise Problem("patient: an object with node and id")
        for node in self._network.nodes:
            if node.country == patient["node"]:
                return node
        raise Problem(f"patient.node: none is {shown(patient['node'])}", 404)

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
    """The level of confidence that is asked for, taken out of the rest. Raises Problem."""
    confidence = asked.pop("confidence", CONFIDENCE)
    if not isinstance(confidence, float) or not 0 < confidence < 1:
        raise Problem(f"confidence: between 0 and 1, not {shown(confidence)}")
    if "coefficient" in asked:
        raise Problem("coefficient: that is what is to be found")
    return confidence


def _path_step(text: str) -> str:
    """One step of a path, percent-encoded. Raises Problem for what is none."""
    if text in ("", ".", ".."):
        raise Problem(f"{shown(text)} is no identifier", 404)
    return quote(text, safe="")


def _patient_place(own: Answer, histogram: Body) -> Body:
    """Where a patient stands among the people of her node and of all. What her node refused is
    told as that."""
    response = usable_responses([own]).get(own.node)
    if response is None:
        return {"node": own.node, "state": own.state, "reason": own.reason}
    return {
        "node": own.node,
        "state": own.state,
        **place_of(response["score"], histogram, own.node),
    }
