"""Consent as the right answers read it: whether permitted uses cover a purpose."""

from __future__ import annotations

import re
from collections.abc import Collection

from rehearsal.truth.query_answers import PERMISSION, covering_uses


def covers_purpose(uses: Collection[str], purpose: str | None) -> bool:
    """Whether uses, all of them permissions, cover a purpose: DUO terms, or None for none stated.

    A condition that nobody states to keep is no permission. Raises ValueError for purposes that
    the truth does not know.
    """
    is_covered = not set(uses).isdisjoint(covering_uses(purpose))
    return is_covered and all(re.match(PERMISSION, use) for use in uses)
