"""One question to a node: what is asked, from where in its paths, and by whom."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyroaring import BitMap

from rehearsal.model import Granularity
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.datasets import DatasetKind
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.node.beacon.variant_queries import VariantQuery
from rehearsal.web.problem import Problem

ALL_KINDS: frozenset[DatasetKind] = frozenset({"frequencies", "people", "tests", "tumours"})


@dataclass(frozen=True, slots=True)
class PathSelection:
    """What the path of a request has already chosen; None where it left that open.

    ``kinds``: of the datasets that may answer. ``single``: the path names one person, who is shown
    to those only who may see records.
    """

    people: BitMap | None = None
    variant: VariantQuery | None = None
    datasets: tuple[str, ...] = ()
    kinds: frozenset[DatasetKind] = ALL_KINDS
    single: bool = False


NOTHING_SELECTED = PathSelection()


@dataclass(slots=True)
class Question:
    """What is asked, with the caller's rights.

    ``entry_type``: path of its endpoint. ``granularity``: how finely is asked.
    """

    entry_type: str
    request: BeaconRequest
    granularity: Granularity
    rights: Rights
    path: PathSelection = field(default=NOTHING_SELECTED)

    def variants(self) -> VariantQuery | None:
        """The variants that are asked for; None for all. Raises Problem where both the path and
        the parameters name some."""
        if self.path.variant is not None and self.request.variants is not None:
            raise Problem("the path names a variant: ask for no other in the parameters")
        return self.path.variant or self.request.variants

    def named_datasets(self) -> tuple[str, ...]:
        """Identifiers of the datasets that are named. Raises Problem where both the path and the
        parameters name some."""
        if self.path.datasets and self.request.datasets:
            raise Problem("the path names a dataset: name no other in the parameters")
        return self.path.datasets or self.request.datasets
