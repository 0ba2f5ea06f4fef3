"""The public keys of an issuer on the allow-list: configured, or fetched from its one address."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import jwt

from rehearsal.errors import InputError
from rehearsal.node.access.settings import IssuerSettings
from rehearsal.node.access.token_format import TokenRefused, is_text

RSA_BITS = 2048
MAX_KEYS = 50
REFETCH_S = 60.0  # keys that lack a kid are asked for again so often at most
BELIEVED_S = 3600.0  # so old may fetched keys become: one that its issuer withdrew goes

Fetch = Callable[[str, str | None], Awaitable[Mapping[str, Any]]]  # (address, bearer token)


class IssuerKeys:
    """The keys of one issuer by ``kid``. Raises InputError for keys that cannot be used."""

    def __init__(
        self, issuer: IssuerSettings, folder: Path | None, fetch: Fetch, clock: Callable[[], float]
    ) -> None:
        self._url = issuer.jwks_url
        self._keys = _configured_keys(issuer, folder)
        self._fetch, self._clock = fetch, clock
        self._fetched = self._tried = -math.inf  # when
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """The issuer's key; asked for, at the configured address only, when it is not known or
        was fetched long ago. Old keys are not believed when new ones cannot be had.

        Raises TokenRefused when keys cannot be had.
        """
        if self._url is None or (kid in self._keys and not self._is_old()):
            return self._keys.get(kid)
        async with self._lock:
            may_ask_again = self._clock() - self._tried >= REFETCH_S
            if may_ask_again and (kid not in self._keys or self._is_old()):
                self._tried = self._clock()
                try:
                    self._keys = usable_keys(await self._fetch(self._url, None))
                except (OSError, ValueError, TimeoutError) as error:
                    raise TokenRefused("keys cannot be had") from error
                self._fetched = self._clock()
        return None if self._is_old() else self._keys.get(kid)

    def _is_old(self) -> bool:
        return self._clock() - self._fetched >= BELIEVED_S


def usable_keys(document: Any) -> dict[str, jwt.PyJWK]:
    """The signing keys of a JWK set by ``kid``: RSA of 2048 bits or more, and EC on P-256.

    Others are left out. Raises ValueError for what is no JWK set.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise ValueError("a JWK set with keys")
    found = {}
    for one in listed[:MAX_KEYS]:
        key = _usable_key(one)
        if key is not None:
            found[one["kid"]] = key
    return found


def _usable_key(jwk: Any) -> jwt.PyJWK | None:
    algorithm = _signing_algorithm(jwk)
    if algorithm is None:
        return None
    try:
        key = jwt.PyJWK(dict(jwk), algorithm=algorithm)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return key if algorithm == "ES256" or key.key.key_size >= RSA_BITS else None


def _signing_algorithm(jwk: Any) -> str | None:
    """By which algorithm a public key signs; None for one that has no name or another use."""
    if not isinstance(jwk, Mapping) or not is_text(jwk.get("kid")):
        return None
    algorithm = {"RSA": "RS256", "EC": "ES256"}.get(str(jwk.get("kty")))
    is_public_for_signatures = (
        jwk.get("alg", algorithm) == algorithm and "d" not in jwk and jwk.get("use", "sig") == "sig"
    )
    if not is_public_for_signatures or (algorithm == "ES256" and jwk.get("crv") != "P-256"):
        return None
    return algorithm


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
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError("a JSON object")
    return document
