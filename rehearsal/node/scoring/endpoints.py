"""The handlers of ``/scores``: histograms and sums over people, and single scores for clinicians.

Exact sums are given to controlled access only. A caller who chooses the edges of bins could
subtract histograms from each other, so rounding and thresholds would protect nobody.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.requests import Request

from rehearsal.node.access.patient_access import own_patient
from rehearsal.node.access.rights import Rights, caller_rights
from rehearsal.node.beacon import envelope
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.scoring import openapi
from rehearsal.node.scoring.request import HazardSumsRequest, HistogramRequest
from rehearsal.node.scoring.scorer import HistogramGroup, Scorer
from rehearsal.web.app import Api, Json
from rehearsal.web.openapi import Body
from rehearsal.web.request_limits import read_body
from rehearsal.web.request_models import decode_body


class ScoreEndpoints:
    """Scores of one node's people.

    Args:
        node_data: The node's data.
        folder: The node's folder, with its scoring files.

    Raises:
        InputError: A scoring file cannot be used.
    """

    def __init__(self, node_data: NodeData, folder: Path | None) -> None:
        self._node_data = node_data
        self._scorer = Scorer(node_data, folder)

    def add_to(self, api: Api) -> None:
        """Add the routes.

        Args:
            api: The node's API.
        """
        api.add("/scores", self.list_files)
        api.add("/scores", self.histogram, ["POST"])
        api.add("/scores/hazard", self.hazard, ["POST"])
        api.add("/scores/{digest}/individuals/{id}", self.patient_score)

    def paths(self) -> Body:
        """Return the OpenAPI path items of the routes, by path."""
        return openapi.paths()

    async def list_files(self, request: Request) -> Json:
        """Answer ``GET /scores`` with the node's scoring files, which are public.

        Args:
            request: The request.

        Returns:
            The scoring files.
        """
        return self._answer(
            {
                "scoringFiles": [
                    {
                        "scoringFile": one.digest,
                        "name": one.name,
                        "trait": one.trait,
                        "variants": len(one.weights),
                    }
                    for one in self._scorer.files.values()
                ]
            }
        )

    async def histogram(self, request: Request) -> Json:
        """Answer ``POST /scores``.

        Args:
            request: The request, after authorization.

        Returns:
            The histogram.

        Raises:
            Problem: The caller gets no exact counts (401, 403), the body is invalid (400), or the
                scoring file is unknown (404).
        """
        caller = self._require_exact_counts(request)
        wanted = decode_body(await read_body(request), HistogramRequest)
        edges = wanted.bins.edges()
        people, groups = self._scorer.histogram(
            wanted.scoring_file, edges, caller.permitted, wanted.by_sex, wanted.cases
        )
        return self._answer(
            {
                "scoringFile": wanted.scoring_file,
                "edges": edges.tolist(),
                "people": people,
                "groups": [_group(one) for one in groups],
            }
        )

    async def hazard(self, request: Request) -> Json:
        """Answer ``POST /scores/hazard``.

        Args:
            request: The request, after authorization.

        Returns:
            This node's sums of the regression.

        Raises:
            Problem: The caller gets no exact counts (401, 403), the body is invalid (400), or the
                scoring file is unknown (404).
        """
        caller = self._require_exact_counts(request)
        wanted = decode_body(await read_body(request), HazardSumsRequest)
        sums = self._scorer.hazard(
            wanted.scoring_file, wanted.disease, wanted.coefficient, caller.permitted
        )
        return self._answer({"scoringFile": wanted.scoring_file, **asdict(sums)})

    async def patient_score(self, request: Request) -> Json:
        """Answer ``GET /scores/{digest}/individuals/{id}``.

        Args:
            request: The request, after authorization.

        Returns:
            The score.

        Raises:
            Problem: The caller may not see the patient (401, 403, 404), or the scoring file is
                unknown (404).
        """
        caller = caller_rights(request)
        position = own_patient(
            caller, self._node_data.settings, self._node_data.people, request.path_params["id"]
        )
        digest = request.path_params["digest"]
        score = float(self._scorer.scores(digest)[position])
        return self._answer({"scoringFile": digest, "score": score})

    def _require_exact_counts(self, request: Request) -> Rights:
        """Return the rights of a caller who gets exact counts of people. Raises Problem."""
        caller = caller_rights(request)
        caller.require_exact_counts(self._node_data.settings.people_dataset)
        return caller

    def _answer(self, response: dict[str, Any]) -> Json:
        return Json(envelope.informational(self._node_data.settings.beacon_id, response))


def _group(one: HistogramGroup) -> dict[str, Any]:
    return {**one.labels, "below": one.below, "counts": list(one.counts), "above": one.above}
