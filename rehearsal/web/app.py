"""What the HTTP interfaces of the nodes and of the network share.

Routes are found in a dictionary. The size of requests is limited, answers are JSON, and errors have
the form of the protocol that is served.
"""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

from rehearsal.errors import mismatch, shown
from rehearsal.web.cross_origin import is_from_another_site, shared_with_all_sites
from rehearsal.web.problem import Problem
from rehearsal.web.rate_limit import RateLimit
from rehearsal.web.request_limits import check_head, has_body

log = logging.getLogger(__name__)

GET = ("GET",)
POST = ("POST",)
GET_OR_POST = ("GET", "POST")
GET_WITHOUT_BODY = ("GET", "HEAD")
HEALTH = "/health"  # a load balancer is never told that it asks too often
LISTED_PATHS = "one of the paths that /openapi.json lists"
ROUTE_KEY = "rehearsal.route"  # in the scope: the path with the names of its parameters
_DOTS = frozenset({".", ".."})  # steps that stand for no name, RFC 3986, section 3.3
REFUSAL_KEY = "rehearsal.refusal"  # in the scope: the cause of a refusal, for a log
ABORT_KEY = "rehearsal.abort"  # in the scope: closes the connection without what waits to be sent

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
    error_body: ErrorBody | None = None  # None: that of the application


class Api:
    """An ASGI application: a table of routes, and one form of error body.

    A handler takes a request and returns a response, or raises Problem. ``{name}`` in a path stands
    for one step of it, which the handler finds in ``request.path_params``. A path without
    parameters takes precedence over one with parameters.

    Args:
        error_body: Builds the protocol's error body from an HTTP status and a message.
        name: What the service is called in the message of an internal error, for example "node".
        limit: How many requests a caller may send, beside those for :data:`HEALTH`, whose answer
            must be as cheap as a refusal. None: any number.
        paths: The paths that are served, as a noun phrase.
        version: What a path may begin with, for clients that put a version before every path. None:
            nothing.
        is_shared: Tells whether scripts of other sites may read the answers now. None: never.
    """

    def __init__(
        self,
        error_body: ErrorBody,
        name: str,
        limit: RateLimit | None = None,
        paths: str = LISTED_PATHS,
        version: re.Pattern[str] | None = None,
        is_shared: Callable[[], bool] | None = None,
    ) -> None:
        self._is_shared, self._shared = is_shared, shared_with_all_sites(self._respond)
        self._error_body, self._name, self._paths = error_body, name, paths
        self._version = version
        self._admit = limit.admit if limit is not None else None
        self._plain: dict[str, _Place] = {}
        self._patterns: dict[str, _Place] = {}  # by path, with {} for each parameter
        self._shapes: dict[int, list[tuple[int, ...]]] = {}  # places of parameters, by steps
        self._mounts: list[tuple[Mount, ErrorBody]] = []

    def add(
        self,
        path: str,
        handler: Handler,
        methods: Collection[str] = GET,
        error_body: ErrorBody | None = None,
    ) -> None:
        """Register the handler of a path.

        Args:
            path: The path, with ``{name}`` for each parameter.
            handler: Takes a request and returns a response, or raises Problem.
            methods: HTTP methods that it handles. GET includes HEAD.
            error_body: Builds the error body of the path's protocol. None: that of this
                application.
        """
        steps = path.split("/")
        at = tuple(i for i, step in enumerate(steps) if step.startswith("{"))
        key = _pattern(steps, at)
        place = (self._patterns if at else self._plain).setdefault(
            key, _Place(path, tuple(steps[i][1:-1] for i in at))
        )
        place.handlers.update(dict.fromkeys(methods, handler))
        place.error_body = error_body
        if "GET" in methods:
            place.handlers["HEAD"] = handler
        shapes = self._shapes.setdefault(len(steps), [])
        if at and at not in shapes:
            shapes.append(at)

    def mount(self, prefix: str, app: Any, error_body: ErrorBody | None = None) -> None:
        """Serve another ASGI application below a path.

        Routes of this application take precedence.

        Args:
            prefix: The path below which it answers.
            app: The application.
            error_body: Builds the error body of its protocol, for requests that are refused before
                they reach it. None: that of this application.
        """
        self._mounts.append((Mount(prefix, app), error_body or self._error_body))

    def routes(self) -> set[tuple[str, str]]:
        """List path and method of everything that is served.

        Returns:
            Pairs of path and method. HEAD belongs to GET and is left out.
        """
        places = [*self._plain.values(), *self._patterns.values()]
        served: list[tuple[str, Collection[str]]] = [
            (place.path, place.handlers) for place in places
        ]
        for mount, _ in self._mounts:
            below = [route for route in mount.routes if isinstance(route, Route)]
            served += [(mount.path + route.path, route.methods or ()) for route in below]
        return {(path, method) for path, methods in served for method in methods} - {
            (path, "HEAD") for path, _ in served
        }

    # no coroutine of its own, as most requests come from no other site
    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] != "http":
            return _no_answer()
        if self._is_shared and is_from_another_site(scope) and self._is_shared():
            return self._shared(scope, receive, send)
        return self._respond(scope, receive, send)

    async def _respond(self, scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        fault = None
        try:
            check_head(scope)
            path = _path(scope)
            if self._admit is not None and path != HEALTH:
                self._admit(scope)
            place, values = self._place(path)
            if place is None and await self._answered_below(scope, receive, send):
                return
            response = await _handler(place, scope, values)(request)
        except (Problem, HTTPException) as problem:
            response = self._refused(request, problem)
        except sqlite3.OperationalError as error:  # a full disk, or a file that others lock
            log.error("%s %s: %s", request.method, scope["path"], error)
            message = f"The {self._name} cannot use a file of its own now ({error})."
            response = self._refused(request, Problem(message, 503))
        except Exception as error:  # an internal error: reported without details
            log.error("%s %s", request.method, scope["path"], exc_info=error)
            body = self._form(scope)(500, f"The {self._name} failed to answer.")
            fault, response = error, Json(body, 500)
        await response(scope, receive, send)
        if fault is not None:
            raise fault

    def _place(self, path: str) -> tuple[_Place | None, dict[str, str]]:
        place, values = self._find(path)
        if place is None and path.endswith("/"):
            place, values = self._find(path.rstrip("/") or "/")
        if place is None and self._version is not None and (begun := self._version.match(path)):
            return self._find(path[begun.end() :].rstrip("/") or "/")
        return place, values

    def _find(self, path: str) -> tuple[_Place | None, dict[str, str]]:
        place = self._plain.get(path)
        if place is not None:
            return place, {}
        steps = path.split("/")
        for at in self._shapes.get(len(steps), ()):
            place = self._patterns.get(_pattern(steps, at))
            values = [steps[i] for i in at]
            # a step of the path itself may be {}, as if it stood for another parameter
            if place is None or len(values) != len(place.names) or not _DOTS.isdisjoint(values):
                continue
            if all(values):
                return place, dict(zip(place.names, values, strict=True))
        return None, {}

    def _form(self, scope: Any) -> ErrorBody:
        """The form of errors of the protocol that a request speaks, by its path."""
        path = _path(scope)
        for mount, error_body in self._mounts:
            if path.startswith(f"{mount.path}/"):
                return error_body
        place, _ = self._place(path)
        own = None if place is None else place.error_body
        return own or self._error_body

    async def _answered_below(self, scope: Any, receive: Any, send: Any) -> bool:
        for mount, _ in self._mounts:
            match, child_scope = mount.matches(scope)
            if match.value:
                scope.update(child_scope)
                await mount.handle(scope, receive, send)
                return True
        return False

    def _refused(self, request: Request, problem: Problem | HTTPException) -> Response:
        if isinstance(problem, Problem):
            status, message, headers = problem.status, problem.message, dict(problem.headers)
            request.scope[REFUSAL_KEY] = problem.cause
            if status == 401:  # RFC 6750: says whether a token was refused or none was sent
                fault = ' error="invalid_token"' if "authorization" in request.headers else ""
                headers["www-authenticate"] = f"Bearer{fault}"
        else:
            status, headers = problem.status_code, dict(problem.headers or {})
            message = explain_refusal(request, problem, self._paths)
        response = Json(self._form(request.scope)(status, message), status)
        response.headers.update(headers)
        return response


def explain_refusal(request: Request, problem: HTTPException, paths: str = LISTED_PATHS) -> str:
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


async def _no_answer() -> None:
    """Leave messages of another protocol than HTTP without an answer."""


def _path(scope: Any) -> str:
    """The path of a request below the prefix of the service, which ASGI has in the path too."""
    path: str = scope["path"]
    prefix = scope.get("root_path")
    return (path[len(prefix) :] or "/") if prefix else path


def _pattern(steps: list[str], at: Iterable[int]) -> str:
    pattern = steps.copy()
    for i in at:
        pattern[i] = "{}"
    return "/".join(pattern)


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


def query_pairs(request: Request) -> list[tuple[str, str]]:
    """List the parameters of the URL.

    Args:
        request: The request.

    Returns:
        Names and values, in the order of the URL.

    Raises:
        Problem: A GET has a body, which would be ignored (400).
    """
    if request.method in GET_WITHOUT_BODY and has_body(request):
        raise Problem.mismatch("the body", "none, as a GET has its query in the URL", "a body")
    return request.query_params.multi_items()
