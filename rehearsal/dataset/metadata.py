"""The metadata of a dataset: read-me, catalogue and research object crate."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from rehearsal import __version__
from rehearsal.catalogue.dataset_descriptor import DatasetDescriptor
from rehearsal.catalogue.export_datasets import (
    ALL_COUNTRIES,
    UNRESTRICTED_USE,
    describe_file_dataset,
    write_metadata_files,
)
from rehearsal.catalogue.ro_crate import FILE_NAME, write_crate
from rehearsal.dataset.plan import DatasetOrder, DatasetPlan
from rehearsal.export.settings import POOLED
from rehearsal.files import write_text
from rehearsal.formats.crypt4gh import SUFFIX
from rehearsal.manifest import config_digest, digest_files, files_below
from rehearsal.report.provenance import versions
from rehearsal.report.questions.words import counted

PACKAGES = ("msprime", "tskit", "demes", "tstrait", "numpy", "pandas", "pysam", "isal")
TITLE = "Synthetic dataset of Rehearsal"

README = """\
SYNTHETIC DATA. All people in these files are simulated. The files hold no real genome or record.

What      {people} people ({countries}), {regions}, GRCh38
Formats   {formats}
Planted   {planted}
Traits    {traits}
Seed      {seed}: the same seed and version give the same files (except encrypted copies)
Made by   Rehearsal {version}
          {command}
Licence   MIT, https://opensource.org/license/mit

{places}/  the data: one folder per country, or one for all (pooled); people.tsv lists the people
truth/    the facts about the data, and queries with their right answers. To check your own service:
          rehearsal check URL --truth truth
          allele_counts.tsv.gz   counts by variant, country and sex (start is 0-based; hom, het and
                                 hemi count people; a country without carriers has no row)
          planted_carriers.tsv   carriers of the planted variants
          causal_sites.tsv       causal sites of the traits, and the effect of one copy of alt, in
                                 standard deviations of the genetic value and in the trait's unit
          genetic_values.tsv.gz  standardised genetic values, one per person and trait, with the
                                 part from the genome outside of the data; for diseases, liabilities
          untreated_values.tsv.gz  measurements that a treatment changed, and what they would be
                                 without it
          heteroplasmy.tsv       people with two alleles at a site of chrM, with the level of alt;
                                 only if chrM is in the data
          de_novo.tsv            alleles of children that arose in a parent's germ cell (parent)
          pedigree.tsv           one row per person: sex, year of birth, family, father, mother
          queries.json           queries in Beacon form, with their right answers
ro-crate-metadata.json                  every file with its digest; versions, seed, licence
catalogue.ttl, .jsonld, datasets.json   HealthDCAT-AP metadata
"""


def write_metadata(plan: DatasetPlan, folder: Path) -> None:
    """Write the read-me, the catalogue and the crate of a dataset, in this order.

    Args:
        plan: The plan of the dataset.
        folder: The folder of the dataset, with all its data.
    """
    _write(folder / "README.txt", _readme(plan))
    write_metadata_files((_describe(plan, one) for one in plan.export.places), __version__, folder)
    files = [path for path in files_below([folder]) if path.suffix != SUFFIX]
    manifest = {
        "seed": plan.order.seed,
        "config_digest": config_digest({"command": plan.order.as_command()}),
        "versions": {"rehearsal": __version__, **versions(PACKAGES)},
        "files": [asdict(entry) for entry in digest_files(folder, files)],
    }
    write_crate(folder / FILE_NAME, manifest, TITLE, plan.reference_year)


def _write(path: Path, text: str) -> None:
    write_text(path, text.rstrip("\n") + "\n")


def _readme(plan: DatasetPlan) -> str:
    order = plan.order
    return README.format(
        people=sum(plan.numbers.values()),
        countries=", ".join(f"{code} {number}" for code, number in plan.numbers.items()),
        regions=", ".join(block.region for block in plan.blocks),
        formats=", ".join(plan.export.formats),
        planted=_planted(order),
        traits=", ".join(order.traits) or "all that are configured",
        seed=order.seed,
        version=__version__,
        command=order.as_command(),
        places="/, ".join(plan.export.places),
    )


def _planted(order: DatasetOrder) -> str:
    alone = [f"{name} in {number}" for name, number in order.plant.items()]
    families = [
        f"{name} in {counted(n, 'family', 'families')}" for name, n in order.plant_families.items()
    ]
    if not alone and not families:
        return "nothing"
    return f"{', '.join(alone + families)}, from one founder {order.plant_age:g} generations ago"


def _describe(plan: DatasetPlan, place: str) -> DatasetDescriptor:
    names = {country.code: country.name for country in plan.countries}
    country = ALL_COUNTRIES if place == POOLED else (place, names[place])
    return describe_file_dataset(
        f"GOE-{country[0]}-DATASET-{plan.order.seed}",
        country,
        ", ".join(block.region for block in plan.blocks),
        sum(plan.numbers.values()) if place == POOLED else plan.numbers[place],
        plan.reference_year,
        UNRESTRICTED_USE,
        plan.export.formats,
        place,
    )
