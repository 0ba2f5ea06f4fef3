"""Write a dataset's files, each format by its one function of ``rehearsal.export``.

Writers whose packages are in the extra ``simulate`` are imported when their format is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path

import pandas as pd

from rehearsal.dataset.plan import DatasetPlan
from rehearsal.dataset.simulated_cohort import SimulatedCohort
from rehearsal.export.beacon_json import write_beacon_json
from rehearsal.export.clinical_tables import ClinicalTables
from rehearsal.export.fhir import FhirBundles
from rehearsal.export.genotypes import Genotypes
from rehearsal.export.json_lines import write_json_lines
from rehearsal.export.omop import write_omop
from rehearsal.export.phenopacket_interpretations import GeneKnowledge
from rehearsal.export.phenopackets import Phenopackets
from rehearsal.export.phenotype_tables import phenotype_columns, write_phenotype_tables
from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.export.selection import group_by_contig, select_people, select_rows
from rehearsal.export.summary_statistics import list_phenotypes, write_summary_statistics
from rehearsal.export.vcf import write_bcf, write_vcf
from rehearsal.formats.crypt4gh import SUFFIX, encrypt_file, encrypt_folder
from rehearsal.formats.scoring_file import SUFFIX as SCORING_SUFFIX
from rehearsal.model import Block

PEOPLE = "people.tsv"


@dataclass(frozen=True)
class Place:
    """The files of one place: a country, or all countries together."""

    name: str  # country code, or ``pooled``
    plan: DatasetPlan
    cohort: SimulatedCohort
    folder: Path

    @cached_property
    def keep(self) -> pd.Series:
        """Whether each person of the cohort belongs to the place."""
        cohort = self.cohort
        return select_people(self.plan.export, self.name, cohort.people, cohort.carriers)

    @cached_property
    def people(self) -> pd.DataFrame:
        """The people of the place, one row per person."""
        return self.cohort.people[self.keep].reset_index(drop=True)

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The clinical tables and the carriers of the place, by name."""
        return select_rows(self.people, {**self.cohort.tables, "carriers": self.cohort.carriers})

    @cached_property
    def contigs(self) -> list[Genotypes]:
        """The genotypes of the place, one item per contig."""
        return [self._genotypes(trees) for trees in group_by_contig(self.cohort.trees.values())]

    def blocks(self) -> Iterator[tuple[Block, Genotypes]]:
        """Iterate over the blocks and their genotypes."""
        for block, path in self.cohort.trees.items():
            yield block, self._genotypes([path])

    @property
    def vcf_version(self) -> str:
        """The version of VCF that headers name."""
        return self.plan.export.vcf_version

    def consequences(self, contig: str) -> pd.DataFrame:
        """Join the consequences of the alleles of a contig's blocks.

        Args:
            contig: The contig.
        """
        blocks = self.cohort.consequences.items()
        return pd.concat([table for block, table in blocks if block.contig == contig])

    def _genotypes(self, trees: list[Path]) -> Genotypes:
        contig = Block.from_id(trees[0].stem).contig
        return Genotypes.of(trees, contig, self.cohort.people, self.keep)


def write_place(place: Place) -> None:
    """Write the people, every format of the export and encrypted copies into the place's folder.

    ``rehearsal node build`` takes the table of people together with a VCF.

    Args:
        place: The place; its folder must not exist.
    """
    place.folder.mkdir(parents=True)
    place.people.to_csv(place.folder / PEOPLE, sep="\t", index=False, lineterminator="\n")
    for kind in place.plan.export.formats:
        WRITERS[kind](place)
    recipients = place.plan.export.recipients
    if recipients:
        for path in sorted(place.folder.iterdir()):
            encrypt = encrypt_folder if path.is_dir() else encrypt_file
            encrypt(path, f"{path}{SUFFIX}", *recipients)


def _bcf(place: Place) -> None:
    for genotypes in place.contigs:
        path = place.folder / f"{genotypes.contig}.bcf"
        write_bcf(genotypes, path, place.consequences(genotypes.contig), place.vcf_version)


def _vcf(place: Place) -> None:
    for genotypes in place.contigs:
        path = place.folder / f"{genotypes.contig}.vcf.gz"
        write_vcf(genotypes, path, place.consequences(genotypes.contig), place.vcf_version)


def _pgen(place: Place) -> None:
    from rehearsal.export.pgen import write_pgen

    tables = place.tables
    measured, ill, year = tables["measurements"], tables["diseases"], place.plan.reference_year
    columns = phenotype_columns(place.people, measured, ill, year)
    for genotypes in place.contigs:
        path = place.folder / f"{genotypes.contig}.pgen"
        write_pgen(genotypes, path, columns, place.consequences(genotypes.contig))


def _zarr(place: Place) -> None:
    from rehearsal.export.vcf_zarr import write_vcf_zarr

    for genotypes in place.contigs:
        path = place.folder / f"{genotypes.contig}.vcz.zip"
        write_vcf_zarr(genotypes, path, place.consequences(genotypes.contig))


def _trees(place: Place) -> None:
    from rehearsal.export.trees import write_trees

    for block, genotypes in place.blocks():
        write_trees(genotypes, place.folder / f"{block.id}.tsz")


def _phenopackets(place: Place) -> None:
    names = {one.name for one in fields(ClinicalTables)} - {"people"}
    clinical = ClinicalTables(people=place.people, **{name: place.tables[name] for name in names})
    genes = GeneKnowledge.of(place.plan.traits)
    packets = Phenopackets(clinical, genes, place.plan.reference_year)
    write_json_lines(packets, place.folder / "phenopackets.jsonl.gz")
    write_json_lines(packets.families(), place.folder / "families.jsonl.gz")


def _fhir(place: Place) -> None:
    bundles = FhirBundles(place.people, place.tables, place.plan.reference_year)
    write_json_lines(bundles, place.folder / "fhir.jsonl.gz")


def _beacon(place: Place) -> None:
    write_beacon_json(
        f"{place.plan.export.name}-{place.name}",
        place.people,
        place.tables,
        place.contigs,
        place.folder / "beacon",
        place.plan.reference_year,
    )


def _tables(place: Place) -> None:
    write_phenotype_tables(place.people, place.tables, place.folder / "tables")


def _omop(place: Place) -> None:
    folder = place.folder / "omop"
    write_omop(place.people, place.tables, folder, place.plan.reference_year)


def _scores(place: Place) -> None:
    folder = place.folder / "scores"
    folder.mkdir()
    for disease in place.plan.traits.diseases:
        if disease.name in place.cohort.effects["trait"].array:
            name = f"{disease.name}{SCORING_SUFFIX}"
            write_scoring_file(place.cohort.effects, disease, folder / name)


def _gwas(place: Place) -> None:
    write_summary_statistics(
        place.contigs,
        list_phenotypes(place.people, place.tables),
        place.cohort.effects,
        place.folder / "gwas",
        place.plan.reference_year,
    )


WRITERS: dict[str, Callable[[Place], None]] = {
    "bcf": _bcf,
    "vcf": _vcf,
    "pgen": _pgen,
    "zarr": _zarr,
    "trees": _trees,
    "phenopackets": _phenopackets,
    "fhir": _fhir,
    "beacon": _beacon,
    "tables": _tables,
    "omop": _omop,
    "scores": _scores,
    "gwas": _gwas,
}
