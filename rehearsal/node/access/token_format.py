"""The parts of signed tokens, before anybody is believed (GA4GH AAI 1.2, RFC 7519).

What a token says is read here as it stands there; :mod:`rehearsal.node.access.tokens` verifies it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

import jwt

from rehearsal.node.access.settings import IssuerSettings
from rehearsal.node.access.visas import Visa

ALGORITHMS = ("RS256", "ES256")
ACCESS_TYPES = ("jwt", "at+jwt")  # RFC 9068; AAI lets "JWT" stand
PASSPORT_TYPE = "vnd.ga4gh.passport+jwt"
VISA_TOKEN_TYPES = ("jwt", "vnd.ga4gh.visa+jwt")
PASSPORT, VISA = "ga4gh_passport_v1", "ga4gh_visa_v1"
ASSERTED_BY = (None, "self", "peer", "system", "so", "dac")

MAX_TOKEN = 32 * 1024  # bytes; a passport with a dozen visas takes 12,000
MAX_VISA = 8 * 1024
MAX_VISAS = 50
MAX_TEXT = 255
LEEWAY_S = 30  # clocks that differ by so much are taken as equal
FORBIDDEN = frozenset({"crit", "jwk", "x5u", "x5c", "b64", "zip", "enc"})


class TokenRefused(Exception):  # noqa: N818 - a refusal, not an error of ours
    """A token that is not believed. ``rule`` is for the audit log, never for the caller."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def read_unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand there. Raises TokenRefused for what is no signed JWT."""
    try:
        whole = jwt.decode_complete(text, options={"verify_signature": False})
        header, claims = whole["header"], whole["payload"]
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as error:
        raise TokenRefused("no token") from error
    return header, claims


def token_type(header: Mapping[str, Any]) -> str:
    """The media type that a header names, without ``application/``."""
    return str(header.get("typ", "JWT")).lower().removeprefix("application/")


def read_header(header: Mapping[str, Any], issuer: IssuerSettings) -> tuple[str, str]:
    """Algorithm and key name. Raises TokenRefused for a header that would be unsafe to follow."""
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused("algorithm that is not taken")
    if FORBIDDEN & set(header):
        raise TokenRefused("header that is not taken")
    kid = header.get("kid")
    if not is_text(kid):
        raise TokenRefused("no key named")
    if header.get("jku") is not None and header["jku"] != issuer.key_address:
        raise TokenRefused("foreign jku")
    return algorithm, kid


def read_list_of_visas(value: Any) -> list[str]:
    """The visas of a passport, each a token. Raises TokenRefused."""
    if not isinstance(value, list) or len(value) > MAX_VISAS:
        raise TokenRefused("passport without a list of visas")
    if not all(isinstance(one, str) for one in value):
        raise TokenRefused("passport with visas that are no text")
    return value


def read_visa(claims: Mapping[str, Any], now: float) -> Visa:
    """The visa among the claims of its token. Raises TokenRefused."""
    stated = claims.get(VISA)
    if not isinstance(stated, dict):
        raise TokenRefused("visa without its object")
    if stated.get("conditions"):
        # conditions restrict a visa: one that is not understood must not be overlooked
        raise TokenRefused("visa with conditions")
    if not all(is_text(stated.get(name)) for name in ("type", "value", "source")):
        raise TokenRefused("visa without type, value or source")
    if not is_number(stated.get("asserted")) or stated["asserted"] > now + LEEWAY_S:
        raise TokenRefused("visa without a time of assertion")
    by = stated.get("by")
    if by not in ASSERTED_BY:
        raise TokenRefused("visa asserted by an unknown kind of source")
    return Visa(
        claims["iss"],
        claims["sub"],
        stated["type"],
        stated["value"],
        stated["source"],
        by,
        float(claims["exp"]),
    )


def is_text(value: Any) -> TypeGuard[str]:
    """Whether a value is a short printable text."""
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()


def is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
