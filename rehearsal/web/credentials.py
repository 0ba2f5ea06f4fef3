"""The headers that decide who reads what, as nodes and the network read them: each at most once."""

from __future__ import annotations

from collections.abc import Sequence

from rehearsal.web.problem import Problem


class CredentialsError(Exception):
    """Credentials that cannot be any caller's.

    Args:
        rule: Why, for a log. The caller is told no cause.
    """

    def __init__(self, rule: str) -> None:
        super().__init__(rule)
        self.rule = rule


def read_token(authorization: Sequence[bytes], keys: Sequence[bytes]) -> str | None:
    """Read the token of a request.

    Args:
        authorization: Values of all ``Authorization`` headers.
        keys: Values of all headers with a matchmaker's key, of a request that may bring one.

    Returns:
        The token. None: there is none, or a key in its place.

    Raises:
        CredentialsError: There are several, or one that is empty or of another form.
    """
    if len(authorization) + len(keys) > 1:
        raise CredentialsError("two tokens")
    if keys and not keys[0]:
        raise CredentialsError("an unknown key")
    if not authorization:
        return None
    scheme, _, token = authorization[0].decode("latin-1").partition(" ")
    token = token.strip()
    if scheme.lower() != "bearer" or not token or not token.isascii():
        raise CredentialsError("no bearer token")
    return token


def read_once(values: Sequence[bytes], name: str) -> str | None:
    """Read a header that a request may have once.

    Args:
        values: Values of all headers of this name.
        name: The name.

    Returns:
        The value, or None without the header.

    Raises:
        Problem: There are several (400).
    """
    if len(values) > 1:
        raise Problem.mismatch(name, "one header", f"{len(values)} headers")
    return values[0].decode("latin-1") if values else None
