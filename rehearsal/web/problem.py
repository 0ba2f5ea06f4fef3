"""What is wrong with a request: the exception that every protocol makes its error bodies of."""

from __future__ import annotations

from collections.abc import Mapping


class Problem(Exception):  # noqa: N818 - not every refusal is an error of ours
    """A request that is refused, with a message for a person and an HTTP status.

    The status is 400 to 499, or 503 of a service that has too much to do. ``code``: what a
    protocol calls this kind of problem, where it has names of its own. ``headers``: of the answer.
    """

    def __init__(
        self,
        message: str,
        status: int = 400,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.status, self.code = message, status, code
        self.headers = dict(headers or {})


def shown(value: object, limit: int = 60) -> str:
    """A foreign value for use in a message: short, on one line, quoted."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
