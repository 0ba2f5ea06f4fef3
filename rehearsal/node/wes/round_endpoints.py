"""The rounds of a run: numbers go out through the airlock, states of the network come in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.errors import shown
from rehearsal.masked_sums.signed_messages import AddressedRun, state_message
from rehearsal.node.airlock.airlock import TIME_STEP_S, Result
from rehearsal.node.airlock.arrays import MB, Malformed, read_numbers
from rehearsal.node.airlock.rules import REASONS
from rehearsal.node.settings.analysis_settings import CLEAR, MASKED
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.coordinators import SIGNATURE_HEADER, Coordinators
from rehearsal.node.wes.request import MAX_BODY
from rehearsal.node.wes.run import ENDED, WORDS, Run
from rehearsal.node.wes.runs import Runs
from rehearsal.node.wes.upload import Uploads
from rehearsal.web.app import Json, query_pairs
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import read_body

ROUND_HEADER = "x-rehearsal-round"  # what the numbers of a round are, as JSON
NPZ = "application/octet-stream"
MOST_WAIT_S = 20.0  # that a request for a round may wait for it
HELD = 423  # status of numbers that the airlock holds; a refusal of the protocol has another
SUMS = ("count", "sum")  # classes that modes decide about; lists and sketches cannot be added
FIRST_LOOK_S, LONGEST_LOOK_S = 0.01, 0.1  # between looks for the numbers of a round


class RoundEndpoints:
    """The handlers of rounds.

    Args:
        settings: The node's settings.
        coordinators: Who may send states.
        find_run: Finds the run of a request, or raises Problem.
        runs: The node's runs.
    """

    def __init__(
        self,
        settings: NodeSettings,
        coordinators: Coordinators,
        find_run: Callable[[Request], Run],
        runs: Runs,
    ) -> None:
        self._settings, self._coordinators = settings, coordinators
        self._find_run, self._runs = find_run, runs
        self.uploads = Uploads()

    async def round(self, request: Request) -> Response:
        """Answer ``GET /runs/{run_id}/rounds/{round}``. The parameter ``wait_s`` waits for it.

        Args:
            request: The request, after authorization.

        Returns:
            The numbers of a round (200), or its state while there are none (202).

        Raises:
            Problem: The node's modes do not let them leave (403), they leave under masks only
                (409), the airlock holds them (423), or the run has ended (410).
        """
        found = await self.find_result(request, wait_of(request))
        if found is None:
            return Json({"state": self._find_run(request).shown_state()}, 202)
        if found.is_masked:
            raise Problem("The numbers of this round leave under masks only.", 409)
        if any(one["class"] in SUMS for one in found.about["arrays"].values()):
            check_mode(self._settings, CLEAR)
        return numbers_response(found)

    async def find_result(self, request: Request, wait_s: float) -> Result | None:
        """Wait for the numbers of a round that may leave.

        Args:
            request: The request, after authorization.
            wait_s: Seconds to wait.

        Returns:
            The numbers; None while there are none.

        Raises:
            Problem: The airlock holds them (423), or the run has ended (410).
        """
        run, number = self._find_run(request), round_number(request)
        until, pause = time.monotonic() + wait_s, FIRST_LOOK_S
        while (result := run.results.get(f"round-{number}")) is None or not _has_left(result):
            if result is None and run.shown_state() in ENDED:
                raise _ended(run)
            if time.monotonic() >= until:
                return None
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_LOOK_S)
        run = self._find_run(request)  # the caller may have lost rights while waiting
        word = await asyncio.to_thread(self._runs.decision, run, result)
        if word == "refuse":
            raise Problem(WORDS["refused"], 410)
        if word == "wait":
            raise Problem(f"A person at the node looks at this: {_why(result)}.", HELD)
        if result.is_gone:
            raise Problem("The network went on after this round, so its numbers are gone.", 410)
        return result

    async def put_state(self, request: Request) -> Response:
        """Answer ``PUT /runs/{run_id}/rounds/{round}`` with the network's state after a round.

        A long state comes in pieces, each with the header ``Content-Range``. The header
        ``X-Rehearsal-Signature`` of the last one is the coordinator's signature of the whole state.

        Args:
            request: The request, after authorization.

        Returns:
            200 when the state is complete, 202 while pieces are missing.

        Raises:
            Problem: No coordinator signed it (403), it is not the next round (409), the run has
                ended (410), or the content is not an NPZ file of numbers (400, 413).
        """
        run, number = self._find_run(request), round_number(request)
        self._coordinators.require_any()
        _check_turn(run, number)
        most = run.algorithm.largest_mb * MB
        piece = await read_body(request, MAX_BODY)
        content = self.uploads.add(run.id, request.headers.get("content-range"), piece, most)
        if content is None:
            return Json({"state": run.shown_state()}, 202)
        to = run.at(self._settings.country_code)
        signature = request.headers.get(SIGNATURE_HEADER)
        await asyncio.to_thread(self._check_signature, signature, to, number, content)
        try:
            await asyncio.to_thread(read_numbers, content, most)
        except Malformed as problem:
            expected = "an NPZ file of finite numbers"
            raise Problem.mismatch(
                "the body", expected, f"another file ({problem.reason})"
            ) from None
        run = self._find_run(request)
        _check_turn(run, number)  # another request may have been faster
        run.states_put += 1  # the next round may come from here on
        if not await asyncio.to_thread(self._runs.place_state, run, number, content):
            await asyncio.sleep(TIME_STEP_S)  # until its end shows
            raise _ended(run)
        if (result := run.results.get(f"round-{number}")) is not None:
            result.forget()
        return Json({"state": run.shown_state()})

    def _check_signature(
        self, signature: str | None, to: AddressedRun, number: int, content: bytes
    ) -> None:
        self._coordinators.check(signature, state_message(to, number, content))


def check_mode(settings: NodeSettings, mode: str) -> None:
    """Check that sums leave the node in a mode.

    Args:
        settings: The node's settings.
        mode: One of :data:`rehearsal.node.settings.analysis_settings.MODES`.

    Raises:
        Problem: They do not (403).
    """
    modes = settings.analyses.modes
    if mode not in modes:
        asked = "under masks" if mode == MASKED else "in clear"
        only = ", ".join(modes)
        raise Problem(f"Sums do not leave this node {asked}: analyses.modes is {only}.", 403)


def _check_turn(run: Run, number: int) -> None:
    """Check that the state after a round comes next. Raises Problem (409, 410)."""
    if run.shown_state() in ENDED:
        raise _ended(run)
    result = run.results.get(f"round-{number}")
    if number != run.states_put or result is None or not _has_left(result):
        expected = f"the state after round {run.states_put}, once that is there"
        raise Problem.mismatch("round", expected, str(number), 409)


def _ended(run: Run) -> Problem:
    return Problem(f"The run has ended. {WORDS.get(run.word, '')}".strip(), 410)


def _has_left(result: Result) -> bool:
    return time.monotonic() >= result.leaves_at


def _why(result: Result) -> str:
    return "; ".join(REASONS[one] for one in result.reasons)


def numbers_response(result: Result) -> Response:
    """Build the response with the numbers of a round or an output.

    Args:
        result: The numbers.
    """
    about = orjson.dumps(result.about).decode()
    return Response(result.archive, media_type=NPZ, headers={ROUND_HEADER: about})


def wait_of(request: Request) -> float:
    """Read how many seconds a request waits for a round.

    Args:
        request: The request.

    Raises:
        Problem: It is no such number (400).
    """
    text = dict(query_pairs(request)).get("wait_s", "0")
    try:
        wait_s = float(text)
    except ValueError:
        wait_s = -1.0
    if not 0 <= wait_s <= MOST_WAIT_S:
        raise Problem.mismatch("wait_s", f"seconds from 0 to {MOST_WAIT_S:g}", shown(text))
    return wait_s


def round_number(request: Request) -> int:
    """Read the number of the round from the path of a request.

    Args:
        request: The request.

    Raises:
        Problem: It is no such number (404).
    """
    text = request.path_params["round"]
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise Problem.mismatch("round", "a whole number below 10000", shown(text), 404)
    return int(text)
