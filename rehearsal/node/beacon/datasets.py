"""The datasets of a node: views on the node's data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from rehearsal.errors import shown
from rehearsal.node.settings.node_settings import NodeSettings

DatasetKind = Literal["frequencies", "people", "tests", "tumours"]

# entry types of the kinds that do not hold all
ENTRY_TYPES_HELD: dict[DatasetKind, tuple[str, ...]] = {
    "frequencies": ("g_variants",),
    "tumours": ("g_variants", "individuals"),
}
PEOPLE_IN_TESTS = 10  # the dataset for tests shows the first people, this many


@dataclass(frozen=True, slots=True)
class Dataset:
    """One dataset of a node.

    Its kind is one of: ``frequencies``, allele frequencies only; ``people``, individuals and their
    variants; ``tests``, both for the first few people; ``tumours``, somatic variants and their
    carriers, only for requests that name the dataset.
    """

    id: str
    name: str
    description: str
    kind: DatasetKind

    def answers(self, entry_type: str) -> bool:
        """Tell whether the dataset holds entries of a type.

        Args:
            entry_type: Path of the entry type's endpoint.
        """
        held = ENTRY_TYPES_HELD.get(self.kind)
        return held is None or entry_type in held


def unknown_dataset_note(identifier: str) -> str:
    """Build the note that a named dataset is not here, for an answer of other ones.

    Args:
        identifier: The identifier in the request.
    """
    return f"datasets: {shown(identifier)} is no dataset of this node"


def datasets_of(settings: NodeSettings) -> tuple[Dataset, ...]:
    """List the datasets of a node.

    Args:
        settings: The node's settings.

    Returns:
        The datasets, in the order in which they are listed to callers.
    """
    country = settings.country_name
    held = "variants" if settings.genotypes_only else "phenotypes and variants"
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
            f"Individuals of {country} with {held}. Synthetic: no real person.",
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
