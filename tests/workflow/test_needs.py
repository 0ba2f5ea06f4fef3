"""What jobs ask for: never less than was measured, and at most five times as much."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from rehearsal.export.settings import read_exports
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block

ROOT = Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "workflow"))
from asked import asked_lines  # noqa: E402
from needs import (  # noqa: E402
    NEEDS,
    JobSize,
    JobSizes,
    endless_exports,
    megabytes_of,
    minutes_of,
)

SCALE = (ROOT / "docs/operate/scale.md").read_text()
OF_A_BLOCK = ("simulate_block", "compute_genetic_values", None, "shard_block", None)
NATIONAL_MB = 228  # of all blocks; its blocks are of at most 5 Mb
LARGEST = 0.154  # of all people, in the largest country


def rows_below(heading):
    """The cells of the first table below a heading."""
    table = re.search(
        r"^\|.*?\n(?!\|)", SCALE.split(f"## {heading}\n")[1], re.MULTILINE | re.DOTALL
    )
    below = table.group().splitlines()[2:]
    return [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in below]


def number(text):
    return float(re.search(r"[\d.]+", text.replace(",", "")).group())


def check(rule, size, seconds, gigabytes):
    minutes = minutes_of(NEEDS[rule], size)
    assert seconds / 60 <= minutes <= max(10, 5 * seconds / 60), rule
    megabytes = megabytes_of(NEEDS[rule], size)
    assert 1000 * gigabytes <= megabytes <= max(600, 5000 * gigabytes), rule


def measured_blocks():
    """Rule, people, Mb, CPU seconds and GB of each cell of the table of single blocks."""
    for people, megabases, _, *cells in rows_below("Measured single blocks"):
        rules = (*OF_A_BLOCK, "measure_block_realism")
        for rule, cell in zip(rules, cells, strict=True):
            if rule is not None:
                numbers = [number(part) for part in re.split(r", (?!\d{3}\b)", cell)]
                yield rule, number(people), number(megabases), numbers[0], numbers[1]


@pytest.mark.parametrize(("rule", "people", "megabases", "seconds", "gigabytes"), measured_blocks())
def test_a_block_asks_for_what_was_measured_and_a_margin(
    rule, people, megabases, seconds, gigabytes
):
    check(rule, JobSize(int(people), megabases, 28), seconds, gigabytes)


@pytest.mark.parametrize(
    "row",
    [
        row
        for row in rows_below("`national.yaml`, planned job by job")
        if row[0].strip("`") in NEEDS
    ],
    ids=lambda row: row[0],
)
def test_each_rule_of_the_national_plan_asks_for_its_longest_job(row):
    rule = row[0].strip("`")
    people = 100_000 * (LARGEST if rule == "build_variant_store" else 1)
    megabases = 5 if int(row[1]) > 28 or rule == "count_variants" else NATIONAL_MB
    size = JobSize(int(people), megabases, 28)
    check(rule, size, 60 * number(row[3]), number(row[4]))


def test_the_largest_store_of_a_million_people_has_the_time_that_the_page_says():
    hours = number(SCALE.split("Its store takes")[1])
    size = JobSize(int(1_000_000 * LARGEST), 2855, 28)
    assert hours <= minutes_of(NEEDS["build_variant_store"], size) / 60 <= 5 * hours


def test_queries_of_a_whole_genome_are_drawn_in_little_memory():
    genome = JobSize(1_000_000, 2855, 28)
    assert megabytes_of(NEEDS["draw_queries"], genome) < 8000


def test_a_second_attempt_asks_for_more():
    need, size = NEEDS["shard_block"], JobSize(1_000_000, 5, 28)
    assert megabytes_of(need, size, 2) == pytest.approx(2 * megabytes_of(need, size), rel=0.01)
    assert minutes_of(need, size, 2) > minutes_of(need, size)


def test_every_rule_has_its_needs_and_asks_for_them():
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    parts = re.split(r"^(?:rule (\w+):|use rule \w+ as (\w+) with:)", text, flags=re.MULTILINE)
    names = [first or second for first, second in zip(parts[1::3], parts[2::3], strict=True)]
    rules = dict(zip(names, parts[3::3], strict=True))
    asks = {rule: re.findall(r'needs\("(\w+)"\)', body) for rule, body in rules.items()}
    assert asks == {rule: [rule] for rule in NEEDS}


def test_a_dry_run_says_what_the_largest_job_of_each_rule_asks_for():
    blocks = [Block("chr1", 0, 2_000_000), Block("chr2", 0, 5_000_000)]
    numbers = {"DE": 800_000, "FI": 200_000}
    entry = {"name": "all", "formats": ["vcf"], "pooled": True}
    exports = read_exports([entry], "config.yaml", list(numbers), [], blocks)
    inputs = SimpleNamespace(numbers=numbers, blocks=blocks, exports=exports, countries=numbers)
    of_export = {"name", "place", "contig"}
    rules = {"shard_block": {"block"}, "build_variant_store": {"country"}, "check_verdict": ()}
    rules |= {"export_vcf": of_export, "export_bcf": of_export, "create_issuer": ()}
    lines = list(asked_lines(rules, JobSizes(inputs), {"check_verdict": 600.0}))
    block = NEEDS["shard_block"], JobSize(1_000_000, 5, 2)
    assert [line.split() for line in lines[1:]] == [
        [str(minutes_of(*block)), "min", f"{megabytes_of(*block) / 1000:.1f}", "GB", "shard_block"],
        ["26", "min", "4.7", "GB", "export_vcf"],
        ["21", "min", "0.6", "GB", "check_verdict"],
        ["10", "min", "11.3", "GB", "build_variant_store"],
        ["10", "min", "0.6", "GB", "create_issuer"],
    ]


def said_of_an_export(**regions):
    """What is said of an export of a million people and all contigs."""
    blocks = [Block(contig, 0, length) for contig, length in CONTIG_LENGTHS.items()]
    entry = {"name": "all", "formats": ["vcf", "gwas"], "pooled": True, **regions}
    exports = read_exports([entry], "config.yaml", ["DE", "FI"], [], blocks)
    numbers = {"DE": 150_000, "FI": 850_000}
    inputs = SimpleNamespace(numbers=numbers, blocks=blocks, exports=exports, countries=numbers)
    return list(endless_exports(exports.values(), JobSizes(inputs)))


def test_an_export_that_takes_longer_than_jobs_ask_for_is_said():
    (line,) = said_of_an_export()
    assert re.search(r"^exports: all: .* takes about 1\d\d h, and jobs ask for 23 h at most", line)
    assert said_of_an_export(regions=["chr22:0-50000000"]) == []


def test_the_page_about_clusters_lists_the_rules_that_take_several_cores():
    text = "\n".join(path.read_text() for path in (ROOT / "workflow/rules").glob("*.smk"))
    rules = re.findall(r"^rule (\w+):(?:\n(?!rule ).*)*?\n    threads: ([24])$", text, re.MULTILINE)
    page = (ROOT / "docs/operate/cluster.md").read_text()
    listed = re.search(
        r"- The rules (.*?) ask for four cores, and (.*?) for two\.", page, re.DOTALL
    )
    for group, cores in zip(listed.groups(), "42", strict=True):
        assert sorted(re.findall(r"`(\w+)`", group)) == sorted(r for r, n in rules if n == cores)
