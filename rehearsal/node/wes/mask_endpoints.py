"""Masked rounds of a run: a node's messages in the protocol of :mod:`rehearsal.masked_sums`."""

from __future__ import annotations

import asyncio
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.analyses.exchange import pack_arrays, unpack_arrays
from rehearsal.analyses.protocol import AnalysisError
from rehearsal.errors import mismatch, shown
from rehearsal.masked_sums.participant import MaskingError
from rehearsal.masked_sums.partners import JoinedNode, NotPartnerError
from rehearsal.masked_sums.signed_messages import (
    SignedKey,
    attempt_message,
    keys_message,
    task_digest,
)
from rehearsal.node.airlock.airlock import Result
from rehearsal.node.airlock.arrays import MB
from rehearsal.node.settings.analysis_settings import MASKED
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.coordinators import Coordinators
from rehearsal.node.wes.masked_rounds import MaskedRounds, Sums
from rehearsal.node.wes.request import MAX_BODY
from rehearsal.node.wes.round_endpoints import NPZ, RoundEndpoints, check_mode, round_number
from rehearsal.node.wes.run import Run
from rehearsal.web.app import POST, Json
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import check_nesting, read_body

PUT = ("PUT",)
WAIT_S = 20.0  # that a request for masked sums waits for them
CONFIRMATION, SEALED = "confirmation.", "sealed."  # before names of nodes, in the body of open

Route = tuple[str, Callable[[Request], Any], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Trusted:
    """With whom a node plays masked rounds."""

    coordinators: Coordinators
    partners: Mapping[str, bytes]  # identity keys by code
    identity: Ed25519PrivateKey | None  # of the node; None: it has no partners


class MaskEndpoints:
    """The handlers of masked rounds.

    Args:
        settings: The node's settings.
        trusted: Its partners and coordinators.
        find_run: Finds the run of a request, or raises Problem.
        rounds: The handlers of rounds.
    """

    def __init__(
        self,
        settings: NodeSettings,
        trusted: Trusted,
        find_run: Callable[[Request], Run],
        rounds: RoundEndpoints,
    ) -> None:
        self._settings, self._trusted = settings, trusted
        self._find_run, self._rounds = find_run, rounds

    def routes(self, run: str) -> Iterator[Route]:
        """List the routes.

        Args:
            run: The path of one run.
        """
        yield f"{run}/masks", self.join, POST
        yield f"{run}/masks", self.meet, PUT
        for step in (self.mask, self.confirm, self.reveal, self.open):
            yield f"{run}/rounds/{{round}}/{step.__name__}", step, POST

    async def join(self, request: Request) -> Json:
        """Answer ``POST /runs/{run_id}/masks``: take part in the masked rounds of an analysis.

        Args:
            request: The request, with ``analysis``: an identifier that all nodes get.

        Returns:
            ``node``; its ``public_key`` in this run with its ``signature``; ``task``, the digest
            of what it computes; and the identity keys of its ``partners``.

        Raises:
            Problem: The node plays no masked rounds (403), or the run joined before (409).
        """
        run, body = self._find_run(request), await _read(request, {"analysis": str})
        check_mode(self._settings, MASKED)
        identity = self._trusted.identity
        if identity is None:
            raise Problem(
                "This node plays no masked rounds: its node.yaml lists no analyses.partners.", 403
            )
        if run.masks is not None:
            raise Problem.mismatch("masks", "one analysis for a run", "a second one", 409)
        node, analysis = self._settings.country_code, body["analysis"]
        run.masks = MaskedRounds(analysis, node, self._settings.analyses.smallest_count)
        run.joined = JoinedNode.signed(
            identity,
            node,
            analysis,
            task_digest(run.algorithm.digest, run.request.parameters, run.purpose),
            run.masks.public_key,
            self._trusted.partners,
        )
        return Json(_told(run.joined))

    async def meet(self, request: Request) -> Json:
        """Answer ``PUT /runs/{run_id}/masks``.

        Args:
            request: The request: the ``public_keys`` of all nodes, their ``key_signatures``, and
                the coordinator's ``signature`` of both.

        Raises:
            Problem: No coordinator signed them, or one is of no partner (403), or the protocol does
                not allow it (409).
        """
        kinds = {"public_keys": dict, "key_signatures": dict, "signature": str}
        run, rounds, body = (
            self._find_run(request),
            self._masks(request),
            await _read(request, kinds),
        )
        keys, signatures = _bytes_of(body["public_keys"]), _bytes_of(body["key_signatures"])
        if keys.keys() != signatures.keys() or run.joined is None:
            raise Problem.mismatch("key_signatures", "one for each key", "others")
        signed = {name: SignedKey(key, signatures[name]) for name, key in keys.items()}
        to = run.at(self._settings.country_code)
        message = keys_message(to, run.joined.analysis, signed)
        self._trusted.coordinators.check(body["signature"], message)
        try:
            run.joined.check_all(signed)
        except NotPartnerError as error:
            raise Problem(str(error), 403) from None
        _allowed(lambda: rounds.meet(keys))
        return Json({})

    async def mask(self, request: Request) -> Response:
        """Answer ``POST /runs/{run_id}/rounds/{round}/mask``.

        Args:
            request: The request: ``attempt``, ``nodes`` that take part, and the coordinator's
                ``signature`` of both.

        Returns:
            Words of 64 bits, little-endian (200); 202 while the sums are not there.

        Raises:
            Problem: No coordinator signed it (403), or the protocol does not allow it (409).
        """
        run, rounds = self._find_run(request), self._masks(request)
        body = await _read(request, {"attempt": int, "nodes": list, "signature": str})
        to, nodes = run.at(self._settings.country_code), _texts(body["nodes"])
        message = attempt_message(to, round_number(request), body["attempt"], nodes)
        self._trusted.coordinators.check(body["signature"], message)
        sums = await self._sums(request, WAIT_S)
        if sums is None:
            return Json({"state": self._find_run(request).shown_state()}, 202)
        masked = await asyncio.to_thread(
            _allowed, lambda: rounds.mask(body["attempt"], sums, nodes)
        )
        return Response(masked, media_type=NPZ)

    async def confirm(self, request: Request) -> Json:
        """Answer ``POST /runs/{run_id}/rounds/{round}/confirm``.

        Args:
            request: The request: ``attempt``, and the nodes that are ``present``.

        Returns:
            ``confirmations`` for the other nodes.
        """
        rounds = self._masks(request)
        body = await _read(request, {"attempt": int, "present": list})
        found = _allowed(lambda: rounds.confirm(body["attempt"], _texts(body["present"])))
        return Json({"confirmations": {node: _text(one) for node, one in found.items()}})

    async def reveal(self, request: Request) -> Json:
        """Answer ``POST /runs/{run_id}/rounds/{round}/reveal``.

        Args:
            request: The request: ``attempt``, ``confirmations`` of the other nodes, and the
                ``opener``.

        Returns:
            A message that is ``sealed`` for the opener.
        """
        rounds = self._masks(request)
        body = await _read(request, {"attempt": int, "confirmations": dict, "opener": str})
        confirmations = _bytes_of(body["confirmations"])
        found = _allowed(lambda: rounds.reveal(body["attempt"], confirmations, body["opener"]))
        return Json({"sealed": _text(found)})

    async def open(self, request: Request) -> Response:
        """Answer ``POST /runs/{run_id}/rounds/{round}/open``. A long body comes in pieces.

        Args:
            request: The request, an NPZ file: ``attempt``, ``total``, and of each other node its
                ``confirmation.NODE`` and ``sealed.NODE``.

        Returns:
            The opened total, an NPZ file; 202 while pieces are missing.
        """
        run, rounds = self._find_run(request), self._masks(request)
        most = 2 * run.algorithm.largest_mb * MB
        piece, place = await read_body(request, MAX_BODY), request.headers.get("content-range")
        content = self._rounds.uploads.add(f"open {run.id}", place, piece, most)
        sums = await self._sums(request, 0.0)
        if content is None or sums is None:
            return Json({"state": run.shown_state()}, 202)
        total = await asyncio.to_thread(_allowed, lambda: _open(rounds, sums, content, most))
        return Response(total, media_type=NPZ)

    def _masks(self, request: Request) -> MaskedRounds:
        run = self._find_run(request)
        if run.masks is None:
            raise Problem.mismatch("masks", "a run that joined an analysis", "another", 409)
        return run.masks

    async def _sums(self, request: Request, wait_s: float) -> Sums | None:
        result = await self._rounds.find_result(request, wait_s)
        return None if result is None else _masked_sums(result)


def _told(joined: JoinedNode) -> dict[str, Any]:
    return {
        "node": joined.node,
        "public_key": _text(joined.key.public_key),
        "signature": _text(joined.key.signature),
        "task": _text(joined.task),
        "partners": {code: _text(key) for code, key in joined.partners.items()},
    }


def _masked_sums(result: Result) -> Sums:
    if not (result.is_masked and result.about["additive"]):
        raise Problem("The numbers of this round leave without masks.", 409)
    about = result.array_about
    counted = frozenset(name for name in result.arrays if about[name].kind == "count")
    counts = {name: about[name].counts for name in result.arrays}
    bounds = {name: one.bound for name, one in about.items() if one.bound is not None}
    return Sums(result.arrays, counted, counts, bounds)


def _open(rounds: MaskedRounds, sums: Sums, content: bytes, most: int) -> bytes:
    arrays = unpack_arrays(content, "the body", most)
    if not {"attempt", "total"} <= arrays.keys() or arrays["attempt"].ndim:
        raise ValueError(mismatch("the body", "arrays attempt and total", "others"))

    def named(prefix: str) -> dict[str, bytes]:
        found = {key: one for key, one in arrays.items() if key.startswith(prefix)}
        return {key.removeprefix(prefix): one.tobytes() for key, one in found.items()}

    total = arrays["total"].astype(np.dtype("<u8")).tobytes()
    attempt = int(arrays["attempt"])
    return pack_arrays(rounds.open(attempt, sums, total, named(CONFIRMATION), named(SEALED)))


def _allowed(act: Callable[[], Any]) -> Any:
    """Do what a message asks for. Raises Problem (409) if the protocol does not allow it."""
    try:
        return act()
    except (MaskingError, AnalysisError, ValueError) as error:
        raise Problem(str(error), 409) from None


async def _read(request: Request, keys: Mapping[str, type]) -> dict[str, Any]:
    """Read a JSON object with keys of given types. Raises Problem (400)."""
    raw = await read_body(request, MAX_BODY)
    check_nesting(raw)
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict) or body.keys() != keys.keys():
        raise Problem.mismatch("the body", f"an object with {', '.join(keys)}", "another")
    for key, kind in keys.items():
        if type(body[key]) is not kind:
            raise Problem.mismatch(key, f"a value of JSON's type for {kind.__name__}", "another")
    return body


def _texts(values: list[Any]) -> list[str]:
    for value in values:
        if not isinstance(value, str):
            raise Problem.mismatch("nodes", "codes of nodes", shown(value))
    return values


def _bytes_of(values: Mapping[str, Any]) -> dict[str, bytes]:
    found = {}
    for name, value in values.items():
        try:
            found[name] = b64decode(value, validate=True)
        except (Error, TypeError, ValueError):
            raise Problem.mismatch(name, "bytes in base64", shown(value)) from None
    return found


def _text(content: bytes) -> str:
    return b64encode(content).decode()
