"""Verification of access tokens, passports and the visas inside (GA4GH AAI 1.2).

The content of a token is used only after its issuer was found on the node's allow-list and its
header was found to match that entry. Keys and visas are fetched from addresses of the allow-list
only, never from an address in a token. Only RS256 and ES256 are verified.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt

from rehearsal.node.access.issuer_keys import Fetch, IssuerKeys, fetch_json
from rehearsal.node.access.settings import IssuerSettings
from rehearsal.node.access.token_format import (
    ACCESS_TYPES,
    LEEWAY_S,
    MAX_TOKEN,
    MAX_VISA,
    PASSPORT,
    PASSPORT_TYPE,
    VISA,
    VISA_TOKEN_TYPES,
    TokenRefused,
    is_number,
    is_text,
    read_header,
    read_list_of_visas,
    read_unverified,
    read_visa,
    token_type,
)
from rehearsal.node.access.visas import Caller, Visa, linked_identities

CACHED = 4096  # verified tokens that are kept


@dataclass(frozen=True, slots=True)
class _Signer:
    """The key that verified a token or a visa."""

    keys: IssuerKeys
    kid: str
    key: jwt.PyJWK

    def is_trusted(self) -> bool:
        return self.keys.has(self.kid, self.key)


@dataclass(frozen=True, slots=True)
class _Verified:
    """A verified token, and the keys that it and its visas were verified with."""

    caller: Caller
    signers: tuple[_Signer, ...]


class TokenVerifier:
    """Verifies tokens of the issuers on one allow-list.

    Args:
        issuers: The allow-list.
        audience: Accepted values of the claim ``aud``.
        folder: The node's folder, which files of keys are relative to.
        require_audience: Whether a caller's token must have ``aud``.
        max_age_s: Longest accepted lifetime of a caller's token, seconds.
        fetch: Fetches a JSON object from an address. None uses HTTP.
        clock: Returns the time, in seconds since 1970.

    Raises:
        InputError: The configured keys cannot be used.
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
        self._audience = frozenset(audience)
        self._require_audience, self._max_age_s = require_audience, max_age_s
        self._fetch, self._clock = fetch or fetch_json, clock
        self._keys = {
            name: IssuerKeys(one, folder, self._fetch, clock) for name, one in self._issuers.items()
        }
        self._cache: OrderedDict[bytes, _Verified] = OrderedDict()

    def cached(self, token: str) -> Caller | None:
        """Return the caller of a token that was verified before, while it may be believed.

        It may be until it or a visa expires, and as long as all keys behind it are known to be
        their issuers'.

        Args:
            token: The token.

        Returns:
            The caller, or None.
        """
        digest = _digest(token)
        known = self._cache.get(digest)
        if known is None:
            return None
        if known.caller.expires <= self._clock():
            del self._cache[digest]
            return None
        if not all(one.is_trusted() for one in known.signers):
            return None
        self._cache.move_to_end(digest)
        return known.caller

    async def verify(self, token: str) -> Caller:
        """Verify a caller's token and its visas.

        The result is cached until the token or the first visa that counts expires, or one of their
        keys is withdrawn.

        Args:
            token: An access token or a passport.

        Returns:
            The caller.

        Raises:
            TokenRefused: The token is not accepted. Visas that are not accepted are dropped
                instead.
        """
        known = self.cached(token) or await self._cached_by_fresh_keys(token)
        if known is not None:
            return known
        if len(token) > MAX_TOKEN:
            raise TokenRefused("token too long")
        header, claims = read_unverified(token)
        kind = token_type(header)
        if kind not in (*ACCESS_TYPES, PASSPORT_TYPE):
            raise TokenRefused("token of another type")
        issuer = self._trusted_issuer(claims)
        if not issuer.identifies:
            raise TokenRefused("issuer that does not identify callers")
        claims, signer = await self._verify_claims(token, header, issuer, self._max_age_s)
        self._check_audience(claims, self._require_audience)
        if kind == PASSPORT_TYPE:
            if VISA in claims:
                raise TokenRefused("visa in the place of a passport")
            visas = read_list_of_visas(claims.get(PASSPORT))
        else:
            if PASSPORT in claims or VISA in claims:
                raise TokenRefused("access token that carries visas")
            visas = await self._fetch_visas(token, issuer, claims["sub"])
        return await self._caller(token, claims, signer, visas)

    async def _cached_by_fresh_keys(self, token: str) -> Caller | None:
        """Fetch the keys behind a cached token again if they are old; forget withdrawn ones."""
        known = self._cache.get(_digest(token))
        if known is None:
            return None
        for one in known.signers:
            with suppress(TokenRefused):  # the whole verification that follows says why
                await one.keys.key(one.kid)
        caller = self.cached(token)
        if caller is None:
            self._cache.pop(known.caller.digest, None)
        return caller

    async def _caller(
        self, token: str, claims: Mapping[str, Any], signer: _Signer, texts: Iterable[str]
    ) -> Caller:
        verified, signers, dropped = [], {}, []
        for text in texts:
            try:
                visa, signers[visa] = await self._verify_visa(text)
                verified.append(visa)
            except TokenRefused as refusal:
                dropped.append(refusal.rule)
        own = (claims["iss"], claims["sub"])
        linked = linked_identities(own, verified)
        counting = tuple(visa for visa in verified if (visa.issuer, visa.subject) in linked)
        dropped += ["visa of another subject"] * (len(verified) - len(counting))
        expires = min([claims["exp"], *(visa.expires for visa in counting)])
        caller = Caller(*own, counting, float(expires), tuple(dropped), _digest(token))
        behind = dict.fromkeys((signer, *(signers[visa] for visa in counting)))
        self._cache[caller.digest] = _Verified(caller, tuple(behind))
        if len(self._cache) > CACHED:
            self._cache.popitem(last=False)
        return caller

    async def _verify_visa(self, text: str) -> tuple[Visa, _Signer]:
        """Return a verified visa, and its key. Raises TokenRefused for one that does not count."""
        if len(text) > MAX_VISA:
            raise TokenRefused("visa too long")
        header, claims = read_unverified(text)
        kind = token_type(header)
        if kind not in VISA_TOKEN_TYPES:
            raise TokenRefused("visa of another type of token")
        issuer = self._trusted_issuer(claims)
        if header.get("jku") is None and issuer.key_address is not None:
            raise TokenRefused("visa without jku")
        claims, signer = await self._verify_claims(text, header, issuer)
        self._check_audience(claims, required=False)
        scope = claims.get("scope", "")
        if PASSPORT in claims or not isinstance(scope, str) or "openid" in scope.split():
            raise TokenRefused("access token in the place of a visa")
        visa = read_visa(claims, self._clock())
        if visa.type not in issuer.visas:
            raise TokenRefused("visa of a type that its issuer may not sign")
        return visa, signer

    async def _fetch_visas(self, token: str, issuer: IssuerSettings, subject: str) -> list[str]:
        """Fetch the visas of an access token's owner from its issuer."""
        if issuer.userinfo_url is None:
            return []
        try:
            stated = await self._fetch(issuer.userinfo_url, token)
        except (OSError, ValueError, TimeoutError) as error:
            raise TokenRefused("userinfo unavailable") from error
        if stated.get("sub") != subject:
            raise TokenRefused("userinfo of another subject")
        return read_list_of_visas(stated.get(PASSPORT, []))

    def _trusted_issuer(self, claims: Mapping[str, Any]) -> IssuerSettings:
        """Return the allow-list's entry of the issuer named in a token that is not yet verified."""
        issuer = claims.get("iss")
        found = self._issuers.get(issuer) if isinstance(issuer, str) else None
        if found is None:
            raise TokenRefused("unknown issuer")
        return found

    async def _verify_claims(
        self,
        text: str,
        header: Mapping[str, Any],
        issuer: IssuerSettings,
        max_age_s: float = math.inf,
    ) -> tuple[dict[str, Any], _Signer]:
        """Return the claims after checking header, signature and times. Raises TokenRefused."""
        algorithm, kid = read_header(header, issuer)
        keys = self._keys[issuer.issuer]
        key = await keys.key(kid)
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
                    "verify_aud": False,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.MissingRequiredClaimError as error:
            raise TokenRefused("missing claim") from error
        except jwt.InvalidTokenError as error:
            raise TokenRefused("bad signature or claims") from error
        self._check_times(claims, max_age_s)
        if not is_text(claims["sub"]) or claims["iss"] != issuer.issuer:
            raise TokenRefused("bad subject or issuer")
        return claims, _Signer(keys, kid, key)

    def _check_times(self, claims: Mapping[str, Any], max_age_s: float) -> None:
        now = self._clock()
        for name in ("exp", "iat", "nbf"):
            if name in claims and not is_number(claims[name]):
                raise TokenRefused(f"{name} is not a number")
        if claims["exp"] <= now:
            raise TokenRefused("expired")
        if max(claims["iat"], claims.get("nbf", 0)) > now + LEEWAY_S:
            raise TokenRefused("not yet valid")
        if not 0 < claims["exp"] - claims["iat"] <= max_age_s:
            raise TokenRefused("valid for too long")

    def _check_audience(self, claims: Mapping[str, Any], required: bool) -> None:
        stated = claims.get("aud")
        if stated is None:
            if required:
                raise TokenRefused("no audience")
            return
        names = stated if isinstance(stated, list) else [stated]
        if not any(isinstance(name, str) and name in self._audience for name in names):
            raise TokenRefused("wrong audience")


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()
