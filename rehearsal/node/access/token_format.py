"""The parts of signed tokens before verification (GA4GH AAI 1.2, RFC 7519).

The claims are read as they are. :mod:`rehearsal.node.access.tokens` verifies them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, TypeGuard

import jwt

from rehearsal.errors import mismatch
from rehearsal.node.access.settings import IssuerSettings
from rehearsal.node.access.visas import Visa
from rehearsal.web.request_limits import MAX_TOKEN as MAX_TOKEN

ALGORITHMS = ("RS256", "ES256")
ACCESS_TYPES = ("jwt", "at+jwt")  # RFC 9068; AAI also allows "JWT"
PASSPORT_TYPE = "vnd.ga4gh.passport+jwt"
VISA_TOKEN_TYPES = ("jwt", "vnd.ga4gh.visa+jwt")
PASSPORT, VISA = "ga4gh_passport_v1", "ga4gh_visa_v1"
ASSERTED_BY = (None, "self", "peer", "system", "so", "dac")

MAX_VISA = 8 * 1024  # bytes
# per caller: about sixty fit into a passport of 64 kB, more come from the issuer's userinfo
MAX_VISAS = 200
MAX_TEXT = 255  # characters of a claim
LEEWAY_S = 30  # tolerated difference between clocks
FORBIDDEN = frozenset({"crit", "jwk", "x5u", "x5c", "b64", "zip", "enc"})


class TokenRefused(Exception):  # noqa: N818 - a refusal, not an error of ours
    """A token or visa that is not accepted.

    Args:
        rule: The reason, for the audit log. The caller never sees it.
        message: What the caller may know. None: that the token is not accepted.
    """

    def __init__(self, rule: str, message: str | None = None) -> None:
        super().__init__(rule)
        self.rule, self.message = rule, message


def read_unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Decode a token without verifying it.

    Args:
        text: The token.

    Returns:
        Header and claims.

    Raises:
        TokenRefused: The text is not a signed JWT.
    """
    try:
        whole = jwt.decode_complete(text, options={"verify_signature": False})
        header, claims = whole["header"], whole["payload"]
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as error:
        raise TokenRefused("not a JWT") from error
    return header, claims


def token_type(header: Mapping[str, Any]) -> str:
    """Return the media type in a token's header, without ``application/``, in lower case.

    Args:
        header: The token's header. Without ``typ`` it is a ``jwt``.
    """
    return str(header.get("typ", "JWT")).lower().removeprefix("application/")


def read_header(header: Mapping[str, Any], issuer: IssuerSettings) -> tuple[str, str]:
    """Read algorithm and key name from a token's header.

    Args:
        header: The token's header.
        issuer: The allow-list's entry of the token's issuer.

    Returns:
        ``alg`` and ``kid``.

    Raises:
        TokenRefused: The header has an unsupported algorithm or parameter, no ``kid``, or a ``jku``
            that the issuer's entry does not allow.
    """
    algorithm = header.get("alg")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise TokenRefused("unsupported algorithm")
    if FORBIDDEN & set(header):
        raise TokenRefused("forbidden header parameter")
    kid = header.get("kid")
    if not is_text(kid):
        raise TokenRefused("no kid")
    if header.get("jku") is not None and header["jku"] != issuer.key_address:
        raise TokenRefused("foreign jku")
    return algorithm, kid


def read_list_of_visas(value: Any) -> list[str]:
    """Read the visas of a passport.

    Args:
        value: The claim ``ga4gh_passport_v1``.

    Returns:
        The visas, each a token.

    Raises:
        TokenRefused: The value is not a list of at most 200 texts.
    """
    if not isinstance(value, list):
        raise TokenRefused("passport without a list of visas")
    if len(value) > MAX_VISAS:
        message = mismatch(PASSPORT, f"at most {MAX_VISAS} visas", str(len(value)))
        raise TokenRefused("too many visas", message)
    if not all(isinstance(one, str) for one in value):
        raise TokenRefused("passport with visas that are not text")
    return value


def read_visa(claims: Mapping[str, Any], now: float) -> Visa:
    """Read the visa in the claims of its token.

    Args:
        claims: The token's verified claims.
        now: The time, in seconds since 1970.

    Returns:
        The visa.

    Raises:
        TokenRefused: The visa is incomplete, asserted in the future, or has conditions.
    """
    stated = claims.get(VISA)
    if not isinstance(stated, dict):
        raise TokenRefused("visa without ga4gh_visa_v1")
    if stated.get("conditions"):
        # conditions restrict a visa; this node supports none, so it must not ignore them
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
    """Tell whether a value is a printable text of 1 to 255 characters.

    Args:
        value: Any value of a claim.
    """
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()


def is_number(value: Any) -> bool:
    """Tell whether a value is a finite number.

    Args:
        value: Any value of a claim.
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number above every float
        return False
