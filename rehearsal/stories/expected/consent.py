"""Consent for the right answers: whether permitted uses cover a purpose."""

from __future__ import annotations

import re
from collections.abc import Collection

import pandas as pd

from rehearsal.truth.query_answers import PERMISSION, covering_uses


def covers_purpose(uses: Collection[str], purpose: str | None) -> bool:
    """Say whether uses, all of them permissions, cover a purpose.

    A condition that a request cannot promise to keep is not a permission.

    Args:
        uses: Permitted uses, as DUO terms.
        purpose: DUO terms. None if no purpose is stated.

    Raises:
        ValueError: The truth does not know the purpose.
    """
    is_covered = not set(uses).isdisjoint(covering_uses(purpose))
    return is_covered and all(re.match(PERMISSION, use) for use in uses)


def people_permitting(consent: pd.DataFrame, purpose: str | None) -> set[str]:
    """Select the people who permit a purpose and did not withdraw.

    Args:
        consent: The consent table, with the columns ``individual``, ``uses`` and ``withdrawn``.
        purpose: As in :func:`covers_purpose`.

    Raises:
        ValueError: As in :func:`covers_purpose`.
    """
    kept = consent[~consent["withdrawn"].astype(bool)].set_index("individual")["uses"]
    uses = kept.fillna("").map(lambda text: {one.strip() for one in text.split(",")})
    return {str(name) for name, one in uses.items() if covers_purpose(one, purpose)}
