"""What a node holds and answers from: its settings, stores and datasets."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

from pyroaring import BitMap

from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.genomes.assembly import CONTIG_LENGTHS, ploidy
from rehearsal.model import AlleleCounts, Gene
from rehearsal.node.settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore
from rehearsal.web.problem import Problem, shown

if TYPE_CHECKING:
    from rehearsal.stores.variant_store import VariantRow, VariantStore

# entry types of kinds that do not hold them all
HELD = {"frequencies": ("g_variants",), "tumours": ("g_variants", "individuals")}
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
    kind: Literal["frequencies", "people", "tests", "tumours"]

    def answers(self, entry_type: str) -> bool:
        """Whether the dataset holds entries of this type (the path of its endpoint)."""
        held = HELD.get(self.kind)
        return held is None or entry_type in held


class Holdings:
    """One node's data, opened. ``tumours``: somatic variants of the same people."""

    is_germline = True

    def __init__(
        self,
        settings: NodeSettings,
        variants: VariantStore,
        people: PeopleStore,
        tumours: VariantStore | None = None,
    ) -> None:
        self.settings, self.variants, self.people = settings, variants, people
        self._tumours = tumours
        self.genes: dict[str, Gene] = {gene.name: gene for gene in settings.genes}
        self.of_sex = {sex: people.with_term(term, False) for sex, term in SEX_TERMS.items()}
        self.datasets = _datasets(settings)

    @cached_property
    def people_in_tests(self) -> BitMap:
        return self.people.everyone[:PEOPLE_IN_TESTS]

    @cached_property
    def of_tumours(self) -> Holdings:
        """The same with the tumours' variants in the place of the germline's."""
        other = copy(self)
        other.variants, other.is_germline = self._tumours, False
        return other

    @cached_property
    def people_with_tumours(self) -> BitMap:
        """Those of whose tumours variants are known."""
        rows = self._tumours.overlapping if self._tumours is not None else lambda *_: ()
        lists = (row.carriers() for c, n in CONTIG_LENGTHS.items() for row in rows(c, 0, n))
        return BitMap.union(BitMap(), *lists)

    def holding(self, dataset: Dataset) -> Holdings:
        """What a dataset's variants are looked up in."""
        return self.of_tumours if dataset.kind == "tumours" else self

    def members(self, dataset: Dataset) -> BitMap | None:
        """The dataset's people; None for everybody."""
        if dataset.kind == "tumours":
            return self.people_with_tumours
        return self.people_in_tests if dataset.kind == "tests" else None

    def dataset(self, identifier: str) -> Dataset:
        """The dataset with this identifier. Raises Problem (404) when there is none."""
        for dataset in self.datasets:
            if dataset.id == identifier:
                return dataset
        raise self.no_dataset(identifier)

    @staticmethod
    def no_dataset(identifier: str) -> Problem:
        """What is said of a dataset that is not here."""
        return Problem(f"no dataset {shown(identifier)} at this node", 404)

    def gene(self, symbol: str) -> Gene:
        """The gene with this symbol. Raises Problem when the node's table lacks it."""
        if symbol not in self.genes:
            raise Problem(
                f"geneId {shown(symbol)} is not in this node's table: "
                f"{', '.join(sorted(self.genes)) or 'it is empty'}"
            )
        return self.genes[symbol]

    def counts(self, row: VariantRow, people: BitMap | None) -> dict[str, AlleleCounts]:
        """Counts of a variant by sex, among some people or (None) among all.

        Among some people the allele number takes every copy as called: a store keeps who
        carries an allele, not whose call is missing.
        """
        if people is None:
            return {"female": row.female, "male": row.male}
        carriers, homozygotes = row.carriers() & people, row.homozygotes() & people
        counts = {}
        for sex, everyone in self.of_sex.items():
            copies = ploidy(row.contig, sex)
            total = everyone.intersection_cardinality(people) * copies
            carrying = carriers.intersection_cardinality(everyone)
            twice = homozygotes.intersection_cardinality(everyone)
            once = carrying - twice
            counts[sex] = (
                AlleleCounts(total, 2 * twice + once, twice, once, 0)
                if copies == 2
                else AlleleCounts(total, carrying, 0, 0, carrying)
            )
        return counts


def _datasets(settings: NodeSettings) -> tuple[Dataset, ...]:
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
