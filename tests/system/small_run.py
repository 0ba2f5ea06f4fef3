"""A finished run of a few countries, made by the workflow: what the commands of pages work with."""

from pathlib import Path

import yaml

from tests.workflow.processes import ROOT, SNAKEMAKE, run_in

COUNTRIES = ("BE", "DE", "ES", "FI", "IT", "PL", "SE")  # those that pages name
# all in two blocks: every gene that a disease names, the variant that pages ask for, and one on X
PLANTED = (
    ("BRCA1", "c.5266dup", "chr17", 43_057_062, "T", "TG", "dominant", "*=0.05", ""),
    ("BRCA2", "v", "chr17", 43_060_001, "G", "GT", "dominant", "*=0.05", ""),
    ("PHGDH", "v", "chr17", 43_070_001, "T", "C", "recessive", "", "ES:homozygous=1"),
    ("TLR7", "v", "chrX", 12_886_152, "A", "G", "X-linked", "", "IT:hemizygous=1"),
)
TARGETS = ("results/queries/answers.parquet", "results/catalogue/catalogue.ttl")


def overlay(folder: Path) -> Path:
    """Write a configuration of seven countries of 40 people, with 0.2 Mb of chr17."""
    lines = (ROOT / "config/countries.tsv").read_text().splitlines()
    kept = [line for line in lines if line.split("\t")[0] in ("code", *COUNTRIES)]
    header = (ROOT / "config/variants.tsv").read_text().splitlines()[0]
    rows = [
        "\t".join(map(str, (gene, name, contig, place, ref, alt, how, "any", share, 0, who, "")))
        for gene, name, contig, place, ref, alt, how, share, who in PLANTED
    ]
    for name, table in (("countries", kept), ("variants", [header, *rows])):
        (folder / f"{name}.tsv").write_text("\n".join(table) + "\n")
    settings = {
        "countries": str(folder / "countries.tsv"),
        "variants": str(folder / "variants.tsv"),
        "stories": None,
        "cohort": {"people_per_country": 40},
        "genome": {"regions": ["chr17:43000000-43200000"], "planted_window": 20_000},
    }
    path = folder / "overlay.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def make_small_run(folder: Path, timeout_s: float) -> None:
    """Run the workflow in a folder with a ``config``, until the query suite has been asked."""
    command = [*SNAKEMAKE, "--cores", "2", "--configfile", overlay(folder), "--", *TARGETS]
    made = run_in(folder, *command, timeout_s=timeout_s)
    assert made.returncode == 0, made.stderr[-3000:]
