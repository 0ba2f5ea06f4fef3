"""Answers for scripts in a browser that come from another site (CORS).

Tokens are sent explicitly and cookies are never used, so a script can only ask what its author
could ask from any place that reaches the service.
"""

from __future__ import annotations

from typing import Any

from starlette.middleware.cors import CORSMiddleware

THIRTY_DAYS_S = 30 * 24 * 3600  # htsget 1.3: how long a browser may remember what is allowed


def shared_with_all_sites(app: Any) -> CORSMiddleware:
    """Let scripts of every site read an application, without cookies.

    Args:
        app: The ASGI application.

    Returns:
        The application, which also answers a browser that asks what is allowed.
    """
    return CORSMiddleware(
        app,
        allow_origin_regex=".*",
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["*"],
        max_age=THIRTY_DAYS_S,
    )


def is_from_another_site(scope: Any) -> bool:
    """Tell whether a browser states from which site a request comes.

    Args:
        scope: The request.

    Returns:
        Whether it has the header ``Origin``.
    """
    return b"origin" in dict(scope["headers"])
