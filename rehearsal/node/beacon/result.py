"""The result of a query, before it takes Beacon's form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.model import GRANULARITIES, Granularity
from rehearsal.node.beacon.datasets import Dataset

Record = dict[str, Any]


@dataclass(slots=True)
class ResultSet:
    """The answer of one dataset."""

    dataset: str  # dataset identifier
    exists: bool
    count: int | None = None  # None at boolean granularity
    records: list[Record] = field(default_factory=list)  # a page, at record granularity
    granularity: Granularity = "boolean"


@dataclass(slots=True)
class Result:
    """The answers of all datasets."""

    sets: list[ResultSet]
    privacy: dict[str, Record] = field(default_factory=dict)  # how protected answers came about
    warnings: tuple[str, ...] = ()  # what the query contradicts, and what its no does not say

    @property
    def exists(self) -> bool:
        """Whether any dataset has matches."""
        return any(one.exists for one in self.sets)

    @property
    def count(self) -> int:
        # each dataset holds all matching entries of the node or (tests) a part of them
        """The number of different matching entries."""
        return max((one.count or 0 for one in self.sets), default=0)

    @property
    def granularity(self) -> Granularity:
        """The finest granularity of any dataset's answer."""
        found = {one.granularity for one in self.sets}
        return next((one for one in reversed(GRANULARITIES) if one in found), "boolean")


def sets_without_records(
    datasets: Iterable[Dataset], exists: bool, count: int | None
) -> list[ResultSet]:
    """Give each dataset the same answer without records.

    Args:
        datasets: The datasets.
        exists: Whether there are matches.
        count: How many, or None for a yes-or-no answer.

    Returns:
        One result set per dataset.
    """
    granularity: Granularity = "boolean" if count is None else "count"
    return [ResultSet(one.id, exists, count, [], granularity) for one in datasets]
