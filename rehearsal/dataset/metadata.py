"""What stands beside a dataset so that others can find it and know what it is."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from rdflib import Graph

from rehearsal import __version__
from rehearsal.catalogue.crate import FILE_NAME, write_crate
from rehearsal.catalogue.dcat import base_of, catalogue, json_ld, turtle
from rehearsal.catalogue.descriptor import Descriptor, Distribution, answer_survey, as_json
from rehearsal.dataset.plan import Plan, region_text
from rehearsal.export.crypt4gh import SUFFIX
from rehearsal.export.settings import POOLED
from rehearsal.files import written_aside
from rehearsal.manifest import config_digest, digest_files, files_below
from rehearsal.report.provenance import versions

PACKAGES = ("msprime", "tskit", "demes", "tstrait", "numpy", "pandas", "pysam", "isal")
TITLE = "Synthetic dataset of Rehearsal"
NO_BASIS = ("none: nobody in it is real",)
ANY_USE = (("DUO:0000004", 1.0),)
ALL_COUNTRIES = ("EU", "several countries")  # what a pooled dataset has for a country
MEDIA_TYPE = "application/octet-stream"

README = """\
SYNTHETIC DATA. Every person in these files was simulated; no real genome or record is in them.

What      {people} people ({countries}), {regions}, GRCh38
Formats   {formats}
Planted   {planted}
Traits    {traits}
Seed      {seed}: the same seed and version give the same files (encrypted copies are drawn anew)
Made by   Rehearsal {version}
          {command}
Licence   MIT, https://opensource.org/license/mit

{places}/  the data, a folder a country or one for all (pooled); people.tsv: who is in them
truth/    what is in them, and the right answers to questions about them; check your own service:
          rehearsal check URL --truth truth
          allele_counts.tsv.gz   of every variant, country and sex (start is 0-based; hom, het and
                                 hemi are people; a country without carriers has no row)
          planted_carriers.tsv   who carries the planted variants
          causal_sites.tsv       of traits: sites, and the effect of one copy of alt in standard
                                 deviations of the genetic value
          genetic_values.tsv.gz  of everybody and every trait, standardised; liabilities to diseases
          pedigree.tsv           everybody: sex, year of birth, family, father, mother
          queries.json           queries in Beacon form with their right answers
ro-crate-metadata.json                  every file with its digest, versions, seed, licence
catalogue.ttl, .jsonld, datasets.json   HealthDCAT-AP metadata
"""


def write_metadata(plan: Plan, folder: Path) -> None:
    """Write the read-me, the catalogue and the crate into a dataset's folder, in this order."""
    _write(folder / "README.txt", _readme(plan))
    described = [_describe(plan, place) for place in plan.export.places]
    graph = Graph()
    for one in described:
        title = f"Synthetic genomes of {one.country_name}"
        graph += catalogue([one], base_of(one.country_code), title, __version__)
    _write(folder / "catalogue.ttl", turtle(graph))
    _write(folder / "catalogue.jsonld", json_ld(graph))
    _write(folder / "datasets.json", json.dumps([as_json(one) for one in described], indent=1))
    files = [path for path in files_below([folder]) if path.suffix != SUFFIX]
    manifest = {
        "seed": plan.order.seed,
        "config_digest": config_digest({"command": plan.order.as_command()}),
        "versions": {"rehearsal": __version__, **versions(PACKAGES)},
        "files": [asdict(entry) for entry in digest_files(folder, files)],
    }
    write_crate(folder / FILE_NAME, manifest, TITLE, plan.reference_year)


def _write(path: Path, text: str) -> None:
    with written_aside(path) as aside:
        aside.write_text(text.rstrip("\n") + "\n", encoding="utf-8")


def _readme(plan: Plan) -> str:
    order = plan.order
    return README.format(
        people=sum(plan.numbers.values()),
        countries=", ".join(f"{code} {number}" for code, number in plan.numbers.items()),
        regions=", ".join(map(region_text, plan.blocks)),
        formats=", ".join(plan.export.formats),
        planted=", ".join(f"{name} in {n}" for name, n in order.plant.items()) or "nothing",
        traits=", ".join(order.traits) or "all that are configured",
        seed=order.seed,
        version=__version__,
        command=order.as_command(),
        places="/, ".join(plan.export.places),
    )


def _describe(plan: Plan, place: str) -> Descriptor:
    names = {country.code: country.name for country in plan.countries}
    code, name = ALL_COUNTRIES if place == POOLED else (place, names[place])
    people = sum(plan.numbers.values()) if place == POOLED else plan.numbers[place]
    regions = ", ".join(map(region_text, plan.blocks))
    return Descriptor(
        identifier=f"GOE-{code}-DATASET-{plan.order.seed}",
        title=f"People of {name}, synthetic",
        description=f"Simulated people of {name} with phenotypes and variants, GRCh38, {regions}.",
        country_code=code,
        country_name=name,
        individuals=people,
        records=people,
        year=plan.reference_year,
        survey=answer_survey(NO_BASIS, ANY_USE),
        uses=ANY_USE,
        distributions=tuple(
            Distribution(kind, f"As {kind}", place, MEDIA_TYPE) for kind in plan.export.formats
        ),
    )
