"""What the HTTP interfaces of the node and of the network share.

Routes found by dictionary, limits on what is read, answers in JSON, refusals in the words of the
protocol that is served.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from rehearsal.web.problem import Problem

log = logging.getLogger(__name__)

MAX_BODY = 256 * 1024  # bytes of a request; a long list of filters takes a few thousand
MAX_DRAINED = 64 * 1024 * 1024  # read and thrown away, so that the caller gets to see the refusal
MAX_QUERY_STRING = 16 * 1024
BODY_TIMEOUT_S = 10.0

GET = ("GET",)
POST = ("POST",)
GET_OR_POST = ("GET", "POST")
ROUTE_KEY = "rehearsal.route"  # in the scope: the path with what varies named only

Handler = Callable[[Request], Awaitable[Response]]
ErrorBody = Callable[[int, str], dict[str, Any]]  # from a status and a message


class Json(Response):
    """An answer in JSON."""

    def __init__(self, body: Any, status: int = 200) -> None:
        self.body = orjson.dumps(body)
        self.status_code, self.background = status, None
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"application/json"),
        ]


@dataclass(slots=True)
class _Place:
    """What answers at one path. ``names``: of the parameters in it, in order."""

    path: str
    names: tuple[str, ...]
    handlers: dict[str, Handler] = field(default_factory=dict)  # by method


class Api:
    """An ASGI application: a table of routes, and an error body for whatever goes wrong.

    A handler takes a request and gives a response, or raises Problem. ``{name}`` in a path
    stands for one step of it, which the handler finds in ``request.path_params``; a path without
    parameters goes before one with. ``error_body`` makes the protocol's error of a status and a
    message. ``name``: what a fault is told of, "node" say.
    """

    def __init__(self, error_body: ErrorBody, name: str) -> None:
        self._error_body, self._name = error_body, name
        self._plain: dict[str, _Place] = {}
        self._patterns: dict[str, _Place] = {}  # by path, with {} for each parameter
        self._shapes: dict[int, list[frozenset[int]]] = {}  # where parameters stand, by steps
        self._mounts: list[Mount] = []

    def add(self, path: str, handler: Handler, methods: Collection[str] = GET) -> None:
        """Let a handler answer at a path."""
        steps = path.split("/")
        at = frozenset(i for i, step in enumerate(steps) if step.startswith("{"))
        key = _pattern(steps, at)
        place = (self._patterns if at else self._plain).setdefault(
            key, _Place(path, tuple(steps[i][1:-1] for i in sorted(at)))
        )
        place.handlers.update(dict.fromkeys(methods, handler))
        if "GET" in methods:
            place.handlers["HEAD"] = handler
        shapes = self._shapes.setdefault(len(steps), [])
        if at and at not in shapes:
            shapes.append(at)

    def mount(self, prefix: str, app: Any) -> None:
        """Let another application answer below a path that no route of ours has."""
        self._mounts.append(Mount(prefix, app))

    def routes(self) -> set[tuple[str, str]]:
        """Path and method of all that is served; HEAD goes with GET and is not named."""
        places = [*self._plain.values(), *self._patterns.values()]
        served: list[tuple[str, Collection[str]]] = [
            (place.path, place.handlers) for place in places
        ]
        for mount in self._mounts:
            below = [route for route in mount.routes if isinstance(route, Route)]
            served += [(mount.path + route.path, route.methods or ()) for route in below]
        return {(path, method) for path, methods in served for method in methods} - {
            (path, "HEAD") for path, _ in served
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        fault = None
        try:
            place, values = self._place(scope["path"])
            if place is None and await self._answered_below(scope, receive, send):
                return
            response = await _handler(place, scope, values)(request)
        except (Problem, HTTPException) as problem:
            response = self._refused(request, problem)
        except Exception as error:  # a fault of ours: told as such, without its insides
            log.error("%s %s", request.method, request.url.path, exc_info=error)
            body = self._error_body(500, f"the {self._name} failed to answer")
            fault, response = error, Json(body, 500)
        await response(scope, receive, send)
        if fault is not None:
            raise fault

    def _place(self, path: str) -> tuple[_Place | None, dict[str, str]]:
        place = self._plain.get(path)
        if place is not None:
            return place, {}
        steps = path.split("/")
        for at in self._shapes.get(len(steps), ()):
            place = self._patterns.get(_pattern(steps, at))
            values = [steps[i] for i in sorted(at)]
            if place is not None and all(values):
                return place, dict(zip(place.names, values, strict=True))
        return self._place(path[:-1]) if len(path) > 1 and path.endswith("/") else (None, {})

    async def _answered_below(self, scope: Any, receive: Any, send: Any) -> bool:
        for mount in self._mounts:
            match, child_scope = mount.matches(scope)
            if match.value:
                scope.update(child_scope)
                await mount.handle(scope, receive, send)
                return True
        return False

    def _refused(self, request: Request, problem: Problem | HTTPException) -> Response:
        if isinstance(problem, Problem):
            status, message, headers = problem.status, problem.message, dict(problem.headers)
            if status == 401:  # RFC 6750: a token that was shown and refused, or none
                shown = ' error="invalid_token"' if "authorization" in request.headers else ""
                headers["www-authenticate"] = f"Bearer{shown}"
        else:
            status, headers = problem.status_code, dict(problem.headers or {})
            message = {
                404: "there is nothing at this path; see /map",
                405: f"{request.method} is not possible at this path",
            }.get(status, problem.detail)
        response = Json(self._error_body(status, message), status)
        response.headers.update(headers)
        return response


def _pattern(steps: list[str], at: frozenset[int]) -> str:
    return "/".join("{}" if i in at else step for i, step in enumerate(steps))


def _handler(place: _Place | None, scope: Any, values: dict[str, str]) -> Handler:
    """What answers a request at a place. Raises HTTPException (404, 405)."""
    if place is None:
        raise HTTPException(404)
    scope["path_params"], scope[ROUTE_KEY] = values, place.path
    handler = place.handlers.get(scope["method"])
    if handler is None:
        raise HTTPException(405, headers={"allow": ", ".join(sorted(place.handlers))})
    return handler


def base_url(request: Request) -> str:
    """The address under which the caller asked, without a slash at its end."""
    return str(request.base_url).rstrip("/")


async def read_body(request: Request) -> bytes:
    """The body, unless it is too long, too slow or compressed. Raises Problem."""
    for name, value in request.scope["headers"]:
        if name == b"content-encoding" and value != b"identity":
            raise Problem("content-encoding: send the body as it is", 415)
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _whole_body(request.receive)
    except TimeoutError:
        raise Problem(f"the body took longer than {BODY_TIMEOUT_S:g} s", 408) from None


async def _whole_body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    chunks: list[bytes] = []
    size = 0
    more = True
    while more and size <= MAX_DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem("the caller went away", 400)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        more = message.get("more_body", False)
    if size > MAX_BODY:
        raise Problem(f"the body is longer than {MAX_BODY} bytes", 413)
    return b"".join(chunks)


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """The URL's parameters, unless there are too many. Raises Problem."""
    if len(request.scope["query_string"]) > MAX_QUERY_STRING:
        raise Problem(f"the URL's parameters are longer than {MAX_QUERY_STRING} bytes", 414)
    return request.query_params.multi_items()
