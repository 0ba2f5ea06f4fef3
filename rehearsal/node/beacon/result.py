"""What is answered to a question, before it is put into Beacon's form."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from rehearsal.model import GRANULARITIES, Granularity
from rehearsal.node.beacon.datasets import Dataset

Record = dict[str, Any]


@dataclass(slots=True)
class ResultSet:
    """What one dataset answers. ``count`` is None at boolean granularity."""

    dataset: str
    exists: bool
    count: int | None = None
    records: list[Record] = field(default_factory=list)
    granularity: Granularity = "boolean"


@dataclass(slots=True)
class Result:
    """The whole answer: result sets by dataset, and the number of different entries."""

    sets: list[ResultSet]

    @property
    def exists(self) -> bool:
        return any(one.exists for one in self.sets)

    @property
    def count(self) -> int:
        # a dataset holds all of the node's entries that match, or (tests) some of the same
        return max((one.count or 0 for one in self.sets), default=0)

    @property
    def granularity(self) -> Granularity:
        """The finest of any dataset's answer."""
        found = {one.granularity for one in self.sets}
        return next((one for one in reversed(GRANULARITIES) if one in found), "boolean")


def sets_without_records(
    datasets: Iterable[Dataset], exists: bool, count: int | None
) -> list[ResultSet]:
    """The same answer of each dataset: how many there are, or for None whether there are any."""
    granularity: Granularity = "boolean" if count is None else "count"
    return [ResultSet(one.id, exists, count, [], granularity) for one in datasets]
