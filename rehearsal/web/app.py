"""What the HTTP interfaces of the nodes and of the network share.

Routes are found in a dictionary. The size of requests is limited, answers are JSON, and errors have
the form of the protocol that is served.
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

from rehearsal.errors import mismatch, shown
from rehearsal.web.problem import Problem

log = logging.getLogger(__name__)

MAX_BODY = 256 * 1024  # bytes of a request; a long list of filters takes a few thousand
MAX_DRAINED = 64 * 1024 * 1024  # bytes read and dropped, so that the caller receives the refusal
MAX_QUERY_STRING = 16 * 1024
BODY_TIMEOUT_S = 10.0

GET = ("GET",)
POST = ("POST",)
GET_OR_POST = ("GET", "POST")
ROUTE_KEY = "rehearsal.route"  # in the scope: the path with the names of its parameters

Handler = Callable[[Request], Awaitable[Response]]
ErrorBody = Callable[[int, str], dict[str, Any]]  # from status and message


class Json(Response):
    """A response whose body is JSON.

    Args:
        body: The content, of values that orjson can write.
        status: HTTP status.
    """

    def __init__(self, body: Any, status: int = 200) -> None:
        self.body = orjson.dumps(body)
        self.status_code, self.background = status, None
        self.raw_headers = [
            (b"content-length", b"%d" % len(self.body)),
            (b"content-type", b"application/json"),
        ]


@dataclass(slots=True)
class _Place:
    """The handlers of one path. ``names`` are those of its parameters, in order."""

    path: str
    names: tuple[str, ...]
    handlers: dict[str, Handler] = field(default_factory=dict)  # by method


class Api:
    """An ASGI application: a table of routes, and one form of error body.

    A handler takes a request and returns a response, or raises Problem. ``{name}`` in a path stands
    for one step of it, which the handler finds in ``request.path_params``. A path without
    parameters takes precedence over one with parameters.

    Args:
        error_body: Builds the protocol's error body from an HTTP status and a message.
        name: What the service is called in the message of an internal error, for example "node".
    """

    def __init__(self, error_body: ErrorBody, name: str) -> None:
        self._error_body, self._name = error_body, name
        self._plain: dict[str, _Place] = {}
        self._patterns: dict[str, _Place] = {}  # by path, with {} for each parameter
        self._shapes: dict[int, list[frozenset[int]]] = {}  # places of parameters, by steps
        self._mounts: list[Mount] = []

    def add(self, path: str, handler: Handler, methods: Collection[str] = GET) -> None:
        """Register the handler of a path.

        Args:
            path: The path, with ``{name}`` for each parameter.
            handler: Takes a request and returns a response, or raises Problem.
            methods: HTTP methods that it handles. GET includes HEAD.
        """
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
        """Serve another ASGI application below a path.

        Routes of this application take precedence.

        Args:
            prefix: The path below which it answers.
            app: The application.
        """
        self._mounts.append(Mount(prefix, app))

    def routes(self) -> set[tuple[str, str]]:
        """List path and method of everything that is served.

        Returns:
            Pairs of path and method. HEAD belongs to GET and is left out.
        """
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
            path = scope["path"]
            if prefix := scope.get("root_path"):  # ASGI has it in the path too
                path = path[len(prefix) :] or "/"
            place, values = self._place(path)
            if place is None and await self._answered_below(scope, receive, send):
                return
            response = await _handler(place, scope, values)(request)
        except (Problem, HTTPException) as problem:
            response = self._refused(request, problem)
        except Exception as error:  # an internal error: reported without details
            log.error("%s %s", request.method, request.url.path, exc_info=error)
            body = self._error_body(500, f"The {self._name} failed to answer.")
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
            if status == 401:  # RFC 6750: says whether a token was refused or none was sent
                fault = ' error="invalid_token"' if "authorization" in request.headers else ""
                headers["www-authenticate"] = f"Bearer{fault}"
        else:
            status, headers = problem.status_code, dict(problem.headers or {})
            message = explain_refusal(request, problem)
        response = Json(self._error_body(status, message), status)
        response.headers.update(headers)
        return response


def explain_refusal(
    request: Request, problem: HTTPException, paths: str = "one of the paths that /map lists"
) -> str:
    """Build the message for a path or method that is not served.

    Args:
        request: The request.
        problem: The refusal of the framework.
        paths: The paths that are served, as a noun phrase.

    Returns:
        The message; the framework's own for any other refusal.
    """
    if problem.status_code == 404:
        return mismatch("the path", paths, shown(request.url.path))
    if problem.status_code == 405:
        headers = {name.lower(): value for name, value in (problem.headers or {}).items()}
        allowed = sorted(headers.get("allow", "another method").split(", "))
        return mismatch("the method", " or ".join(allowed), request.method)
    return problem.detail


def _pattern(steps: list[str], at: frozenset[int]) -> str:
    return "/".join("{}" if i in at else step for i, step in enumerate(steps))


def _handler(place: _Place | None, scope: Any, values: dict[str, str]) -> Handler:
    """Find the handler of a request at a place. Raises HTTPException (404, 405)."""
    if place is None:
        raise HTTPException(404)
    scope["path_params"], scope[ROUTE_KEY] = values, place.path
    handler = place.handlers.get(scope["method"])
    if handler is None:
        raise HTTPException(405, headers={"allow": ", ".join(sorted(place.handlers))})
    return handler


def base_url(request: Request) -> str:
    """Return the base URL by which the caller reached the service.

    Args:
        request: The request.

    Returns:
        The URL without a slash at the end.
    """
    return str(request.base_url).rstrip("/")


async def read_body(request: Request) -> bytes:
    """Read the body of a request.

    Args:
        request: The request.

    Returns:
        The whole body.

    Raises:
        Problem: The body is too long (413), too slow (408), compressed (415) or cut off (400).
    """
    for name, value in request.scope["headers"]:
        if name == b"content-encoding" and value != b"identity":
            raise Problem.mismatch(
                "content-encoding", "no encoding", shown(value.decode("latin-1")), 415
            )
    try:
        async with asyncio.timeout(BODY_TIMEOUT_S):
            return await _whole_body(request.receive)
    except TimeoutError:
        expected = f"the whole body within {BODY_TIMEOUT_S:g} s"
        raise Problem.mismatch("the body", expected, "only a part of it", 408) from None


async def _whole_body(receive: Callable[[], Awaitable[Any]]) -> bytes:
    chunks: list[bytes] = []
    size = 0
    more = True
    while more and size <= MAX_DRAINED:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Problem.mismatch("the body", "a whole body", "a closed connection", 400)
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        more = message.get("more_body", False)
    if size > MAX_BODY:
        raise Problem.mismatch("the body", f"at most {MAX_BODY} bytes", "more", 413)
    return b"".join(chunks)


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """List the parameters of the URL.

    Args:
        request: The request.

    Returns:
        Names and values, in the order of the URL.

    Raises:
        Problem: The query string is too long (414).
    """
    if len(request.scope["query_string"]) > MAX_QUERY_STRING:
        expected = f"at most {MAX_QUERY_STRING} bytes"
        raise Problem.mismatch(
            "the query string", expected, f"{len(request.scope['query_string'])} bytes", 414
        )
    return request.query_params.multi_items()
