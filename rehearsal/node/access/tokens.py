"""Verifies what callers show: access tokens, passports and the visas inside (GA4GH AAI 1.2).

Nothing that a token says is followed before its issuer stands on the node's allow-list and its
header names what that issuer's entry allows; keys and visas come from addresses of the allow-list
only, never from one that a token names. Only RS256 and ES256 are verified.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jwt

from rehearsal.model import InputError
from rehearsal.node.access.settings import IssuerSettings

ALGORITHMS = ("RS256", "ES256")
ACCESS_TYPES = ("jwt", "at+jwt")  # RFC 9068; AAI lets "JWT" stand
PASSPORT_TYPE = "vnd.ga4gh.passport+jwt"
VISA_TYPES = ("jwt", "vnd.ga4gh.visa+jwt")
PASSPORT, VISA = "ga4gh_passport_v1", "ga4gh_visa_v1"
ASSERTED_BY = (None, "self", "peer", "system", "so", "dac")

MAX_TOKEN = 32 * 1024  # bytes; a passport with a dozen visas takes 12,000
MAX_VISA = 8 * 1024
MAX_VISAS = 50
MAX_TEXT = 255
LEEWAY_S = 30  # clocks that differ by so much are taken as equal
RSA_BITS = 2048
CACHED = 4096  # verified tokens
REFETCH_S = 60.0  # keys that lack a kid are asked for again so often at most
BELIEVED_S = 3600.0  # so old may fetched keys become: one that its issuer withdrew goes
FORBIDDEN = frozenset({"crit", "jwk", "x5u", "x5c", "b64", "zip", "enc"})

Fetch = Callable[[str, str | None], Awaitable[Mapping[str, Any]]]  # (address, bearer token)
Identity = tuple[str, str]  # issuer, subject


class TokenRefused(Exception):  # noqa: N818 - a refusal, not an error of ours
    """A token that is not believed. ``rule`` is for the audit log, never for the caller."""

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


@dataclass(frozen=True, slots=True)
class Visa:
    """One verified statement about somebody."""

    issuer: str
    subject: str
    type: str
    value: str
    source: str
    by: str | None
    expires: float


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token belongs to, the visas that count, and until when that is so.

    ``dropped``: rules by which visas were left out, for the audit log. ``digest``: of the token.
    """

    issuer: str
    subject: str
    visas: tuple[Visa, ...]
    expires: float
    dropped: tuple[str, ...] = ()
    digest: bytes = b""

    def values(self, kind: str) -> Iterable[Visa]:
        """The visas of one type."""
        return (visa for visa in self.visas if visa.type == kind)


@dataclass(slots=True)
class _Keys:
    """An issuer's keys by ``kid``, when they were fetched and when last asked for."""

    keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    fetched: float = -math.inf
    tried: float = -math.inf
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Verifier:
    """Believes tokens of the issuers on one allow-list.

    Raises InputError for keys that cannot be used.
    """

    def __init__(
        self,
        issuers: Iterable[IssuerSettings],
        audience: Iterable[str],
        folder: Path | None = None,
        require_audience: bool = True,
        max_age_s: float = 24 * 3600,
        fetch: Fetch | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._issuers = {one.issuer: one for one in issuers}
        self._keys = {one.issuer: _Keys(_configured_keys(one, folder)) for one in issuers}
        self._audience = frozenset(audience)
        self._require_audience, self._max_age_s = require_audience, max_age_s
        self._fetch, self._clock = fetch or fetch_json, clock
        self._cache: OrderedDict[bytes, Caller] = OrderedDict()

    def cached(self, token: str) -> Caller | None:
        """The caller of a token that was verified before and has not expired."""
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        caller = self._cache.get(digest)
        if caller is None:
            return None
        if caller.expires <= self._clock():
            del self._cache[digest]
            return None
        self._cache.move_to_end(digest)
        return caller

    async def verify(self, token: str) -> Caller:
        """Who shows this token. Raises TokenRefused.

        A verified token is believed without another look until it, or the first visa that counts,
        expires.
        """
        known = self.cached(token)
        if known is not None:
            return known
        if len(token) > MAX_TOKEN:
            raise TokenRefused("token too long")
        header, claims = _unverified(token)
        kind = str(header.get("typ", "JWT")).lower().removeprefix("application/")
        if kind not in (*ACCESS_TYPES, PASSPORT_TYPE):
            raise TokenRefused("token of another type")
        issuer = self._trusted(claims)
        if not issuer.identifies:
            raise TokenRefused("issuer that does not identify callers")
        claims = await self._verified(token, header, issuer, self._max_age_s)
        self._check_audience(claims, self._require_audience)
        if kind == PASSPORT_TYPE:
            if VISA in claims:
                raise TokenRefused("visa in the place of a passport")
            visas = _list_of_visas(claims.get(PASSPORT))
        else:
            if PASSPORT in claims or VISA in claims:
                raise TokenRefused("access token that carries visas")
            visas = await self._userinfo(token, issuer, claims["sub"])
        return await self._caller(token, claims, visas)

    async def _caller(self, token: str, claims: Mapping[str, Any], texts: Iterable[str]) -> Caller:
        verified, dropped = [], []
        for text in texts:
            try:
                verified.append(await self._visa(text))
            except TokenRefused as refusal:
                dropped.append(refusal.rule)
        me = (claims["iss"], claims["sub"])
        mine = linked_identities(me, verified)
        counting = tuple(visa for visa in verified if (visa.issuer, visa.subject) in mine)
        dropped += ["visa of another subject"] * (len(verified) - len(counting))
        expires = min([claims["exp"], *(visa.expires for visa in counting)])
        digest = hashlib.sha256(token.encode()).digest()
        caller = Caller(*me, counting, float(expires), tuple(dropped), digest)
        self._cache[digest] = caller
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return caller

    async def _visa(self, text: str) -> Visa:
        """One visa. Raises TokenRefused for any that does not count."""
        if len(text) > MAX_VISA:
            raise TokenRefused("visa too long")
        header, claims = _unverified(text)
        kind = str(header.get("typ", "JWT")).lower().removeprefix("application/")
        if kind not in VISA_TYPES:
            raise TokenRefused("visa of another type of token")
        issuer = self._trusted(claims)
        if header.get("jku") is None and issuer.key_address is not None:
            raise TokenRefused("visa without jku")
        claims = await self._verified(text, header, issuer)
        self._check_audience(claims, required=False)
        scope = claims.get("scope", "")
        if PASSPORT in claims or not isinstance(scope, str) or "openid" in scope.split():
            raise TokenRefused("access token in the place of a visa")
        visa = _visa_object(claims, self._clock())
        if visa.type not in issuer.visas:
            raise TokenRefused("visa of a type that its issuer may not sign")
        return visa

    async def _userinfo(self, token: str, issuer: IssuerSettings, subject: str) -> list[str]:
        """The visas that the issuer gives the owner of an access token."""
        if issuer.userinfo_url is None:
            return []
        try:
            said = await self._fetch(issuer.userinfo_url, token)
        except (OSError, ValueError, TimeoutError) as error:
            raise TokenRefused("userinfo cannot be had") from error
        if said.get("sub") != subject:
            raise TokenRefused("userinfo of another subject")
        return _list_of_visas(said.get(PASSPORT, []))

    def _trusted(self, claims: Mapping[str, Any]) -> IssuerSettings:
        """The allow-list's entry of the issuer that a token names, still unverified."""
        issuer = claims.get("iss")
        found = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if found is None:
            raise TokenRefused("unknown issuer")
        return found

    async def _verified(
        self,
        text: str,
        header: Mapping[str, Any],
        issuer: IssuerSettings,
        max_age_s: float = math.inf,
    ) -> dict[str, Any]:
        """The claims, once header, signature and times are right. Raises TokenRefused."""
        algorithm, kid = _checked_header(header, issuer)
        key = await self._key(issuer, kid)
        if key is None:
            raise TokenRefused("unknown key")
        if key.algorithm_name != algorithm:
            raise TokenRefused("key of another algorithm")
        try:
            claims = jwt.decode(
                text,
                key,
                algorithms=[algorithm],
                options={
                    "require": ["exp", "iat", "iss", "sub"],
                    **{f"verify_{name}": False for name in ("aud", "exp", "iat", "nbf")},
                },
            )
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefused("missing claim") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefused("bad signature or claims") from error
        self._check_times(claims, max_age_s)
        if not _is_text(claims["sub"]) or claims["iss"] != issuer.issuer:
            raise TokenRefused("bad subject or issuer")
        return claims

    def _check_times(self, claims: Mapping[str, Any], max_age_s: float) -> None:
        now = self._clock()
        for name in ("exp", "iat", "nbf"):
            if name in claims and not _is_number(claims[name]):
                raise TokenRefused(f"{name} that is no number")
        if claims["exp"] <= now:
            raise TokenRefused("expired")
        if max(claims["iat"], claims.get("nbf", 0)) > now + LEEWAY_S:
            raise TokenRefused("not yet valid")
        if not 0 < claims["exp"] - claims["iat"] <= max_age_s:
            raise TokenRefused("valid for too long")

    def _check_audience(self, claims: Mapping[str, Any], required: bool) -> None:
        said = claims.get("aud")
        if said is None:
            if required:
                raise TokenRefused("no audience")
            return
        names = said if isinstance(said, list) else [said]
        if not any(isinstance(name, str) and name in self._audience for name in names):
            raise TokenRefused("wrong audience")

    async def _key(self, issuer: IssuerSettings, kid: str) -> jwt.PyJWK | None:
        """The issuer's key; asked for, at the configured address only, when it is not known or
        was fetched long ago. Old keys are not believed when new ones cannot be had."""
        known = self._keys[issuer.issuer]
        if issuer.jwks_url is None or (kid in known.keys and not self._old(known)):
            return known.keys.get(kid)
        async with known.lock:
            asked_again = self._clock() - known.tried >= REFETCH_S
            if asked_again and (kid not in known.keys or self._old(known)):
                known.tried = self._clock()
                try:
                    known.keys = usable_keys(await self._fetch(issuer.jwks_url, None))
                except (OSError, ValueError, TimeoutError) as error:
                    raise TokenRefused("keys cannot be had") from error
                known.fetched = self._clock()
        return None if self._old(known) else known.keys.get(kid)

    def _old(self, known: _Keys) -> bool:
        return self._clock() - known.fetched >= BELIEVED_S


# --- the parts of a token -----------------------------------------------------------------------


def _unverified(text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims as they stand there. Raises TokenRefused for what is no signed JWT."""
    try:
        whole = jwt.decode_complete(text, options={"verify_signature": False})
        header, claims = whole["header"], whole["payload"]
    except (jwt.InvalidTokenError, ValueError, TypeError, RecursionError) as error:
        raise TokenRefused("no token") from error
    return header, claims


def _checked_header(header: Mapping[str, Any], issuer: IssuerSettings) -> tuple[str, str]:
    """Algorithm and key name, when the header holds nothing that would be unsafe to overlook."""
    if header.get("alg") not in ALGORITHMS:
        raise TokenRefused("algorithm that is not taken")
    if FORBIDDEN & set(header):
        raise TokenRefused("header that is not taken")
    kid = header.get("kid")
    if not _is_text(kid):
        raise TokenRefused("no key named")
    if header.get("jku") is not None and header["jku"] != issuer.key_address:
        raise TokenRefused("foreign jku")
    return header["alg"], kid


def _list_of_visas(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_VISAS:
        raise TokenRefused("passport without a list of visas")
    if not all(isinstance(one, str) for one in value):
        raise TokenRefused("passport with visas that are no text")
    return value


def _visa_object(claims: Mapping[str, Any], now: float) -> Visa:
    said = claims.get(VISA)
    if not isinstance(said, dict):
        raise TokenRefused("visa without its object")
    if said.get("conditions"):
        # conditions restrict a visa: one that is not understood must not be overlooked
        raise TokenRefused("visa with conditions")
    if not all(_is_text(said.get(name)) for name in ("type", "value", "source")):
        raise TokenRefused("visa without type, value or source")
    if not _is_number(said.get("asserted")) or said["asserted"] > now + LEEWAY_S:
        raise TokenRefused("visa without a time of assertion")
    by = said.get("by")
    if by not in ASSERTED_BY:
        raise TokenRefused("visa asserted by an unknown kind of source")
    return Visa(
        claims["iss"],
        claims["sub"],
        said["type"],
        said["value"],
        said["source"],
        by,
        float(claims["exp"]),
    )


def linked_identities(me: Identity, visas: Iterable[Visa]) -> set[Identity]:
    """All identities that LinkedIdentities visas tie to mine, directly or over others.

    The value of such a visa: ``sub,iss;sub,iss``, each part percent-encoded.
    """
    groups = []
    for visa in visas:
        if visa.type == "LinkedIdentities":
            pairs = (item.split(",") for item in visa.value.split(";"))
            named = {(unquote(parts[1]), unquote(parts[0])) for parts in pairs if len(parts) == 2}
            groups.append(named | {(visa.issuer, visa.subject)})
    mine = {me}
    growing = True
    while growing:
        joined = set().union(mine, *(group for group in groups if group & mine))
        growing, mine = len(joined) > len(mine), joined
    return mine


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= MAX_TEXT and value.isprintable()


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


# --- keys ---------------------------------------------------------------------------------------


def usable_keys(document: Any) -> dict[str, jwt.PyJWK]:
    """The signing keys of a JWK set by ``kid``: RSA of 2048 bits or more, and EC on P-256.

    Others are left out. Raises ValueError for what is no JWK set.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise ValueError("a JWK set with keys")
    found = {}
    for one in listed[:MAX_VISAS]:
        if not isinstance(one, Mapping) or not _is_text(one.get("kid")):
            continue
        algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(one.get("kty")))
        if algorithm is None or one.get("alg", algorithm) != algorithm or "d" in one:
            continue
        if one.get("use", "sig") != "sig" or (algorithm == "ES256" and one.get("crv") != "P-256"):
            continue
        try:
            key = jwt.PyJWK(dict(one), algorithm=algorithm)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        if algorithm == "ES256" or key.key.key_size >= RSA_BITS:
            found[one["kid"]] = key
    return found


def _configured_keys(issuer: IssuerSettings, folder: Path | None) -> dict[str, jwt.PyJWK]:
    """Keys of node.yaml or of a file beside it. Raises InputError when none can be used."""
    if issuer.jwks_url is not None:
        return {}
    source, document = "access.issuers", issuer.jwks
    try:
        if issuer.jwks_file is not None:
            path = (folder or Path()) / issuer.jwks_file
            source, document = str(path), json.loads(path.read_text(encoding="utf-8"))
        keys = usable_keys(document)
    except (OSError, ValueError) as error:
        raise InputError(source, issuer.issuer, f"a JWK set ({error})") from None
    if not keys:
        raise InputError(source, issuer.issuer, "a public RSA or P-256 key for signatures")
    return keys


async def fetch_json(url: str, bearer: str | None) -> Mapping[str, Any]:
    """A JSON object from an address of the allow-list. Redirects are not followed.

    Raises OSError, TimeoutError or ValueError.
    """
    return await asyncio.to_thread(_fetch, url, bearer)


def _fetch(url: str, bearer: str | None, timeout_s: float = 5.0) -> Mapping[str, Any]:
    from urllib.error import HTTPError  # only nodes that fetch pay for the import
    from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    request = Request(url, headers={"Accept": "application/json"})
    if bearer is not None:
        request.add_unredirected_header("Authorization", f"Bearer {bearer}")
    try:
        with build_opener(Stay, ProxyHandler({})).open(request, timeout=timeout_s) as answer:
            content = answer.read(1 << 18)
    except HTTPError as error:
        error.close()
        raise OSError(f"HTTP {error.code}") from None
    said = json.loads(content)
    if not isinstance(said, dict):
        raise ValueError("a JSON object")
    return said
