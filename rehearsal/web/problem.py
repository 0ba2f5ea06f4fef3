"""The exception that stands for a refused request. Each protocol makes its error body from it."""

from __future__ import annotations

from collections.abc import Mapping

from rehearsal.errors import mismatch


class Problem(Exception):  # noqa: N818 - a refusal is not an error of ours
    """A request that is refused, with a message for a person and an HTTP status.

    Args:
        message: A plain sentence. A wrong value is described by :meth:`mismatch` instead.
        status: 400 to 499, or 503 when the service has too much to do.
        code: The protocol's own name for this kind of problem.
        headers: Headers of the response.
        cause: The cause for a log, in words that depend on no value of the request.
    """

    def __init__(
        self,
        message: str,
        status: int = 400,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
        cause: str = "",
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.code, self.cause = message, status, code, cause
        self.headers = dict(headers or {})

    @classmethod
    def mismatch(
        cls,
        where: str,
        expected: str,
        found: str,
        status: int = 400,
        *,
        code: str | None = None,
    ) -> Problem:
        """A problem with one value of a request.

        Args:
            where: The place of the value in the request, for example ``filters[0].value``.
            expected: What is allowed there, as a noun phrase.
            found: What stands there instead; ``rehearsal.errors.shown`` of a value.
            status: HTTP status.
            code: The protocol's own name of this kind of problem.

        Returns:
            The problem, to be raised. Its message has the form of ``rehearsal.errors.mismatch``.
        """
        return cls(mismatch(where, expected, found), status, code=code)
