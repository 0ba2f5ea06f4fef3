"""What is planned for a planted variant: who carries it, hands it on or lacks it, and where."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

PLAN_COLUMNS = ("variant", "gene", "role", "case", "kind", "person", "haplotype", "child")


class PlannedHaplotype(NamedTuple):
    """One thing that is planned in a family, its people as members of it, from 0.

    ``carries``: the founder ``member`` has the variant on ``haplotype`` (0 the mother's).
    ``transmits``: ``member`` gives ``haplotype`` to ``child`` at the variant's position.
    ``lacks``: no haplotype of the founder ``member`` has it where no ``carries`` says so.
    """

    kind: Literal["carries", "transmits", "lacks"]
    member: int
    haplotype: int
    child: int | None = None


class PlannedCase(NamedTuple):
    """The person or family that a row of the plan belongs to."""

    variant: str
    gene: str
    role: str
    number: int


PlanRow = tuple[str, str, str, int, str, str, int, str | None]  # ``PLAN_COLUMNS``


def plan_rows(
    case: PlannedCase, planned: Iterable[PlannedHaplotype], ids: Sequence[str]
) -> list[PlanRow]:
    """Rows of the plan for one case; ``ids`` are those of the family's members, in order."""
    return [
        (
            *case,
            one.kind,
            ids[one.member],
            one.haplotype,
            None if one.child is None else ids[one.child],
        )
        for one in planned
    ]
