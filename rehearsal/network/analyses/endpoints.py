"""``/federated_analyses`` of the network: an analysis starts, is watched, and leaves tables.

(``/analyses`` is a path of Beacon.)
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.errors import InputError, shown
from rehearsal.network.analyses import openapi
from rehearsal.network.analyses.analysis_request import AnalysisRequest
from rehearsal.network.beacon_response import BEACON_ID
from rehearsal.network.client import NodeRequest
from rehearsal.network.node_responses import forward_request
from rehearsal.network.service import Network
from rehearsal.node.beacon import envelope
from rehearsal.web.app import POST, Api, Json, base_url
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import read_body
from rehearsal.web.request_models import decode_body

if TYPE_CHECKING:  # imported when the first analysis starts: a network without any stays small
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    from rehearsal.network.analyses.played_analysis import PlayedAnalysis

PATH = openapi.PATH
MOST_BODY = 64 << 10  # bytes: what a node takes as parameters
MOST_RUNNING, MOST_KEPT = 4, 20  # analyses at a time, and those that are remembered
MOST_EACH = 2  # of one caller at a time; all without a token are one caller
YOURS = "an analysis of yours that the network remembers"


@dataclass(frozen=True)
class _Kept:
    analysis: PlayedAnalysis
    owner: bytes  # digest of the token of who asked
    task: asyncio.Task[None]


class AnalysisEndpoints:
    """The handlers of analyses over all nodes. Analyses are in memory.

    Args:
        network: The network whose nodes are asked.
        signing_key: Of the coordinator, with which nodes know it. None: nothing is signed.
    """

    def __init__(self, network: Network, signing_key: Ed25519PrivateKey | None = None) -> None:
        self._network, self._signing_key = network, signing_key
        self._kept: OrderedDict[str, _Kept] = OrderedDict()

    def add_to(self, api: Api) -> None:
        """Register the handlers.

        Args:
            api: The application.
        """
        api.add(PATH, self.start, POST)
        api.add(f"{PATH}/{{id}}", self.report)
        api.add(f"{PATH}/{{id}}/tables/{{name}}", self.table)

    async def start(self, request: Request) -> Json:
        """Start an analysis. The nodes decide whether the caller may ask for it.

        Args:
            request: The HTTP request.

        Returns:
            The analysis, with its address (202).

        Raises:
            Problem: The request cannot be used (400), or too many analyses of the caller (429) or
                of all (503) are under way.
        """
        asked = forward_request(request, PATH[1:])
        wanted = decode_body(await read_body(request, MOST_BODY), AnalysisRequest, MOST_BODY)
        try:
            analysis = await asyncio.to_thread(self._prepare, wanted, asked)
        except InputError as error:
            raise Problem(str(error), 400) from None
        self._make_room(_owner(request))
        task = self._network.start_in_background(analysis.play())
        self._kept[analysis.id] = _Kept(analysis, _owner(request), task)
        response = _answer(self._report(request, analysis), 202)
        response.headers["location"] = _address(request, analysis)
        return response

    async def report(self, request: Request) -> Json:
        """Tell where an analysis stands.

        Args:
            request: The HTTP request.

        Raises:
            Problem: The caller has no such analysis (404).
        """
        return _answer(self._report(request, self._find(request)))

    async def table(self, request: Request) -> Response:
        """Return a table of results: JSON, or TSV for who accepts that.

        Args:
            request: The HTTP request.

        Raises:
            Problem: The caller has no such analysis, or it has no such table (404).
        """
        analysis, name = self._find(request), request.path_params["name"]
        if name not in analysis.tables:
            expected = f"one of {', '.join(analysis.tables) or 'no tables yet'}"
            raise Problem.mismatch("name", expected, shown(name), 404)
        table = analysis.tables[name]
        if openapi.TSV in request.headers.get("accept", ""):
            content = await asyncio.to_thread(table.tsv)
            return Response(content, media_type=openapi.TSV)
        return Response(await asyncio.to_thread(table.json), media_type=openapi.JSON)

    def _prepare(self, wanted: AnalysisRequest, asked: NodeRequest) -> PlayedAnalysis:
        """Plan an analysis. Raises InputError."""
        from rehearsal.network.analyses.analysis_plan import plan_analysis
        from rehearsal.network.analyses.played_analysis import PlayedAnalysis

        plan = plan_analysis(wanted, self._network.nodes)
        return PlayedAnalysis(plan, asked, signing_key=self._signing_key)

    def _find(self, request: Request) -> PlayedAnalysis:
        forward_request(request, PATH[1:])  # refuses two tokens
        name = request.path_params["id"]
        kept = self._kept.get(name)
        if kept is None or not hmac.compare_digest(kept.owner, _owner(request)):
            raise Problem.mismatch("id", YOURS, shown(name), 404)
        return kept.analysis

    def _make_room(self, owner: bytes) -> None:
        """Forget what ended long ago. Raises Problem (429, 503) if too much is under way."""
        ended = [name for name, one in self._kept.items() if one.task.done()]
        mine = [one for one in self._kept.values() if one.owner == owner and not one.task.done()]
        if len(mine) >= MOST_EACH:
            raise Problem(f"{MOST_EACH} analyses of yours are under way. Wait for them.", 429)
        if len(self._kept) - len(ended) >= MOST_RUNNING:
            raise Problem(f"{MOST_RUNNING} analyses are under way. Try again later.", 503)
        for name in ended[: max(0, len(self._kept) - MOST_KEPT + 1)]:
            del self._kept[name]

    @staticmethod
    def _report(request: Request, analysis: PlayedAnalysis) -> Body:
        report = analysis.report()
        address = _address(request, analysis)
        for table in report["tables"]:
            table["address"] = f"{address}/tables/{table['name'].replace(' ', '%20')}"
        return {**report, "address": address}


def _address(request: Request, analysis: PlayedAnalysis) -> str:
    return f"{base_url(request)}{PATH}/{analysis.id}"


def _owner(request: Request) -> bytes:
    """Digest the token: who asks for results sends the same one as who started the analysis."""
    return hashlib.sha256(request.headers.get("authorization", "").encode()).digest()


def _answer(report: Body, status: int = 200) -> Json:
    return Json(envelope.informational(BEACON_ID, report), status)
