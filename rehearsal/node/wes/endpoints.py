"""The handlers of WES 1.1 (``/ga4gh/wes/v1``), and of the rounds beside it."""

from __future__ import annotations

import asyncio
import logging
import secrets
import shutil
from functools import cached_property
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.errors import shown
from rehearsal.masked_sums.signing_keys import read_signing_key
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.rights import Rights, caller_name, caller_rights
from rehearsal.node.access.settings import SETTINGS_FILE
from rehearsal.node.airlock.airlock import Airlock
from rehearsal.node.beacon.info_endpoints import service_info
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.settings.analysis_keys import IDENTITY_FILE, check_own_key
from rehearsal.node.settings.analysis_settings import CLEAR
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes import openapi
from rehearsal.node.wes.algorithms import Algorithm, ApprovedAlgorithms
from rehearsal.node.wes.coordinators import Coordinators
from rehearsal.node.wes.crate_check import check_crate
from rehearsal.node.wes.kinship_key import has_sketches, read_kinship_key
from rehearsal.node.wes.mask_endpoints import MaskEndpoints, Trusted
from rehearsal.node.wes.page import page_of
from rehearsal.node.wes.request import (
    ENGINE,
    MAX_BODY,
    TYPE_VERSIONS,
    WORKFLOW_TYPE,
    check_parameters,
    read_run_request,
)
from rehearsal.node.wes.round_endpoints import RoundEndpoints, check_mode, numbers_response
from rehearsal.node.wes.run import WORDS, Run
from rehearsal.node.wes.runs import Runs
from rehearsal.node.wes.sandbox import BUBBLEWRAP, NO_BUBBLEWRAP, why_no_sandbox
from rehearsal.node.wes.variables import known_variables
from rehearsal.web.app import GET, POST, Api, Json, base_url, query_pairs
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import read_body

log = logging.getLogger(__name__)

BASE = "/ga4gh/wes/v1"
VERSION = "1.1.0"
NO_RUN = "a run of yours that this node remembers"


def _trusted(settings: NodeSettings, folder: Path) -> Trusted:
    """Read whose keys the node accepts, and its own if it has partners. Raises InputError."""
    keys = settings.analyses.keys(folder)
    identity = read_signing_key(folder / IDENTITY_FILE) if keys.partners else None
    if identity is not None:
        source = folder / (settings.analyses.keys_file or SETTINGS_FILE)
        own = identity.public_key().public_bytes_raw()
        check_own_key(source, keys, settings.country_code, own)
    return Trusted(Coordinators(keys.coordinator_keys), keys.partner_keys, identity)


def error_body(status: int, message: str) -> Body:
    """Build WES's ``ErrorResponse``.

    Args:
        status: HTTP status.
        message: What was wrong.
    """
    return {"msg": message, "status_code": status}


class WesEndpoints:
    """WES of one node.

    Args:
        node_data: The node's data.
        authorizer: The node's access decisions.
        folder: The node's folder.

    Raises:
        InputError: A file of the airlock or a key is unusable.
    """

    def __init__(self, node_data: NodeData, authorizer: Authorizer, folder: Path) -> None:
        self._node_data, settings = node_data, node_data.settings
        if settings.analyses.kinship_key:
            read_kinship_key(folder, settings.analyses.kinship_key)  # a wrong one is told at once
        if settings.algorithms and shutil.which(BUBBLEWRAP) is None:
            log.warning("This node runs no algorithms: %s", NO_BUBBLEWRAP)
        self._algorithms = ApprovedAlgorithms(folder, settings.algorithms)
        self._airlock = Airlock(settings.analyses, authorizer.state, authorizer.ledger)
        state = authorizer.state or folder
        self._runs = Runs(settings.analyses, folder, state, self._airlock, authorizer.audit)
        trusted = _trusted(settings, folder)
        by = trusted.coordinators
        self._rounds = RoundEndpoints(settings, by, self.find_run, self._runs)
        self._masks = MaskEndpoints(settings, trusted, self.find_run, self._rounds)

    def close(self) -> None:
        """End all runs and close the files."""
        self._runs.close()
        self._airlock.close()

    def add_to(self, api: Api) -> None:
        """Add the routes.

        Args:
            api: The node's API.
        """
        one = f"{BASE}/runs/{{run_id}}"
        for path, handler, methods in (
            (f"{BASE}/service-info", self.inform, GET),
            (f"{BASE}/runs", self.list_runs, GET),
            (f"{BASE}/runs", self.run_workflow, POST),
            (one, self.run_log, GET),
            (f"{one}/status", self.status, GET),
            (f"{one}/cancel", self.cancel, POST),
            (f"{one}/tasks", self.list_tasks, GET),
            (f"{one}/tasks/{{task_id}}", self.task, GET),
            (f"{one}/outputs/{{name}}", self.output, GET),
            (f"{one}/rounds/{{round}}", self._rounds.round, GET),
            (f"{one}/rounds/{{round}}", self._rounds.put_state, ("PUT",)),
            *self._masks.routes(one),
        ):
            api.add(path, handler, methods, error_body)

    @staticmethod
    def paths() -> Body:
        """Return the OpenAPI path items of the routes."""
        return openapi.paths(BASE)

    async def inform(self, request: Request) -> Json:
        """Answer ``GET /service-info``, which is public.

        Args:
            request: The request.
        """
        needed = self._node_data.settings.algorithms
        reason = await asyncio.to_thread(why_no_sandbox) if needed else ""
        names = {one.name: one.digest for one in self._algorithms}
        about = service_info(self._node_data.settings)
        return Json(
            {
                **about,
                "id": f"{about['id']}.wes",
                "type": {"group": "org.ga4gh", "artifact": "wes", "version": VERSION},
                "workflow_type_versions": {
                    WORKFLOW_TYPE: {"workflow_type_version": list(TYPE_VERSIONS)}
                },
                "supported_wes_versions": [VERSION],
                "supported_filesystem_protocols": [],
                "workflow_engine_versions": {ENGINE: {"workflow_engine_version": ["9"]}},
                "default_workflow_engine_parameters": [],
                "system_state_counts": self._runs.counts(),
                "auth_instructions_url": about["organization"]["url"],
                "tags": {"algorithms": orjson.dumps(names).decode(), "not_run": reason},
            }
        )

    async def run_workflow(self, request: Request) -> Json:
        """Answer ``POST /runs``.

        Args:
            request: The request, after authorization.

        Returns:
            The id of the run.

        Raises:
            Problem: The caller gets no exact numbers (401, 403), the request is invalid or names no
                approved algorithm (400), too many runs wait (429), or nothing can run here (503).
        """
        caller = self._require(request)
        content_type = request.headers.get("content-type", "")
        wanted = read_run_request(content_type, await read_body(request, MAX_BODY))
        algorithm = self._approved(wanted.workflow_url)
        check_crate(wanted, algorithm, str(caller.purpose))
        variables = check_parameters(wanted.parameters, algorithm.parameters, self._variables)
        if reason := await asyncio.to_thread(why_no_sandbox):
            raise Problem(f"This node runs no algorithms: {reason}.", 503)
        caller = self._require(request)  # who may have lost rights while waiting
        everyone = self._node_data.people.everyone
        run = Run(
            secrets.token_hex(16),
            algorithm,
            caller_name(caller, request),
            str(caller.purpose),
            wanted,
            tuple(variables),
            everyone - caller.excluded,
            f"{base_url(request)}{BASE}",
        )
        self._runs.submit(run)
        return Json({"run_id": run.id})

    async def list_runs(self, request: Request) -> Json:
        """Answer ``GET /runs`` with the caller's own runs.

        Args:
            request: The request, after authorization.
        """
        caller = self._require(request)
        mine = self._runs.of(caller_name(caller, request))
        runs, following = page_of([one.summary() for one in mine], query_pairs(request))
        return Json({"runs": runs, "next_page_token": following})

    async def run_log(self, request: Request) -> Json:
        """Answer ``GET /runs/{run_id}``.

        Args:
            request: The request, after authorization.
        """
        return Json(self.find_run(request).log())

    async def status(self, request: Request) -> Json:
        """Answer ``GET /runs/{run_id}/status``.

        Args:
            request: The request, after authorization.
        """
        return Json(self.find_run(request).status())

    async def list_tasks(self, request: Request) -> Json:
        """Answer ``GET /runs/{run_id}/tasks``: a run has one task.

        Args:
            request: The request, after authorization.
        """
        tasks, following = page_of([self.find_run(request).task()], query_pairs(request))
        return Json({"task_logs": tasks, "next_page_token": following})

    async def task(self, request: Request) -> Json:
        """Answer ``GET /runs/{run_id}/tasks/{task_id}``.

        Args:
            request: The request, after authorization.

        Raises:
            Problem: The run has no such task (404).
        """
        task, name = self.find_run(request).task(), request.path_params["task_id"]
        if name != task["id"]:
            raise Problem.mismatch("task_id", task["id"], shown(name), 404)
        return Json(task)

    async def cancel(self, request: Request) -> Json:
        """Answer ``POST /runs/{run_id}/cancel``.

        Args:
            request: The request, after authorization.
        """
        run = self.find_run(request)
        await asyncio.to_thread(self._runs.stop, run)
        return Json({"run_id": run.id})

    async def output(self, request: Request) -> Response:
        """Answer ``GET /runs/{run_id}/outputs/{name}``: NAME.npz, or NAME.json which describes it.

        Args:
            request: The request, after authorization.

        Raises:
            Problem: There is no such output, or it is not complete (404).
        """
        run, file = self.find_run(request), request.path_params["name"]
        name, _, suffix = file.rpartition(".")
        known = run.shown_state() == "COMPLETE" and name in run.algorithm.outputs
        if not known or suffix not in ("npz", "json"):
            expected = "NAME.npz or NAME.json of an output of a complete run"
            raise Problem.mismatch("name", expected, shown(file), 404)
        result = run.results.get(name)
        if result is None or self._runs.decision(run, result) != "release":
            raise Problem(WORDS["refused"], 410)
        return Json(result.about) if suffix == "json" else numbers_response(result)

    @cached_property
    def _variables(self) -> frozenset[str]:
        return frozenset(known_variables(self._node_data.people))

    def _require(self, request: Request) -> Rights:
        """Return the rights of a caller who gets exact numbers for a purpose. Raises Problem."""
        caller = caller_rights(request)
        caller.require_exact_counts(self._node_data.settings.people_dataset)
        return caller

    def _approved(self, name: str) -> Algorithm:
        """Find an algorithm. Raises Problem (400)."""
        algorithm = self._algorithms.find(name)
        if algorithm is None:
            known = ", ".join(sorted(one.name for one in self._algorithms)) or "none"
            expected = f"digest or name of an algorithm that this node approves ({known})"
            raise Problem.mismatch("workflow_url", expected, shown(name))
        analyses = self._node_data.settings.analyses
        least = analyses.smallest_count
        if algorithm.smallest_count < least:
            expected = f"an algorithm that promises counts of at least {least}"
            raise Problem.mismatch("workflow_url", expected, f"{algorithm.smallest_count}", 403)
        if has_sketches(algorithm) and not analyses.sketches:
            expected = (
                "an algorithm without a sketch of each person, as this node has no "
                "analyses.sketches: true (such an algorithm needs sketches and kinship_key)"
            )
            raise Problem.mismatch("workflow_url", expected, shown(algorithm.name), 403)
        if algorithm.outputs:
            check_mode(self._node_data.settings, CLEAR)
        return algorithm

    def find_run(self, request: Request) -> Run:
        """Find a run of the caller, whose rights still cover it.

        Args:
            request: The request, after authorization.

        Raises:
            Problem: There is no such run (404), or the caller gets no exact numbers (401, 403).
        """
        caller = self._require(request)
        mine = self._runs.of(caller_name(caller, request))
        name = request.path_params["run_id"]
        run = next((one for one in mine if one.id == name), None)
        if run is None or run.purpose != str(caller.purpose):
            raise Problem.mismatch("run_id", NO_RUN, shown(name), 404)
        if run.people & caller.excluded:
            self._runs.withdraw(run)
        return run
