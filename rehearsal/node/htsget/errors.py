"""The error types of htsget and their HTTP statuses."""

from __future__ import annotations

STATUS = {
    "InvalidAuthentication": 401,
    "PermissionDenied": 403,
    "NotFound": 404,
    "PayloadTooLarge": 413,
    "UnsupportedFormat": 400,
    "InvalidRange": 400,
    "InvalidInput": 400,
}
_ERROR_OF_STATUS = {status: error for error, status in STATUS.items()}


def error_of_status(status: int) -> str:
    """Return the error type of a refusal that has none of its own.

    Args:
        status: HTTP status.

    Returns:
        The type, "InvalidInput" for a status without one.
    """
    return _ERROR_OF_STATUS.get(status, "InvalidInput")
