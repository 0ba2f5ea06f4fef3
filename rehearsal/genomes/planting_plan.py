"""The plan for a planted variant: who carries, transmits or lacks it, and on which haplotype."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

import pandas as pd

PLAN_COLUMNS = ("variant", "gene", "role", "case", "kind", "person", "haplotype", "child")


class PlannedHaplotype(NamedTuple):
    """One entry of the plan for a family. People are its members, counted from 0.

    ``carries``: the founder ``member`` has the variant on ``haplotype`` (0 the mother's).
    ``transmits``: ``member`` transmits ``haplotype`` to ``child`` at the variant's position.
    ``lacks``: the founder ``member`` has it only on haplotypes that a ``carries`` entry names.
    """

    kind: Literal["carries", "transmits", "lacks"]
    member: int
    haplotype: int  # 0 from the member's mother, 1 from the father
    child: int | None = None  # a member, for ``transmits`` only


class PlannedCase(NamedTuple):
    """The person or family that a row of the plan belongs to."""

    variant: str  # with its 1-based position: ``chr17-43124027-ACT-A``
    gene: str
    role: str  # of ``config/variants.tsv``, or ``story``
    number: int  # index of the case, from 0


PlanRow = tuple[str, str, str, int, str, str, int, str | None]  # ``PLAN_COLUMNS``


def plan_rows(
    case: PlannedCase, planned: Iterable[PlannedHaplotype], ids: Sequence[str]
) -> list[PlanRow]:
    """Build the rows of the plan for one case.

    Args:
        case: The case.
        planned: What is planned for its family.
        ids: Ids of the family's members, in order.

    Returns:
        Rows with ``PLAN_COLUMNS``.
    """
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


def rows_that_lack(plan: pd.DataFrame, people: pd.DataFrame) -> dict[str, set[int]]:
    """List the people who must have no damaged copy of a gene but the planned ones.

    Args:
        plan: The plan, with ``PLAN_COLUMNS``.
        people: The people table.

    Returns:
        By gene, rows of ``people``: those of ``lacks`` entries and all their descendants.
    """
    lacking = plan[plan["kind"] == "lacks"]
    found = {}
    for gene, entries in lacking.groupby("gene"):
        ids, size = set(entries["person"]), 0
        while len(ids) > size:
            size = len(ids)
            ids |= set(people["id"][people["father"].isin(ids) | people["mother"].isin(ids)])
        found[str(gene)] = set(people.index[people["id"].isin(ids)])
    return found
