"""A client of GA4GH WES 1.1, and of the rounds that our nodes have beside it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson
from yarl import URL

from rehearsal.errors import cause, mismatch, shown

ENDED = ("COMPLETE", "EXECUTOR_ERROR", "SYSTEM_ERROR", "CANCELED", "PREEMPTED")
PIECE = 1 << 20  # bytes of a state that a node takes at a time
LARGEST = 256 << 20  # bytes of an answer
POLL_S, LONGEST_POLL_S, REQUEST_S = 0.05, 2.0, 60.0
ROUND_HEADER, SIGNATURE_HEADER = "X-Rehearsal-Round", "X-Rehearsal-Signature"
NPZ = "application/octet-stream"


class WesError(Exception):
    """A service that refuses, fails or does not answer.

    Args:
        status: HTTP status; 0 without an answer.
        message: One line.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


@dataclass(frozen=True)
class WorkflowRequest:
    """What to run.

    Attributes:
        url: Name or digest of an approved algorithm at our nodes. At other services, a workflow:
            an address or the name of an attachment.
        parameters: Its parameters.
        tags: Texts that the service keeps with the run.
        attachments: Files, by name.
        kind: Workflow language.
        version: Its version.
        engine: The engine; some services want it named.
    """

    url: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    attachments: Mapping[str, bytes] = field(default_factory=dict)
    kind: str = "SMK"
    version: str = "1.0"
    engine: str = "snakemake"

    def form(self) -> aiohttp.FormData:
        """Build the form of ``POST /runs``."""
        form = aiohttp.FormData(default_to_multipart=True)
        for name, text in (
            ("workflow_type", self.kind),
            ("workflow_type_version", self.version),
            ("workflow_engine", self.engine),
            ("workflow_url", self.url),
            ("workflow_params", json.dumps(self.parameters)),
            ("tags", json.dumps(self.tags)),
        ):
            form.add_field(name, text)
        for name, content in self.attachments.items():
            form.add_field("workflow_attachment", content, filename=name)
        return form


@dataclass(frozen=True, slots=True)
class Round:
    """The numbers of a round."""

    content: bytes  # an NPZ file
    about: Mapping[str, Any]  # what they are


class WesClient:
    """A client of one service. Use it as ``async with WesClient(url)``.

    Args:
        url: Base URL of the service, as ``https://node.example/ga4gh/wes/v1``.
        headers: Headers of every request: a token and a purpose.
    """

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self._url, self._headers = url.rstrip("/"), dict(headers or {})
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        timeout = aiohttp.ClientTimeout(total=REQUEST_S)
        self._session = aiohttp.ClientSession(headers=self._headers, timeout=timeout)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def service_info(self) -> dict[str, Any]:
        """Return what the service says of itself.

        Raises:
            WesError: The service does not answer.
        """
        return await self._json("GET", "/service-info")

    async def start(self, request: WorkflowRequest) -> str:
        """Start a run.

        Args:
            request: What to run.

        Returns:
            The id of the run.

        Raises:
            WesError: The service refuses.
        """
        answer = await self._json("POST", "/runs", data=request.form())
        return _text(answer, "run_id")

    async def runs(self, page_size: int = 100) -> list[dict[str, Any]]:
        """List the caller's runs, over all pages.

        Args:
            page_size: Runs of a page.

        Raises:
            WesError: The service does not answer.
        """
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            parameters = {"page_size": str(page_size)} | ({"page_token": token} if token else {})
            answer = await self._json("GET", "/runs", params=parameters)
            found += answer.get("runs", [])
            token = answer.get("next_page_token") or ""
            if not token:
                return found

    async def state(self, run: str) -> str:
        """Return the state of a run.

        Args:
            run: Its id.

        Raises:
            WesError: The service does not answer, or has no such run.
        """
        return _text(await self._json("GET", f"/runs/{run}/status"), "state")

    async def log(self, run: str) -> dict[str, Any]:
        """Return everything that the service tells of a run.

        Args:
            run: Its id.

        Raises:
            WesError: The service does not answer, or has no such run.
        """
        return await self._json("GET", f"/runs/{run}")

    async def cancel(self, run: str) -> None:
        """End a run.

        Args:
            run: Its id.

        Raises:
            WesError: The service does not answer, or has no such run.
        """
        await self._json("POST", f"/runs/{run}/cancel")

    async def wait(
        self, run: str, within_s: float, states: Sequence[str] = ENDED
    ) -> dict[str, Any]:
        """Wait until a run has ended.

        Args:
            run: Its id.
            within_s: Seconds to wait.
            states: States that end the waiting.

        Returns:
            The log of the run.

        Raises:
            WesError: The run goes on, or the service does not answer.
        """
        until, pause = time.monotonic() + within_s, POLL_S
        while (state := await self.state(run)) not in states:
            if time.monotonic() > until:
                raise WesError(0, mismatch("state", f"an end within {within_s:g} s", state))
            await asyncio.sleep(pause)
            pause = min(1.5 * pause, LONGEST_POLL_S)
        return await self.log(run)

    async def output(self, address: str) -> bytes:
        """Fetch a result.

        Args:
            address: Its address, as the log of its run has it.

        Raises:
            WesError: The service does not give it.
        """
        status, content, _ = await self._ask("GET", URL(address, encoded=True))
        if status != 200:
            raise _refusal(status, content)
        return content

    async def round(self, run: str, number: int, wait_s: float = 0.0) -> Round | None:
        """Fetch the numbers of a round.

        Args:
            run: The id of the run.
            number: The round.
            wait_s: Seconds that the node may wait for them.

        Returns:
            The numbers, or None while they are not there.

        Raises:
            WesError: The airlock holds them (423), the run has ended (410), or the node does not
                answer.
        """
        place = self._place(f"/runs/{run}/rounds/{number}")
        wanted = {"wait_s": f"{wait_s:g}"}
        status, content, headers = await self._ask("GET", place, params=wanted)
        if status == 202:
            return None
        if status != 200:
            raise _refusal(status, content)
        try:
            return Round(content, orjson.loads(headers.get(ROUND_HEADER, "")))
        except orjson.JSONDecodeError:
            found = shown(headers.get(ROUND_HEADER))
            raise WesError(status, mismatch(ROUND_HEADER, "JSON", found)) from None

    async def put_state(self, run: str, number: int, content: bytes, signature: str) -> None:
        """Send the network's state after a round, in pieces.

        Args:
            run: The id of the run.
            number: The round.
            content: An NPZ file.
            signature: The coordinator's, base64; empty: none.

        Raises:
            WesError: The node refuses or does not answer.
        """
        await self._send_pieces("PUT", f"/runs/{run}/rounds/{number}", content, signature)

    async def send(
        self, run: str, path: str, body: Mapping[str, Any], method: str = "POST"
    ) -> dict[str, Any]:
        """Send a JSON object to one of a run's own addresses, and read one.

        Args:
            run: The id of the run.
            path: The path below that of the run.
            body: The object.
            method: HTTP method.

        Raises:
            WesError: The node refuses or does not answer.
        """
        return await self._json(method, f"/runs/{run}/{path}", json=body)

    async def post_bytes(self, run: str, path: str, body: Mapping[str, Any]) -> bytes | None:
        """Send a JSON object to one of a run's own addresses, and read bytes.

        Args:
            run: The id of the run.
            path: The path below that of the run.
            body: The object.

        Returns:
            The bytes, or None while they are not there.

        Raises:
            WesError: The node refuses or does not answer.
        """
        place = self._place(f"/runs/{run}/{path}")
        status, content, _ = await self._ask("POST", place, json=body)
        if status not in (200, 202):
            raise _refusal(status, content)
        return content if status == 200 else None

    async def post_pieces(self, run: str, path: str, content: bytes) -> bytes:
        """Send bytes in pieces to one of a run's own addresses, and read bytes.

        Args:
            run: The id of the run.
            path: The path below that of the run.
            content: The bytes, at least one.

        Raises:
            WesError: The node refuses or does not answer.
        """
        return await self._send_pieces("POST", f"/runs/{run}/{path}", content, "")

    async def _send_pieces(self, method: str, path: str, content: bytes, signature: str) -> bytes:
        """Send bytes in pieces; return the answer to the last. Raises WesError."""
        answer, place = b"", self._place(path)
        for first in range(0, len(content), PIECE):
            piece = content[first : first + PIECE]
            where = f"bytes {first}-{first + len(piece) - 1}/{len(content)}"
            signed = {SIGNATURE_HEADER: signature} if signature else {}
            headers = {"Content-Range": where, "Content-Type": NPZ, **signed}
            status, answer, _ = await self._ask(method, place, data=piece, headers=headers)
            if status not in (200, 202):
                raise _refusal(status, answer)
        return answer

    def _place(self, path: str) -> URL:
        return URL(f"{self._url}{path}", encoded=True)

    async def _json(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        status, content, _ = await self._ask(method, self._place(path), **more)
        if status != 200:
            raise _refusal(status, content)
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            raise WesError(status, mismatch("answer", "a JSON object", "something else"))
        return answer

    async def _ask(
        self, method: str, url: URL, **more: Any
    ) -> tuple[int, bytes, Mapping[str, str]]:
        """Send a request: status, body and headers of the answer. Raises WesError."""
        if self._session is None:
            raise RuntimeError(mismatch("client", "one that was entered", "another"))
        try:
            # a node must not send the network elsewhere, with what it was asked
            sent = self._session.request(method, url, allow_redirects=False, **more)
            async with sent as answer:
                content = await answer.content.read(LARGEST + 1)
                while not answer.content.at_eof() and len(content) <= LARGEST:
                    content += await answer.content.read(LARGEST + 1)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise WesError(0, f"no answer ({cause(error)})") from None
        if len(content) > LARGEST:
            raise WesError(answer.status, mismatch("answer", f"at most {LARGEST} bytes", "more"))
        return answer.status, content, answer.headers


def output_addresses(log: Mapping[str, Any]) -> dict[str, str]:
    """Read the addresses of results from the log of a run.

    WES leaves their form open. Our nodes give a mapping from names to addresses, others a list of
    objects with ``file_name`` and ``file_url``.

    Args:
        log: The log.

    Returns:
        Addresses by name.
    """
    outputs = log.get("outputs") or {}
    if isinstance(outputs, Mapping):
        return {str(name): one for name, one in outputs.items() if isinstance(one, str)}
    files = [one for one in outputs if isinstance(one, Mapping)]
    return {str(one.get("file_name")): str(one.get("file_url")) for one in files}


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    if not isinstance(value, str):
        raise WesError(200, mismatch(key, "a text", shown(value)))
    return value


def _refusal(status: int, content: bytes) -> WesError:
    """Read the message of a refusal: WES's ``msg``, or another form's."""
    try:
        answer = orjson.loads(content)
    except orjson.JSONDecodeError:
        answer = {}
    message = answer.get("msg") or answer.get("detail") if isinstance(answer, dict) else None
    line = str(message or f"status {status}").splitlines()[0]
    return WesError(status, line[:500])
