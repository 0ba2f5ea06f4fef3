"""The data that a node answers from: settings, stores and datasets."""

from __future__ import annotations

from copy import copy
from functools import cached_property
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.errors import mismatch, shown
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.genomes.assembly import CONTIG_LENGTHS, ploidy
from rehearsal.model import SEXES, AlleleCounts, Block, Gene, Sex
from rehearsal.node.beacon.allele_source import AlleleSource
from rehearsal.node.beacon.datasets import PEOPLE_IN_TESTS, Dataset, datasets_of
from rehearsal.node.beacon.liftover import Liftover
from rehearsal.node.beacon.vrs_index import VrsIndex
from rehearsal.node.settings.gene_names import GeneNames
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from rehearsal.genomes.gene_bases import GeneBases
    from rehearsal.genomes.reference_identity import ReferenceIdentity
    from rehearsal.stores.node_reference import ReferenceBases
    from rehearsal.stores.variant_store import VariantRow, VariantStore


GENOMES = "genomes"  # folder of the genomes in a node's folder


class NodeData:
    """The opened data of one node.

    Args:
        settings: The node's settings.
        variants: Germline variants.
        people: The people, in the same order as in ``variants``.
        tumours: Somatic variants of the same people, or None.
        sequences: Names of the reference sequences, or None if the node has no reference.
        liftover: Moves queries from GRCh37. None: the variants of the table only.
        gene_bases: The gene model on which names of transcripts are read. None: there is none.
        reference: Bases of the reference, or None if the node has none.

    Attributes:
        is_germline: Whether ``variants`` are germline variants.
        genes: Genes of the settings by symbol.
        of_sex: Numbers of the people by sex.
        datasets: The node's datasets.
    """

    is_germline = True

    def __init__(
        self,
        settings: NodeSettings,
        variants: VariantStore,
        people: PeopleStore,
        tumours: VariantStore | None = None,
        sequences: ReferenceIdentity | None = None,
        liftover: Liftover | None = None,
        gene_bases: GeneBases | None = None,
        reference: ReferenceBases | None = None,
    ) -> None:
        self.settings, self.variants, self.people = settings, variants, people
        self._tumours, self.sequences = tumours, sequences
        self.liftover, self.gene_bases = liftover or Liftover(), gene_bases
        self.reference = reference
        self._vrs: dict[AlleleSource, VrsIndex] = {}
        self.genes: dict[str, Gene] = {gene.name: gene for gene in settings.genes}
        self._gene_names = GeneNames(settings.genes)
        self.of_sex = {sex: people.with_term(SEX_TERMS[sex], False) for sex in SEXES}
        self.datasets = datasets_of(settings)

    def vrs_index(self, source: AlleleSource) -> VrsIndex:
        """Return the alleles of a source by their computed identifiers, listed at the first call.

        Args:
            source: The node's variants, those of tumours, or public facts.
        """
        if source not in self._vrs:
            self._vrs[source] = VrsIndex(source, self.sequences)
        return self._vrs[source]

    @cached_property
    def regions(self) -> dict[str, list[tuple[int, int]]]:
        """Regions that the data cover by contig, 0-based half-open. Public, and not from people."""
        regions: dict[str, list[tuple[int, int]]] = {}
        for one in map(Block.from_id, self.settings.regions):
            regions.setdefault(one.contig, []).append((one.start, one.end))
        return regions or {name: [(0, size)] for name, size in self.variants.contigs.items()}

    @cached_property
    def has_genomes(self) -> bool:
        """Whether the node's folder has genomes, which htsget serves."""
        return (self.people.path.parent / GENOMES).is_dir()

    @cached_property
    def people_in_tests(self) -> BitMap:
        """Numbers of the people in the dataset for tests."""
        return self.people.everyone[:PEOPLE_IN_TESTS]

    @cached_property
    def people_with_tumours(self) -> BitMap:
        """Numbers of the people with known somatic variants."""
        if self._tumours is None:
            return BitMap()
        rows = self._tumours.overlapping
        lists = (row.carriers() for c, n in CONTIG_LENGTHS.items() for row in rows(c, 0, n))
        return BitMap.union(BitMap(), *lists)

    @cached_property
    def _with_variants_of_tumours(self) -> NodeData:
        """The same data with somatic instead of germline variants."""
        if self._tumours is None:
            raise LookupError(mismatch("tumours", "a store of somatic variants", "none"))
        other = copy(self)
        other.variants, other.is_germline = self._tumours, False
        return other

    def source_of(self, dataset: Dataset) -> NodeData:
        """Return the data in which a dataset's variants are looked up.

        Args:
            dataset: One of the node's datasets.
        """
        return self._with_variants_of_tumours if dataset.kind == "tumours" else self

    def members(self, dataset: Dataset) -> BitMap | None:
        """Return the people of a dataset.

        Args:
            dataset: One of the node's datasets.

        Returns:
            Their numbers. None stands for everybody.
        """
        if dataset.kind == "tumours":
            return self.people_with_tumours
        return self.people_in_tests if dataset.kind == "tests" else None

    def dataset(self, identifier: str) -> Dataset:
        """Find a dataset.

        Args:
            identifier: Dataset identifier.

        Returns:
            The dataset.

        Raises:
            Problem: The node has no such dataset (404).
        """
        for dataset in self.datasets:
            if dataset.id == identifier:
                return dataset
        raise self.unknown_dataset(identifier)

    @staticmethod
    def unknown_dataset(identifier: str) -> Problem:
        """Build the problem of an unknown dataset (404).

        Args:
            identifier: The identifier in the request.
        """
        return Problem.mismatch("datasets", "a dataset of this node", shown(identifier), 404)

    def gene(self, symbol: str, where: str = "geneId") -> Gene:
        """Find a gene in the node's table.

        Args:
            symbol: Gene symbol, or identifier of HGNC, Ensembl or NCBI.
            where: Place of the symbol in the request, for the message.

        Returns:
            The gene.

        Raises:
            Problem: The table lacks the gene (400).
        """
        gene = self._gene_names.find(symbol)
        if gene is None:
            known = ", ".join(sorted(self.genes)) or "none"
            raise Problem.mismatch(where, f"a gene of this node ({known})", shown(symbol))
        return gene

    def counts(self, row: VariantRow, people: BitMap | None) -> dict[Sex, AlleleCounts]:
        """Count the alleles of a variant by sex.

        Among some of the people, every copy counts as called in the allele number: a store keeps
        the carriers of an allele, not the people with missing calls.

        Args:
            row: The variant.
            people: Numbers of the people counted. None counts everybody.

        Returns:
            Allele counts by sex.
        """
        if people is None:
            return {"female": row.female, "male": row.male}
        carriers, homozygotes = row.carriers() & people, row.homozygotes() & people
        counts = {}
        for sex, everyone in self.of_sex.items():
            copies = ploidy(row.contig, sex, row.start)
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
