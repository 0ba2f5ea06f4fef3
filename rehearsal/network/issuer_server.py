"""The issuer as a service: discovery, keys, userinfo and token exchange (GA4GH AAI 1.2).

There is no log-in: the owner of the folder issues tokens (``rehearsal token``). The service
provides what nodes and clients need of an issuer afterwards.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from starlette.requests import Request
from starlette.responses import Response

from rehearsal import __version__
from rehearsal.errors import mismatch, shown
from rehearsal.network.issuer import ALGORITHMS, Issuer, open_issuer
from rehearsal.network.tokens import (
    HOUR_S,
    Person,
    known_person,
    oversize,
    sign_tokens,
    sign_visas,
)
from rehearsal.node.access.issuer_keys import usable_keys
from rehearsal.node.access.token_format import ACCESS_TYPES, MAX_TOKEN, PASSPORT
from rehearsal.node.beacon.info_endpoints import ORGANIZATION_URL
from rehearsal.web.address import ServiceAddress
from rehearsal.web.app import GET_OR_POST, HEALTH, POST, Api, Json, base_url
from rehearsal.web.forwarded import may_carry_token
from rehearsal.web.problem import Problem
from rehearsal.web.rate_limit import RateLimit
from rehearsal.web.request_limits import read_body
from rehearsal.web.server import ReplaceableApp, listening, run, serve_app

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # RFC 8693
PASSPORT_TOKEN = "urn:ga4gh:params:oauth:token-type:passport"
TARGETS = ("resource", "audience")  # of an exchange: RFC 8693, 2.1 and 2.2.2
MOST_FIELDS = 100  # of a form


def issuer_app(issuer: Issuer, requests_per_s: float = 0.0) -> Api:
    """Build the service of an issuer. New visas of a person apply from their next request on.

    Args:
        issuer: The issuer.
        requests_per_s: Requests that one address may send per second; 0: any number.

    Returns:
        The ASGI application.
    """

    async def discovery(request: Request) -> Response:
        # clients send tokens there, so no address will do that only a caller names
        base = base_url(request) if may_carry_token(request.scope) else issuer.url.rstrip("/")
        return Json(
            {
                "issuer": issuer.url,
                "jwks_uri": f"{base}/jwks",
                "userinfo_endpoint": f"{base}/userinfo",
                "token_endpoint": f"{base}/token",
                "token_endpoint_auth_methods_supported": ["none"],
                "grant_types_supported": [EXCHANGE],
                "scopes_supported": ["openid", PASSPORT],
                "claims_supported": ["sub", PASSPORT],
                "id_token_signing_alg_values_supported": list(ALGORITHMS),
                "subject_types_supported": ["public"],
                "response_types_supported": [],
            }
        )

    async def keys(request: Request) -> Response:
        return Json(issuer.jwks())

    async def userinfo(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = _claims(issuer, token) if scheme.lower() == "bearer" else None
        who = None if claims is None else known_person(issuer, claims["sub"])
        if who is None:
            response = Json({"error": "invalid_token"}, 401)
            response.headers["www-authenticate"] = "Bearer"
            return response
        return Json({"sub": who.subject, PASSPORT: sign_visas(issuer, who)})

    async def token(request: Request) -> Response:
        raw = await read_body(request, 2 * MAX_TOKEN)
        response = _exchange_token(issuer, _form(raw))
        response.headers["cache-control"] = "no-store"  # RFC 6749, 5.1
        response.headers["pragma"] = "no-cache"
        return response

    async def about(request: Request) -> Response:
        return Json(service_info(issuer))

    async def health(request: Request) -> Response:
        return Json({"status": "ok"})

    paths = "a path of the issuer, such as /.well-known/openid-configuration"
    api = Api(_error_body, "issuer", RateLimit(requests_per_s), paths)
    api.add("/.well-known/openid-configuration", discovery)
    api.add("/jwks", keys)
    api.add("/userinfo", userinfo, GET_OR_POST)
    api.add("/token", token, POST)
    api.add("/service-info", about)
    api.add(HEALTH, health)
    return api


def service_info(issuer: Issuer) -> dict[str, Any]:
    """Build the GA4GH service-info of an issuer.

    GA4GH has registered no artifact for brokers; the name is that of its starter kit's.

    Args:
        issuer: The issuer.

    Returns:
        The description.
    """
    host = urlsplit(issuer.url).hostname or "localhost"
    return {
        "id": ".".join(reversed(host.split("."))),
        "name": "Rehearsal issuer",
        "description": "Signs visas and passports of people who do not exist.",
        "type": {"group": "org.ga4gh", "artifact": "passport-broker", "version": "1.2.0"},
        "organization": {"name": "Rehearsal", "url": ORGANIZATION_URL},
        "version": __version__,
        "environment": "test",
        "url": issuer.url,
    }


def _error_body(status: int, message: str) -> dict[str, Any]:
    """Build the error of OAuth 2.0 (RFC 6749, 5.2) for a refusal that no endpoint explains."""
    code = "invalid_request" if status < 500 else "server_error"
    return {"error": code, "error_description": message}


def _form(raw: bytes) -> dict[str, list[str]]:
    """Read a form. Raises Problem (400) when it has too many fields."""
    try:
        return parse_qs(raw.decode("utf-8", "replace"), max_num_fields=MOST_FIELDS)
    except ValueError:
        expected = f"at most {MOST_FIELDS} fields"
        raise Problem.mismatch("the body", expected, "more") from None


def _exchange_token(issuer: Issuer, given: Mapping[str, list[str]]) -> Response:
    """Exchange an access token for a passport of the same audience that expires no later."""
    form = _single_values(given)
    if form.get("grant_type") != EXCHANGE:
        return _value_error("unsupported_grant_type", "grant_type", EXCHANGE, given)
    if form.get("requested_token_type") != PASSPORT_TOKEN:
        return _value_error("invalid_request", "requested_token_type", PASSPORT_TOKEN, given)
    claims = _claims(issuer, form.get("subject_token", ""))
    who = None if claims is None else known_person(issuer, claims["sub"])
    if claims is None or who is None:
        return _exchange_error("invalid_grant")
    audience = _audience(claims)
    if (foreign := _foreign_target(given, audience)) is not None:
        expected = "audiences of the token that is exchanged"
        return _value_error("invalid_target", foreign, expected, given)
    wanted = [one for name in TARGETS for one in given.get(name, [])]
    return _passport_response(
        issuer, who, list(dict.fromkeys(wanted)) or audience, int(claims["exp"])
    )


def _foreign_target(given: Mapping[str, list[str]], audience: list[str]) -> str | None:
    """Return the parameter that names somebody whom the token is not for; None: none does."""
    if not audience:
        return TARGETS[0]
    return next((one for one in TARGETS if not set(given.get(one, [])) <= set(audience)), None)


def _single_values(given: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in given.items() if len(values) == 1}


def _passport_response(
    issuer: Issuer, who: Person, audience: list[str], expires_at: int
) -> Response:
    now = int(time.time())
    passport = sign_tokens(issuer, who, audience, min(HOUR_S, expires_at - now), now=now).passport
    if (fault := oversize(who, passport)) is not None:
        description = mismatch(PASSPORT, *fault)
        return Json({"error": "invalid_request", "error_description": description}, 400)
    return Json(
        {
            "access_token": passport,
            "issued_token_type": PASSPORT_TOKEN,
            "token_type": "Bearer",
        }
    )


def _exchange_error(code: str) -> Response:
    return Json({"error": code}, 400)


def _value_error(code: str, name: str, expected: str, given: Mapping[str, list[str]]) -> Response:
    """The error of OAuth 2.0 for one parameter, with a description in the one form of errors."""
    values = given.get(name, [])
    found = "nothing" if not values else ", ".join(map(shown, values[:2]))
    description = mismatch(name, expected, found)
    return Json({"error": code, "error_description": description}, 400)


def _audience(claims: Mapping[str, Any]) -> list[str]:
    """List the audience of a token. An exchange never widens it."""
    audience = claims.get("aud") or []
    return [audience] if isinstance(audience, str) else list(audience)


def _claims(issuer: Issuer, token: str) -> dict[str, Any] | None:
    """Verify an access token of this issuer and return its claims; None for anything else."""
    if len(token) > MAX_TOKEN:
        return None
    try:
        header = jwt.get_unverified_header(token)
        key = usable_keys(issuer.jwks()).get(str(header.get("kid")))
        if key is None or str(header.get("typ", "")).lower() not in ACCESS_TYPES:
            return None
        return jwt.decode(
            token,
            key,
            algorithms=[key.algorithm_name],
            issuer=issuer.url,
            options={"require": ["exp", "iat", "iss", "sub", "scope"], "verify_aud": False},
        )
    except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError):
        return None  # PyJWT itself fails on times without end


def serve(
    folder: Path,
    address: ServiceAddress,
) -> None:
    """Serve an issuer until SIGTERM or SIGINT, or until a launcher that started it ends.

    Args:
        folder: Folder of the issuer.
        address: Where to listen, and how callers reach it.

    Raises:
        InputError: The folder or the address cannot be used.
    """

    def app() -> Api:
        return issuer_app(open_issuer(folder), address.requests_per_s)

    def reload() -> None:
        served.app = app()

    first = app()
    address.check_prefix("rehearsal issuer serve", first.routes())
    served = ReplaceableApp(first)
    with listening(address.host, address.port) as listener:
        run(serve_app(served, listener, address, "issuer", reload))
