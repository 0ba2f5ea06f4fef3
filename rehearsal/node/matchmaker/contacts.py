"""Tokens by which an asker and a node speak of somebody without naming them."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256

from rehearsal.node.tokens import Caller

LENGTH = 32  # hexadecimal digits: 128 bits


class Contacts:
    """A token is a keyed digest of asker and person: the same at every question of one asker,
    another for another asker, and telling neither without the node's secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"contact token", "sha256")

    def token(self, issuer: str, subject: str, person: str) -> str:
        """The token of a person for the asker whom an issuer calls ``subject``."""
        parts = (part.encode() for part in (issuer, subject, person))
        message = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.new(self._key, message, sha256).hexdigest()[:LENGTH]

    def for_caller(self, caller: Caller, person: str) -> str:
        return self.token(caller.issuer, caller.subject, person)

    def person(self, issuer: str, subject: str, token: str, people: Iterable[str]) -> str | None:
        """Who of the node's people a token of this asker stands for."""
        return next((one for one in people if self.token(issuer, subject, one) == token), None)
