"""Params of which Snakemake records less than they are.

Snakemake records ``repr`` of every param, once for each file that a job makes. For a block that
would be all patients of the run. When a record differs, the job runs again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any


class RecordedByDigest:
    """Members whose ``repr`` is a digest of them; scripts get a plain list.

    It is no list, of which Snakemake would make another for each job.

    Args:
        members: The members. What decides about them must be in their ``repr``.
    """

    def __init__(self, members: Iterable[Any]) -> None:
        self._members = list(members)
        self._digest = hashlib.sha256(repr(self._members).encode()).hexdigest()

    def __repr__(self) -> str:
        """The digest, as Snakemake records it."""
        return f"sha256:{self._digest}"

    def __reduce__(self) -> tuple[type[list[Any]], tuple[list[Any]]]:
        """How to pickle it: as a list, which can be read where this module is not known."""
        return list, (self._members,)


class Unrecorded(dict[str, Any]):
    """Settings that are not recorded: with others, no job runs again. Scripts get a plain dict."""

    def __repr__(self) -> str:
        """The same for all settings."""
        return "not recorded"

    def __reduce__(self) -> tuple[type[dict[str, Any]], tuple[dict[str, Any]]]:
        """How to pickle it: as a dict, which can be read where this module is not known."""
        return dict, (dict(self),)
