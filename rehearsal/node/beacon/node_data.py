"""What a node holds and answers from: its settings, stores and datasets."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.genomes.assembly import CONTIG_LENGTHS, ploidy
from rehearsal.model import SEXES, AlleleCounts, Gene, Sex
from rehearsal.node.beacon.datasets import PEOPLE_IN_TESTS, Dataset, datasets_of
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from rehearsal.stores.variant_store import VariantRow, VariantStore


class NodeData:
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
        self.of_sex = {sex: people.with_term(SEX_TERMS[sex], False) for sex in SEXES}
        self.datasets = datasets_of(settings)

    @cached_property
    def people_in_tests(self) -> BitMap:
        return self.people.everyone[:PEOPLE_IN_TESTS]

    @cached_property
    def people_with_tumours(self) -> BitMap:
        """Those of whose tumours variants are known."""
        if self._tumours is None:
            return BitMap()
        rows = self._tumours.overlapping
        lists = (row.carriers() for c, n in CONTIG_LENGTHS.items() for row in rows(c, 0, n))
        return BitMap.union(BitMap(), *lists)

    @cached_property
    def _with_variants_of_tumours(self) -> NodeData:
        """The same with the tumours' variants in the place of the germline's."""
        if self._tumours is None:
            raise LookupError("this node has no variants of tumours")
        other = copy(self)
        other.variants, other.is_germline = self._tumours, False
        return other

    def source_of(self, dataset: Dataset) -> NodeData:
        """What a dataset's variants are looked up in."""
        return self._with_variants_of_tumours if dataset.kind == "tumours" else self

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
        raise self.unknown_dataset(identifier)

    @staticmethod
    def unknown_dataset(identifier: str) -> Problem:
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

    def counts(self, row: VariantRow, people: BitMap | None) -> dict[Sex, AlleleCounts]:
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
