"""One query to a node: the request, what its path selects, and the caller's rights."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.model import Granularity
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.datasets import DatasetKind
from rehearsal.node.beacon.request import BeaconRequest
from rehearsal.node.beacon.variant_queries import VariantQuery
from rehearsal.web.problem import Problem

ALL_KINDS: frozenset[DatasetKind] = frozenset({"frequencies", "people", "tests", "tumours"})


@dataclass(frozen=True, slots=True)
class PathSelection:
    """What the path of a request selects."""

    people: BitMap | None = None  # None: everybody
    variant: VariantQuery | None = None  # None: left open
    datasets: tuple[str, ...] = ()  # identifiers; empty: left open
    kinds: frozenset[DatasetKind] = ALL_KINDS  # kinds of datasets that may answer
    single: bool = False  # the path names one person, which requires the right to see records


NOTHING_SELECTED = PathSelection()


@dataclass(slots=True)
class Question:
    """One query, with everything that its answer depends on beside the node's data.

    A :class:`~rehearsal.node.beacon.request.BeaconRequest` is only what the caller sent. A question
    adds the entry type, the path and the caller's rights.
    """

    entry_type: str  # path of the entry type's endpoint
    request: BeaconRequest
    granularity: Granularity  # the granularity wanted
    rights: Rights
    path: PathSelection = field(default=NOTHING_SELECTED)
    caller: str = ""  # who spends the privacy budget

    def variants(self) -> VariantQuery | None:
        """Return the variant query of the path or of the parameters.

        Returns:
            The query. None matches all variants.

        Raises:
            Problem: Both the path and the parameters name variants (400).
        """
        if self.path.variant is not None and self.request.variants is not None:
            raise Problem.mismatch(
                "requestParameters", "no variant, as the path names one", "another variant query"
            )
        return self.path.variant or self.request.variants

    def asking(self, query: VariantQuery | None) -> Question:
        """Return the question with its variant query in another form.

        Args:
            query: The same variants as :meth:`variants`, written otherwise.
        """
        if query is self.variants():
            return self  # as most
        path, request = replace(self.path, variant=None), replace(self.request, variants=query)
        return replace(self, path=path, request=request)

    def named_datasets(self) -> tuple[str, ...]:
        """Return the datasets named in the path or in the parameters.

        Returns:
            Identifiers. Empty when none is named.

        Raises:
            Problem: Both the path and the parameters name datasets (400).
        """
        if self.path.datasets and self.request.datasets:
            found = shown(", ".join(self.request.datasets))
            raise Problem.mismatch("datasets", "none, as the path names a dataset", found)
        return self.path.datasets or self.request.datasets
