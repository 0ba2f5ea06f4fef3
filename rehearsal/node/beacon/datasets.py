"""The datasets of a node: each a kind of view on the node's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rehearsal.node.settings.node_settings import NodeSettings

DatasetKind = Literal["frequencies", "people", "tests", "tumours"]

# entry types of kinds that do not hold them all
ENTRY_TYPES_HELD: dict[DatasetKind, tuple[str, ...]] = {
    "frequencies": ("g_variants",),
    "tumours": ("g_variants", "individuals"),
}
PEOPLE_IN_TESTS = 10  # the dataset for tests shows so many people, the first ones


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset: a kind of view on the node's data.

    ``frequencies``: allele frequencies only. ``people``: individuals and who carries what.
    ``tests``: both, of the first few people. ``tumours``: somatic variants and whose they are;
    only for requests that name it.
    """

    id: str
    name: str
    description: str
    kind: DatasetKind

    def answers(self, entry_type: str) -> bool:
        """Whether the dataset holds entries of this type (the path of its endpoint)."""
        held = ENTRY_TYPES_HELD.get(self.kind)
        return held is None or entry_type in held


def datasets_of(settings: NodeSettings) -> tuple[Dataset, ...]:
    """The datasets of a node, in the order in which they are listed."""
    country = settings.country_name
    germline = (
        Dataset(
            settings.frequencies_dataset,
            f"Allele frequencies of {country}",
            f"Allele frequencies in {country}, by sex. Synthetic: no real person.",
            "frequencies",
        ),
        Dataset(
            settings.people_dataset,
            f"People of {country}",
            f"Individuals of {country} with phenotypes and variants. Synthetic: no real person.",
            "people",
        ),
        Dataset(
            settings.tests_dataset,
            f"Test data of {country}",
            f"The first {PEOPLE_IN_TESTS} people of {country}, for test mode. Synthetic.",
            "tests",
        ),
    )
    if not settings.tumours_dataset:
        return germline
    tumours = Dataset(
        settings.tumours_dataset,
        f"Tumours of {country}",
        f"Somatic variants of tumours in {country}, apart from the germline. Synthetic.",
        "tumours",
    )
    return (*germline, tumours)
