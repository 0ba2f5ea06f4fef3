"""A node's run of an analysis, by WES and the rounds beside it."""

from __future__ import annotations

import asyncio
import logging
from base64 import b64decode, b64encode
from binascii import Error
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rehearsal.analyses.exchange import pack_arrays, unpack_arrays
from rehearsal.analyses.protocol import AnalysisError, Arrays
from rehearsal.errors import mismatch, shown
from rehearsal.masked_sums.partners import JoinedNode
from rehearsal.masked_sums.signed_messages import (
    AddressedRun,
    SignedKey,
    attempt_message,
    keys_message,
    state_message,
)
from rehearsal.network.analyses.remote_run import Attempt, NodeLostError, Outcome
from rehearsal.network.wes_client import LARGEST, WesClient, WesError, WorkflowRequest

log = logging.getLogger(__name__)

WAIT_S = 10.0  # that a node holds a request for a round until it is there
HELD, ENDED = 423, 410
NO_WES = (404, 405, 501)  # what a service without WES answers to a request for a run
NO_SANDBOX = 503
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Analysis:
    """What all nodes are asked for."""

    id: str  # the same at all nodes
    request: WorkflowRequest
    deadline_s: float  # of each call
    signing_key: Ed25519PrivateKey | None = None  # of the coordinator; None: nothing is signed


class NodeRun:
    """A node's run over HTTP: a :class:`rehearsal.network.analyses.remote_run.RemoteRun`.

    Args:
        node: The node's code.
        client: An open client of its WES.
        analysis: What is asked for.
    """

    def __init__(self, node: str, client: WesClient, analysis: Analysis) -> None:
        self.node, self._client, self._analysis = node, client, analysis
        self._run = ""

    async def start(self) -> None:
        """Ask the node to start the run.

        Raises:
            NodeLostError: It does not.
        """
        begun = asyncio.ensure_future(self._begin())
        try:
            self._run = await self._in_time(asyncio.shield(begun))
        except asyncio.CancelledError:  # the node may have started it: then it is ended too
            with suppress(NodeLostError, WesError), self._told_if_it_goes_on():
                self._run = await self._in_time(begun)
            raise

    async def _begin(self) -> str:
        try:
            return await self._client.start(self._analysis.request)
        except WesError as error:
            if error.status in NO_WES:
                raise NodeLostError("not run", f"no WES here (status {error.status})") from None
            if error.status == NO_SANDBOX:
                raise NodeLostError("not run", error.message) from None
            raise

    async def sums(self, round_number: int) -> Arrays:
        """Wait for the node's sums.

        Args:
            round_number: The round.

        Raises:
            NodeLostError: They do not come.
        """

        async def wait() -> Arrays:
            while True:
                found = await self._client.round(self._run, round_number, WAIT_S)
                if found is not None:
                    return self._arrays(found.content)

        return await self._in_time(wait())

    async def answer(self, round_number: int, state: bytes) -> None:
        """Hand over the state that follows a round.

        Args:
            round_number: The round.
            state: The content of an NPZ file.

        Raises:
            NodeLostError: The node does not take it.
        """
        signature = self._sign(state_message(self._to, round_number, state))
        await self._in_time(self._client.put_state(self._run, round_number, state, signature))

    async def end(self) -> None:
        """Ask the node to end the run. Never fails; a node that does not is told to the log."""
        if self._run:
            with suppress(NodeLostError), self._told_if_it_goes_on():
                await self._in_time(self._client.cancel(self._run))

    @contextmanager
    def _told_if_it_goes_on(self) -> Iterator[None]:
        """Name the node in the log when it has not answered, or nobody waits for it any more."""
        try:
            yield
        except (NodeLostError, asyncio.CancelledError):
            log.warning("%s did not answer: its run may go on %s", self.node, self._run)
            raise

    async def join(self) -> JoinedNode:
        """Return the node's key for masks in this run, and whose keys it accepts.

        Raises:
            NodeLostError: It gives none.
        """
        told = await self._post("masks", {"analysis": self._analysis.id})
        if told.get("node") != self.node:
            expected = f"{self.node}, as the registry has it"
            raise NodeLostError("failed", mismatch("node", expected, shown(told.get("node"))))
        partners = told.get("partners")
        if not isinstance(partners, dict):
            raise NodeLostError("failed", mismatch("partners", "keys by node", shown(partners)))
        key = SignedKey(_bytes(told, "public_key"), _bytes(told, "signature"))
        accepted = {code: _bytes(partners, code) for code in partners}
        return JoinedNode(self.node, self._analysis.id, _bytes(told, "task"), key, accepted)

    async def meet(self, keys: Mapping[str, SignedKey]) -> None:
        """Hand over the keys of all nodes.

        Args:
            keys: The keys by node.

        Raises:
            NodeLostError: The node does not take them.
        """
        body = {
            "public_keys": _texts({name: one.public_key for name, one in keys.items()}),
            "key_signatures": _texts({name: one.signature for name, one in keys.items()}),
            "signature": self._sign(keys_message(self._to, self._analysis.id, keys)),
        }
        await self._post("masks", body, "PUT")

    async def masked_sums(self, attempt: Attempt) -> bytes:
        """Wait for the node's masked sums.

        Args:
            attempt: The attempt.

        Raises:
            NodeLostError: They do not come.
        """
        number, nodes = attempt.number, list(attempt.nodes)
        message = attempt_message(self._to, attempt.round_number, number, nodes)
        body = {"attempt": number, "nodes": nodes, "signature": self._sign(message)}
        path = f"rounds/{attempt.round_number}/mask"

        async def wait() -> bytes:
            while True:
                found = await self._client.post_bytes(self._run, path, body)
                if found is not None:
                    return found

        return await self._in_time(wait())

    async def confirm(self, attempt: Attempt, present: Sequence[str]) -> Mapping[str, bytes]:
        """Say whose sums were added.

        Args:
            attempt: The attempt.
            present: The nodes whose sums were added.

        Raises:
            NodeLostError: The node confirms nothing.
        """
        body = {"attempt": attempt.number, "present": list(present)}
        told = await self._post(f"rounds/{attempt.round_number}/confirm", body)
        confirmations = told.get("confirmations")
        if not isinstance(confirmations, dict) or set(confirmations) != {*present} - {self.node}:
            expected = "one for each other node"
            raise NodeLostError("failed", mismatch("confirmations", expected, "others"))
        return {name: _bytes(confirmations, name) for name in confirmations}

    async def reveal(
        self, attempt: Attempt, confirmations: Mapping[str, bytes], opener: str
    ) -> bytes:
        """Return the keys of the masks that are left in the total, sealed for the opener.

        Args:
            attempt: The attempt.
            confirmations: What the other nodes confirmed to this one.
            opener: The node that opens the total.

        Raises:
            NodeLostError: The node reveals nothing.
        """
        body = {
            "attempt": attempt.number,
            "confirmations": _texts(confirmations),
            "opener": opener,
        }
        return _bytes(await self._post(f"rounds/{attempt.round_number}/reveal", body), "sealed")

    async def open(
        self,
        attempt: Attempt,
        masked_total: bytes,
        confirmations: Mapping[str, bytes],
        sealed: Mapping[str, bytes],
    ) -> Arrays:
        """Open the total.

        Args:
            attempt: The attempt.
            masked_total: The sum of the words of all nodes.
            confirmations: What the other nodes confirmed to this one.
            sealed: What the other nodes revealed to this one.

        Raises:
            NodeLostError: The node does not open it.
        """
        body = {"attempt": np.array(attempt.number), "total": np.frombuffer(masked_total, "<u8")}
        for prefix, messages in (("confirmation", confirmations), ("sealed", sealed)):
            for name, one in messages.items():
                body[f"{prefix}.{name}"] = np.frombuffer(one, np.uint8)
        path = f"rounds/{attempt.round_number}/open"
        sent = self._client.post_pieces(self._run, path, pack_arrays(body))
        return self._arrays(await self._in_time(sent))

    @property
    def _to(self) -> AddressedRun:
        return AddressedRun(self.node, self._run)

    def _sign(self, message: bytes) -> str:
        """Sign as the coordinator: base64; empty without a key."""
        key = self._analysis.signing_key
        return b64encode(key.sign(message)).decode() if key else ""

    async def _post(self, path: str, body: Mapping[str, Any], method: str = "POST") -> Any:
        return await self._in_time(self._client.send(self._run, path, body, method))

    def _arrays(self, content: bytes) -> Arrays:
        try:
            return unpack_arrays(content, self.node, 4 * LARGEST)
        except AnalysisError as error:
            raise NodeLostError("failed", str(error)) from None

    async def _in_time(self, call: Awaitable[T]) -> T:
        """Wait for a call. Raises NodeLostError."""
        try:
            async with asyncio.timeout(self._analysis.deadline_s):
                return await call
        except TimeoutError:
            reason = f"no answer within {self._analysis.deadline_s:g} s"
            raise NodeLostError("late", reason) from None
        except WesError as error:
            raise NodeLostError(_outcome(error.status), error.message) from None


def _outcome(status: int) -> Outcome:
    if status == HELD:
        return "held"
    return "refused" if 400 <= status < 500 and status != ENDED else "failed"


def _texts(messages: Mapping[str, bytes]) -> dict[str, str]:
    return {name: b64encode(one).decode() for name, one in messages.items()}


def _bytes(told: Mapping[str, Any], key: str) -> bytes:
    try:
        return b64decode(str(told.get(key)), validate=True)
    except (Error, TypeError, ValueError):
        raise NodeLostError("failed", mismatch(key, "base64", shown(told.get(key)))) from None
