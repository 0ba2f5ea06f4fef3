"""A dry run says what a dataset will have, without making it."""

import pandas as pd
import pytest

from rehearsal.cli import main
from rehearsal.dataset.costs import BYTES, SECONDS, dry_run_command, estimate
from rehearsal.dataset.place_files import WRITERS
from rehearsal.dataset.plan import make_plan

FACTOR = 2  # that the page and the module promise
OF_FORMAT = {
    "vcf": "*/*.vcf.gz*",
    "bcf": "*/*.bcf*",
    "pgen": "*/*.p[gvs]*",
    "zarr": "*/*.vcz.zip",
    "trees": "*/*.tsz",
    "phenopackets": "*/[pf]*.jsonl.gz",
    "fhir": "*/fhir*",
    **{kind: f"*/{kind}/*" for kind in ("beacon", "tables", "omop", "gwas")},
}


def bytes_of(folder, pattern="**/*"):
    return sum(path.stat().st_size for path in folder.glob(pattern) if path.is_file())


def within(expected, found):
    return found / FACTOR <= expected <= found * FACTOR


def test_people_are_exact_and_sites_and_bytes_within_a_factor(order, made, tmp_path):
    changes = {"people": {"FI": 30, "ES": 12}, "regions": ["chr22:20000000-20200000"], "plant": {}}
    changes |= {"formats": list(OF_FORMAT), "traits": []}
    told = estimate(make_plan(order(**changes), tmp_path / "OUT"))
    folder = made(tmp_path / "OUT", **changes)
    people = pd.read_csv(folder / "truth/pedigree.tsv", sep="\t")
    assert told.people == people["country"].value_counts().to_dict()
    assert told.bases == {"chr22": 200_000}
    counts = pd.read_csv(folder / "truth/allele_counts.tsv.gz", sep="\t")
    assert within(told.sites, len(counts.drop_duplicates(["contig", "start"])))
    wrong = {
        kind: (told.formats[kind], bytes_of(folder, pattern))
        for kind, pattern in OF_FORMAT.items()
        if not within(told.formats[kind], bytes_of(folder, pattern))
    }
    assert wrong == {}
    assert within(told.other + sum(told.formats.values()), bytes_of(folder))


def test_a_dry_run_prints_plain_lines_and_writes_nothing(tmp_path, capsys):
    options = ["--country", "FI=6", "--country", "ES=1000", "--region", "chr22:20000000-20050000"]
    main(["dataset", "--dry-run", *options, "--region", "chrM", str(tmp_path / "OUT")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[:2] == [
        "people: 1,006 (ES 1,000, FI 6)",
        "regions: 0.066569 Mb (chr22 0.05 Mb, chrM 0.016569 Mb)",
    ]
    names = [line.partition(":")[0] for line in lines]
    assert names[2:5] == ["sites", "vcf", "phenopackets"]
    assert names[5:] == ["reference, truth and metadata", "all files", "time", "memory"]
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_makes_all_complaints(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["dataset", "--dry-run", "--country", "XX=5", "--formats", "word", str(tmp_path)])
    captured = capsys.readouterr()
    assert ended.value.code == 2 and captured.out == ""
    assert ["--country" in line for line in captured.err.splitlines()] == [True, False]
    assert "--formats" in captured.err


def test_every_format_has_a_cost():
    assert BYTES.keys() == SECONDS.keys() == WRITERS.keys()


def test_a_dry_run_shows_what_is_planted(order, tmp_path, capsys):
    plant = {"chr22-20001000-ATCT-A": 1, "chr22-20003000-A-G/chr22-20003000-A-G": 2}
    dry_run_command(order(plant=plant, plant_families={"BRCA1:c.5266dup": 1}), tmp_path / "OUT")
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("planted")]
    assert lines == [
        "planted: chr22-20001000-ATCT-A: 1 carrier (FI 1)",
        "planted: chr22-20003000-A-G: 2 carriers (ES 1, FI 1), 2 of them with two copies",
        "planted: chr17-43057062-T-TG (BRCA1 c.5266dup): 2 carriers (FI 2)",
        "planted families: 1 family of 4, whose members are counted above",
    ]
