"""The issuer as a service: discovery, keys, userinfo and token exchange (GA4GH AAI 1.2).

There is no log-in: tokens are handed out by whoever holds the folder (``rehearsal token``). What
is served is what nodes and clients need of an issuer afterwards.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from rehearsal.network.issuer import (
    ALGORITHMS,
    HOUR_S,
    Issuer,
    Person,
    known_person,
    open_issuer,
    sign_tokens,
    sign_visas,
)
from rehearsal.node.access.issuer_keys import usable_keys
from rehearsal.node.access.token_format import ACCESS_TYPES, MAX_TOKEN, PASSPORT
from rehearsal.web.server import listening, run, serve_app, url_of

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # RFC 8693
PASSPORT_TOKEN = "urn:ga4gh:params:oauth:token-type:passport"


def issuer_app(issuer: Issuer) -> Starlette:
    """The service of one issuer. People who were given new visas have them at their next call."""

    async def discovery(request: Request) -> Response:
        base = str(request.base_url).rstrip("/")
        return JSONResponse(
            {
                "issuer": issuer.url,
                "jwks_uri": f"{base}/jwks",
                "userinfo_endpoint": f"{base}/userinfo",
                "token_endpoint": f"{base}/token",
                "grant_types_supported": [EXCHANGE],
                "scopes_supported": ["openid", PASSPORT],
                "claims_supported": ["sub", PASSPORT],
                "id_token_signing_alg_values_supported": list(ALGORITHMS),
                "subject_types_supported": ["public"],
                "response_types_supported": [],
            }
        )

    async def keys(request: Request) -> Response:
        return JSONResponse(issuer.jwks())

    async def userinfo(request: Request) -> Response:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        claims = _claims(issuer, token) if scheme.lower() == "bearer" else None
        who = None if claims is None else known_person(issuer, claims["sub"])
        if who is None:
            headers = {"WWW-Authenticate": "Bearer"}
            return JSONResponse({"error": "invalid_token"}, 401, headers)
        return JSONResponse({"sub": who.subject, PASSPORT: sign_visas(issuer, who)})

    async def token(request: Request) -> Response:
        given = parse_qs((await _limited(request)).decode("utf-8", "replace"))
        return _exchange_token(issuer, given)

    async def about(request: Request) -> Response:
        return JSONResponse({"id": issuer.url, "name": "Rehearsal issuer", "synthetic": True})

    return Starlette(
        routes=[
            Route("/.well-known/openid-configuration", discovery),
            Route("/jwks", keys),
            Route("/userinfo", userinfo, methods=["GET", "POST"]),
            Route("/token", token, methods=["POST"]),
            Route("/service-info", about),
        ]
    )


def _exchange_token(issuer: Issuer, given: Mapping[str, list[str]]) -> Response:
    """A passport for an access token: for nobody whom the token was not for, and no longer."""
    form = _single_values(given)
    if form.get("grant_type") != EXCHANGE:
        return _exchange_error("unsupported_grant_type")
    if form.get("requested_token_type") != PASSPORT_TOKEN:
        return _exchange_error("invalid_request")
    claims = _claims(issuer, form.get("subject_token", ""))
    who = None if claims is None else known_person(issuer, claims["sub"])
    if claims is None or who is None:
        return _exchange_error("invalid_grant")
    audience = _audience(claims)
    wanted = given.get("resource") or audience
    if not wanted or not set(wanted) <= set(audience):
        return _exchange_error("invalid_target")  # RFC 8707
    return _passport_response(issuer, who, wanted, int(claims["exp"]))


def _single_values(given: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in given.items() if len(values) == 1}


def _passport_response(
    issuer: Issuer, who: Person, audience: list[str], expires_at: int
) -> Response:
    now = int(time.time())
    passport = sign_tokens(issuer, who, audience, min(HOUR_S, expires_at - now), now=now).passport
    return JSONResponse(
        {
            "access_token": passport,
            "issued_token_type": PASSPORT_TOKEN,
            "token_type": "Bearer",
        }
    )


def _exchange_error(code: str) -> Response:
    return JSONResponse({"error": code}, 400)


def _audience(claims: Mapping[str, Any]) -> list[str]:
    """Whom a token is for: an exchange never makes it be for anybody else."""
    audience = claims.get("aud") or []
    return [audience] if isinstance(audience, str) else list(audience)


async def _limited(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > 2 * MAX_TOKEN:
            return b""
    return bytes(body)


def _claims(issuer: Issuer, token: str) -> dict[str, Any] | None:
    """The claims of an access token of this issuer; None for anything else."""
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
    except jwt.InvalidTokenError:
        return None


def serve(
    folder: Path,
    host: str = "127.0.0.1",
    port: int = 0,
    endpoint_file: Path | None = None,
) -> None:
    """Serve an issuer's folder until SIGTERM or SIGINT, or until the parent is gone.

    ``port`` 0 takes a free one; ``endpoint_file`` receives ``{"country": "issuer", "url", "pid"}``.
    Raises InputError for a folder or an address that cannot be used.
    """
    app = issuer_app(open_issuer(folder))
    with listening(host, port) as listener:
        endpoint = {"country": "issuer", "url": url_of(listener), "pid": os.getpid()}
        run(serve_app(app, listener, endpoint, endpoint_file))
