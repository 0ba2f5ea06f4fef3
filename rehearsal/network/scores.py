"""``/scores`` of the network: nodes' histograms added up, one person's place in them, and a Cox
regression over everybody by sums alone.

No score of anybody passes through here but the one that a patient's own clinician asks for.
"""

from __future__ import annotations

import asyncio
import math
from bisect import bisect_right
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from rehearsal.model import Answer
from rehearsal.network.beacon_response import Conditions
from rehearsal.network.node_responses import (
    Body,
    forwarded,
    read_object,
    refusal,
    responses,
    told,
    with_parameters,
)
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service import Network
from rehearsal.web.app import Api, Json, query_pairs, read_body
from rehearsal.web.problem import Problem, shown

CONFIDENCE = 0.95
ROUNDS = 25
CONVERGED = 1e-9  # of the coefficient
EVERYBODY = "network"  # beside the countries' codes


class Scores:
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
        answers = await self._ask(forwarded(request, "scores"))
        files: dict[str, Body] = {}
        for node, said in responses(answers).items():
            for one in said["scoringFiles"]:
                files.setdefault(one["scoringFile"], {**one, "nodes": []})["nodes"].append(node)
        return told({"scoringFiles": list(files.values())}, answers)

    async def histogram(self, request: Request) -> Json:
        """What a node is asked, and beside it ``patient``: ``{"node": "PL", "id": "PL-000012"}``,
        the asker's own patient, whose place is told."""
        asked = read_object(await read_body(request))
        patient = asked.pop("patient", None)
        home = None if patient is None else self._home(patient)
        question = forwarded(request, "scores", "POST", asked)
        answers, own = await asyncio.gather(
            self._ask(question), self._patient(request, asked, patient, home)
        )
        said = responses(answers)
        if not said:
            return refusal(answers)
        joined = _added(said)
        if own is not None:
            joined["patient"] = _place(own, said, joined)
        return told(joined, answers)

    async def hazard(self, request: Request) -> Json:
        """``{"scoringFile", "disease", "confidence": 0.95}``: the hazard ratio of a standard
        deviation of the score, stratified by node and sex. Newton's rounds over the nodes that
        answered the first; exact, as a regression of the pooled people would be."""
        asked = read_object(await read_body(request))
        confidence = asked.pop("confidence", CONFIDENCE)
        if not isinstance(confidence, float) or not 0 < confidence < 1:
            raise Problem(f"confidence: between 0 and 1, not {shown(confidence)}")
        if "coefficient" in asked:
            raise Problem("coefficient: that is what is to be found")
        coefficient, fitting = 0.0, None
        for number in range(1, ROUNDS + 1):
            question = forwarded(
                request, "scores/hazard", "POST", {**asked, "coefficient": coefficient}
            )
            answers = await self._ask(question, fitting)
            said = responses(answers)
            if fitting is None:
                fitting, first = [n for n in self._network.nodes if n.country in said], answers
            if not said:
                return refusal(answers)
            if len(said) < len(fitting):
                raise Problem("a node left in the middle of the fit: ask again", 409)
            sums = {
                key: math.fsum(one[key] for one in said.values())
                for key in ("people", "events", "gradient", "information")
            }
            if sums["information"] <= 0:
                raise Problem("too few people fell ill to tell a hazard ratio", 409)
            step = sums["gradient"] / sums["information"]
            if abs(step) < CONVERGED:
                return told(_fitted(coefficient, sums, confidence, number), first)
            coefficient += max(-1.0, min(1.0, step))
        raise Problem(f"the fit did not end within {ROUNDS} rounds", 409)

    async def drug_flags(self, request: Request) -> Json:
        """Of the asker's own patient: the one node is asked that the patient is at."""
        patient = {"node": request.path_params["node"], "id": request.path_params["id"]}
        home = self._home(patient)
        asked = forwarded(request, f"drug_flags/{_step(patient['id'])}")
        asked = with_parameters(asked, **dict(query_pairs(request)))
        answer = await self._network.put(home, asked, self._network.policy.deadline_s)
        said = responses([answer])
        return told(said[home.country], [answer]) if said else refusal([answer])

    async def _ask(self, asked: Any, nodes: Sequence[NodeEntry] | None = None) -> list[Answer]:
        if nodes is None:
            return await self._network.ask(asked, Conditions(self._network.policy.deadline_s))
        deadline_s = self._network.policy.deadline_s
        return list(await asyncio.gather(*(self._network.put(n, asked, deadline_s) for n in nodes)))

    def _home(self, patient: Any) -> NodeEntry:
        if not isinstance(patient, dict) or set(patient) != {"node", "id"}:
            raise Problem("patient: an object with node and id")
        for node in self._network.nodes:
            if node.country == patient["node"]:
                return node
        raise Problem(f"patient.node: none is {shown(patient['node'])}", 404)

    async def _patient(
        self, request: Request, asked: Body, patient: Body | None, home: NodeEntry | None
    ) -> Answer | None:
        if patient is None or home is None:
            return None
        digest = _step(str(asked.get("scoringFile", "")))
        path = f"scores/{digest}/individuals/{_step(str(patient['id']))}"
        return await self._network.put(
            home, forwarded(request, path), self._network.policy.deadline_s
        )


def _step(text: str) -> str:
    """One step of a path, percent-encoded. Raises Problem for what is none."""
    if text in ("", ".", ".."):
        raise Problem(f"{shown(text)} is no identifier", 404)
    return quote(text, safe="")


def _added(said: dict[str, Body]) -> Body:
    """The sum of histograms with the same edges: of whole numbers, so it is exact."""
    first = next(iter(said.values()))
    groups = [
        {
            **{key: one[key] for key in one.keys() & {"sex", "case"}},
            "below": sum(each["groups"][i]["below"] for each in said.values()),
            "counts": [
                sum(column)
                for column in zip(
                    *(each["groups"][i]["counts"] for each in said.values()), strict=True
                )
            ],
            "above": sum(each["groups"][i]["above"] for each in said.values()),
        }
        for i, one in enumerate(first["groups"])
    ]
    return {
        "scoringFile": first["scoringFile"],
        "edges": first["edges"],
        "people": sum(one["people"] for one in said.values()),
        "groups": groups,
        "countries": {
            node: {"people": one["people"], "groups": one["groups"]} for node, one in said.items()
        },
    }


def _place(own: Answer, said: dict[str, Body], joined: Body) -> Body:
    """Where a patient stands among the people of her node and of all: ``below`` is the share with
    scores in lower bins, ``upTo`` with her own bin. What her node refused is told as that."""
    response = responses([own]).get(own.node)
    if response is None:
        return {"node": own.node, "state": own.state, "reason": own.reason}
    score, edges = response["score"], joined["edges"]
    number = bisect_right(edges, score)  # 0: below the first bin
    places = {EVERYBODY: _share(joined["groups"], number)}
    if own.node in said:
        places[own.node] = _share(said[own.node]["groups"], number)
    return {
        "node": own.node,
        "state": own.state,
        "score": score,
        "bin": [
            edges[number - 1] if number else None,
            edges[number] if number < len(edges) else None,
        ],
        "percentiles": places,
    }


def _share(groups: Sequence[Body], number: int) -> Body | None:
    everybody = [
        sum(column)
        for column in zip(*([g["below"], *g["counts"], g["above"]] for g in groups), strict=True)
    ]
    total = sum(everybody)
    if not total:
        return None
    return {
        "below": 100 * sum(everybody[:number]) / total,
        "upTo": 100 * sum(everybody[: number + 1]) / total,
        "people": total,
    }


def _fitted(coefficient: float, sums: Body, confidence: float, rounds: int) -> Body:
    error = 1 / math.sqrt(sums["information"])
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return {
        "hazardRatio": math.exp(coefficient),
        "low": math.exp(coefficient - reach),
        "high": math.exp(coefficient + reach),
        "confidence": confidence,
        "coefficient": coefficient,
        "standardError": error,
        "people": int(sums["people"]),
        "events": int(sums["events"]),
        "rounds": rounds,
    }
