"""The public keys of an issuer on the allow-list: configured, or fetched from one address."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import jwt

from rehearsal.errors import InputError, cause, mismatch
from rehearsal.node.access.settings import SETTINGS_FILE, IssuerSettings
from rehearsal.node.access.token_format import TokenRefused, is_text

RSA_BITS = 2048
MAX_KEYS = 50
MAX_ANSWER = 2 * 1024 * 1024  # bytes: 200 visas of 8 kB, and some
REFETCH_S = 60.0  # shortest time between two fetches of an issuer's keys
TRUSTED_S = 3600.0  # longest use of fetched keys; a key withdrawn by its issuer ends with it

Fetch = Callable[[str, str | None], Awaitable[Mapping[str, Any]]]  # (address, bearer token)


class IssuerKeys:
    """The keys of one issuer, by ``kid``.

    Args:
        issuer: The issuer's entry in the allow-list.
        folder: The node's folder, which ``jwks_file`` is relative to. None: the working directory.
        fetch: Fetches a JSON object from an address.
        clock: Returns the time, in seconds since 1970.

    Raises:
        InputError: The configured keys cannot be used.
    """

    def __init__(
        self, issuer: IssuerSettings, folder: Path | None, fetch: Fetch, clock: Callable[[], float]
    ) -> None:
        self._url = issuer.jwks_url
        self._keys = _configured_keys(issuer, folder)
        self._fetch, self._clock = fetch, clock
        self._fetched = self._tried = -math.inf  # when
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> jwt.PyJWK | None:
        """Return one of the issuer's keys.

        Keys are fetched from the configured address only, when the key is unknown or the last fetch
        is more than :data:`TRUSTED_S` ago. When they cannot be fetched, old keys are no longer
        trusted.

        Args:
            kid: The key's name in a token's header.

        Returns:
            The key, or None when the issuer has none of this name.

        Raises:
            TokenRefused: The keys cannot be fetched.
        """
        if self._url is None or (kid in self._keys and not self._is_old()):
            return self._keys.get(kid)
        async with self._lock:
            may_ask_again = self._clock() - self._tried >= REFETCH_S
            if may_ask_again and (kid not in self._keys or self._is_old()):
                self._tried = self._clock()
                try:
                    fetched = usable_keys(await self._fetch(self._url, None))
                except (OSError, ValueError, TimeoutError) as error:
                    raise TokenRefused("keys of the issuer unavailable") from error
                self._keys = {name: self._known(name, one) for name, one in fetched.items()}
                self._fetched = self._clock()
        return None if self._is_old() else self._keys.get(kid)

    def has(self, kid: str, key: jwt.PyJWK) -> bool:
        """Tell whether a key that this object returned is still one that the issuer is known by.

        Args:
            kid: The key's name.
            key: The key, as :meth:`key` returned it.

        Returns:
            False after a withdrawal or when the keys must be fetched again.
        """
        return self._keys.get(kid) is key and not self._is_old()

    def _known(self, kid: str, fetched: jwt.PyJWK) -> jwt.PyJWK:
        """Return the known object of an unchanged key, as :meth:`has` compares objects."""
        known = self._keys.get(kid)
        return known if known is not None and known.key == fetched.key else fetched

    def _is_old(self) -> bool:
        return self._url is not None and self._clock() - self._fetched >= TRUSTED_S


def usable_keys(document: Any) -> dict[str, jwt.PyJWK]:
    """Select the usable signing keys of a JWK set: RSA of at least 2048 bits, and EC on P-256.

    Args:
        document: A JWK set as parsed from JSON.

    Returns:
        Keys by ``kid``. Unusable keys are left out.

    Raises:
        ValueError: The document is not a JWK set.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise ValueError(mismatch("JWK set", "a list under the key keys", "none"))
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
    """Return a public key's signature algorithm. None without a kid, or with another use."""
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
    """Read the keys in node.yaml or in a file beside it. Raises InputError without a usable one."""
    if issuer.jwks_url is not None:
        return {}
    source, key, document = SETTINGS_FILE, f"access.issuers: {issuer.issuer}: jwks", issuer.jwks
    if folder is not None:
        source = str(folder / source)
    try:
        if issuer.jwks_file is not None:
            path = (folder or Path()) / issuer.jwks_file
            source, key = str(path), issuer.issuer
            document = json.loads(path.read_text(encoding="utf-8"))
        keys = usable_keys(document)
    except (OSError, ValueError) as error:
        found = f"unusable content ({cause(error)})"
        raise InputError(source, key, "a JWK set", found) from None
    if not keys:
        expected = (
            f"a public signing key with a kid: RSA of at least {RSA_BITS} bits, or EC on P-256"
        )
        raise InputError(source, key, expected, "none")
    return keys


async def fetch_json(url: str, bearer: str | None) -> Mapping[str, Any]:
    """Fetch a JSON object from an address of the allow-list, without following redirects.

    Args:
        url: The address.
        bearer: Access token to send, or None.

    Returns:
        The JSON object, of at most 2 MB.

    Raises:
        OSError: The address cannot be reached, or answers with an error.
        TimeoutError: No answer within 5 seconds.
        ValueError: The answer is not a JSON object.
    """
    return await asyncio.to_thread(_fetch, url, bearer)


def _fetch(url: str, bearer: str | None, timeout_s: float = 5.0) -> Mapping[str, Any]:
    from urllib.error import HTTPError  # imported here: most nodes never fetch
    from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

    class Stay(HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    request = Request(url, headers={"Accept": "application/json"})
    if bearer is not None:
        request.add_unredirected_header("Authorization", f"Bearer {bearer}")
    try:
        with build_opener(Stay, ProxyHandler({})).open(request, timeout=timeout_s) as answer:
            content = answer.read(MAX_ANSWER)
    except HTTPError as error:
        error.close()
        raise OSError(mismatch(url, "HTTP status 200", f"HTTP status {error.code}")) from None
    document = json.loads(content)
    if not isinstance(document, dict):
        raise ValueError(mismatch(url, "a JSON object", "another JSON value"))
    return document
