"""What is wrong with a request, as the one exception that becomes an htsget error body."""

from __future__ import annotations

STATUS = {
    "InvalidAuthentication": 401,
    "PermissionDenied": 403,
    "NotFound": 404,
    "PayloadTooLarge": 413,
    "UnsupportedFormat": 400,
    "InvalidInput": 400,
    "InvalidRange": 400,
}


class HtsgetProblem(Exception):  # noqa: N818 - not every refusal is an error of ours
    """A request that is refused: an error type of the specification and a reason for a person."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error, self.message, self.status = error, message, STATUS[error]


def error_of(status: int) -> str:
    """The error type of a refusal by a part that knows its HTTP status only."""
    errors = {STATUS[error]: error for error in reversed(STATUS)}
    return {**errors, 400: "InvalidInput"}.get(status, "InvalidInput")
