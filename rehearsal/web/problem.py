"""What is wrong with a request, as the one exception that becomes a Beacon error body."""

from __future__ import annotations


class BeaconProblem(Exception):  # noqa: N818 - not every refusal is an error of ours
    """A request that is refused, with an HTTP status and a reason for a person.

    From 400 to 499; 503 of a service that has too much to do.
    """

    def __init__(self, reason: str, status: int = 400) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


def shown(value: object, limit: int = 60) -> str:
    """A foreign value for use in a reason: short, on one line, quoted."""
    text = repr(value)
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
