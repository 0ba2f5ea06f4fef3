"""Whoever loads an export can check a service with the truth beside it: tried with one that is not
ours, on exports of some people and some of their variants."""

import gzip
import json
import re
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.cli import main
from rehearsal.dataset.plan import DatasetOrder, make_plan
from rehearsal.dataset.simulated_cohort import simulate_cohort
from rehearsal.evaluation.known_answers import write_known_answers
from rehearsal.export.beacon_json import write_beacon_json
from rehearsal.export.genotypes import Genotypes
from rehearsal.export.selection import group_by_contig, select_people, select_rows
from rehearsal.export.settings import read_exports
from rehearsal.model import Block
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.subcohort import select_subcohort
from rehearsal.truth.subcohort_facts import SubcohortFacts

pytestmark = pytest.mark.system

ORDER = DatasetOrder(
    people={"FI": 20, "ES": 12},
    regions=["chr22:20000000-20100000"],
    formats=["beacon"],
    plant={"BRCA1:c.5266dup": 4},
    traits=["ldl", "coronary_artery_disease"],
    pooled=False,
    recipients=[],
    reference=None,
    seed=7,
)
PATIENTS = pd.DataFrame({"story": ["cancer", "rare"], "individual": ["FI-000003", "ES-000002"]})


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A plan and its cohort."""
    folder = tmp_path_factory.mktemp("cohort")
    plan = make_plan(ORDER, folder / "OUT")
    return plan, simulate_cohort(plan, folder, lambda stage: None)


def export(run, folder: Path, place: str, **entry) -> Path:
    """An export's Beacon documents of a place, and the truth beside them."""
    plan, cohort = run
    entry = {"name": "one", "formats": ["beacon"], **entry}
    wanted = read_exports([entry], "my.yaml", list(plan.numbers), plan.planted, plan.blocks)["one"]
    keep = select_people(wanted, place, cohort.people, cohort.carriers, PATIENTS)
    people = cohort.people[keep].reset_index(drop=True)
    trees = {block: cohort.trees[block] for block in wanted.blocks(plan.blocks)}
    contigs = [
        Genotypes.of(
            files,
            Block.from_id(files[0].stem).contig,
            cohort.people,
            keep,
            wanted.regions,
            wanted.variants,
        )
        for files in group_by_contig(trees.values())
    ]
    tables = select_rows(people, cohort.tables)
    write_beacon_json("one", people, tables, contigs, folder / place / "beacon", 2026)
    clinical = (cohort.tables[name] for name in ("diseases", "features", "measurements"))
    facts = SubcohortFacts(
        TruthSources(trees, cohort.people, *clinical),
        plan.planted,
        cohort.carriers,
        cohort.effects,
        cohort.genetic_values,
        cohort.untreated_values,
        select_subcohort(wanted, cohort.people, cohort.carriers, PATIENTS),
    )
    write_known_answers(facts, plan.templates, 7, 2026, folder / "truth")
    return folder


def check(url: str, truth: Path, capsys, *options: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["check", url, "--truth", str(truth), *options])
    return ended.value.code, capsys.readouterr().out


def counted(out: str) -> tuple[int, int]:
    """Read how many answers of how many were right as far as they went."""
    right, _, incomplete, of = re.search(
        r"^(\d+) right(, (\d+) incomplete)?.* of (\d+); judged", out, re.M
    ).groups()
    return int(right) + int(incomplete or 0), int(of)


@pytest.mark.parametrize(
    ("place", "entry"),
    [
        ("pooled", {"pooled": True, "limit": 7, "regions": ["chr22:20030000-20070000"]}),
        ("pooled", {"pooled": True, "people": "carriers", "variants": "planted"}),
        ("FI", {"people": "patients", "story": "cancer"}),
    ],
    ids=["first-people-of-a-region", "carriers-of-planted-variants", "patients-of-a-story"],
)
def test_a_service_with_a_part_of_the_cohort_is_found_right(
    run, static_beacon, tmp_path, capsys, place, entry
):
    folder = export(run, tmp_path / "one", place, **entry)
    with static_beacon(folder / place / "beacon") as url:
        options = [] if place == "pooled" else ["--place", place]
        status, out = check(url, folder / "truth", capsys, *options)
    right, of = counted(out)
    assert (status, right) == (0, of), out
    assert of >= 10
    assert re.search(r" {2}(right|incomplete) +\w+ +yes", out), "some answers must not be empty"


def test_one_answer_that_was_altered_is_found_and_no_other(run, static_beacon, tmp_path, capsys):
    """A country's first people; one of the carriers of a variant that is asked for is taken out."""
    folder = export(run, tmp_path / "one", "FI", countries=["FI"], limit=9)
    queries = json.loads((folder / "truth/queries.json").read_bytes())["queries"]
    asked = next(
        one
        for one in queries
        if one["id"].startswith("carriers-common") and one["expected"]["FI"]["count"] > 1
    )
    start = asked["request"]["query"]["requestParameters"]["start"]
    file = folder / "FI/beacon/genomicVariations.json.gz"
    documents = json.loads(gzip.decompress(file.read_bytes()))
    (variant,) = (one for one in documents if [one["_position"]["startInteger"]] == start)
    variant["caseLevelData"].pop()
    file.write_bytes(gzip.compress(json.dumps(documents).encode()))
    with static_beacon(folder / "FI/beacon") as url:
        status, out = check(url, folder / "truth", capsys, "--place", "FI")
    assert status == 1
    wrong = re.findall(r"^(\S+) +WRONG", out, re.M)
    assert asked["id"] in wrong
    here = [one["id"] for one in queries if _asks_at(one, start) and "carriers" in one["id"]]
    assert set(wrong) <= set(here), out


def _asks_at(query, start) -> bool:
    return query["request"]["query"]["requestParameters"].get("start") == start


def test_the_tables_beside_are_those_of_the_part(run, tmp_path):
    folder = export(run, tmp_path / "one", "FI", countries=["FI"], limit=5, variants="planted")
    read = {
        path.name.split(".")[0]: pd.read_csv(path, sep="\t")
        for path in (folder / "truth").glob("*.tsv*")
    }
    first = [f"FI-{number:06}" for number in range(1, 6)]
    assert read["pedigree"]["id"].tolist() == first
    assert set(read["genetic_values"]["individual"]) == set(first)
    assert set(read["planted_carriers"]["individual"]) <= set(first)
    assert set(read["allele_counts"]["start"]) <= {43057061}  # BRCA1 c.5266dup, 0-based
    assert set(read["causal_sites"]["start"]) <= {43057061}
