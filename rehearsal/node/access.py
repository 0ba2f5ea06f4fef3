"""Who may ask what. One place, asked once for every request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rehearsal.model import Granularity
from rehearsal.node.beacon.request import GRANULARITIES

if TYPE_CHECKING:
    from starlette.requests import Request


@dataclass(frozen=True, slots=True)
class Rights:
    """What a caller may see: answers up to this granularity."""

    granularity: Granularity = "record"

    def granted(self, wanted: Granularity) -> Granularity:
        """The wanted granularity, or the finest allowed when that is coarser."""
        return min(wanted, self.granularity, key=GRANULARITIES.index)


def rights(request: Request) -> Rights:
    """The rights of whoever sent the request: everybody may see everything."""
    return Rights()
