"""A dataset's people and genomes are those of a run: the workflow's scripts make the same."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
import tskit
import yaml

from rehearsal.dataset.plan import make_plan
from rehearsal.dataset.simulated_cohort import simulate_cohort
from rehearsal.genomes.people import PlannedCohort
from rehearsal.genomes.people_order import shuffled

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = ROOT / "scripts"
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


class Named(SimpleNamespace):
    """Files by name, as Snakemake hands them to a script."""

    def __getitem__(self, name):
        return getattr(self, name)


def run_script(name, inputs, outputs, wildcards=None, **params):
    """Run a script's ``main`` with a stand-in for Snakemake's object."""
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    script.main(
        SimpleNamespace(
            input=Named(**inputs),
            output=Named(**outputs),
            params=Named(**params),
            wildcards=Named(**(wildcards or {})),
        )
    )


def files(folder, *names):
    return {name: folder / f"{name}.parquet" for name in names}


PHENOTYPES = (
    *("diseases", "measurements", "features", "exposures", "treatments", "missing"),
    *("excluded_features", "candidate_genes", "tumour_variants", "effects", "genetic_values"),
    "untreated_values",
)
SEQUENCING = ("subjects", "biosamples", "runs", "analyses")


def in_a_datasets_order(cohort, seed):
    """A dataset's people are those of a run in another order: it comes after planning them."""
    planned = shuffled(PlannedCohort(*(pd.read_parquet(path) for path in cohort.values())), seed)
    planned.people.to_parquet(cohort["people"])
    planned.planted.to_parquet(cohort["planted"])
    planned.patients.to_parquet(cohort["patients"])


def run_workflow(plan, traits, folder):
    """The workflow's scripts from the demography to the sequencing, with files in ``folder``."""
    seed, year = plan.order.seed, plan.reference_year
    model = folder / "model.yaml"
    run_script(
        "build_demography",
        {"model": [], "parameters": plan.parameters},
        {"model": model, "drawing": folder / "model.svg", "expected": folder / "fst.parquet"},
        countries=plan.countries,
    )
    cohort = files(folder, "people", "planted", "patients")
    run_script(
        "simulate_people",
        {},
        cohort,
        countries=plan.asked,
        numbers=plan.numbers,
        cohort=CONFIG["cohort"] | {"family_share": plan.family_share},
        variants=plan.planted,
        seed=seed,
        patients=plan.carriers,
    )
    in_a_datasets_order(cohort, seed)
    reference = {"fasta": folder / "reference.fa.gz", "contigs": folder / "contigs.json"}
    reference |= {part: folder / f"reference.fa.gz.{part}" for part in ("fai", "gzi")}
    reference |= {
        "genes": folder / "genes.gff3.gz",
        "shared": [folder / "FI/reference/contigs.json"],
    }
    run_script(
        "make_reference",
        {},
        reference,
        genome=plan.genome,
        blocks=plan.blocks,
        variants=plan.planted,
        transcripts=plan.transcripts,
        seed=seed,
    )
    blocks = []
    for block in plan.blocks:
        own = files(folder / block.id, "effects", "values", "carriers", "damaged", "counts")
        trees = {"trees": folder / f"{block.id}.trees"}
        consequences = {"consequences": folder / f"{block.id}.parquet"}
        shared = {"block": block, "variants": plan.planted, "seed": seed}
        drawn = {"map": folder / f"{block.contig}.map.gz"}
        run_script(
            "draw_recombination_map",
            {},
            drawn,
            {"contig": block.contig},
            genome=plan.genome,
            seed=seed,
        )
        run_script(
            "simulate_block",
            {
                **cohort,
                "model": model,
                "map": [drawn["map"]],
                "reference": reference["fasta"],
                "contigs": reference["contigs"],
            },
            trees | consequences,
            genome=plan.genome,
            transcripts=plan.transcripts,
            **shared,
        )
        run_script(
            "compute_genetic_values",
            {**cohort, **trees, **consequences, "traits": traits},
            own,
            blocks=plan.blocks,
            patients=[],
            **shared,
        )
        run_script("count_variants", trees, own)
        blocks.append(own)
    of_blocks = {name: [own[name] for own in blocks] for name in blocks[0]}
    run_script(
        "simulate_phenotypes",
        {**cohort, **of_blocks, "traits": traits},
        files(folder, *PHENOTYPES, "family_history", "carriers"),
        blocks=plan.blocks,
        seed=seed,
        reference_year=year,
        patients=[],
    )
    run_script(
        "simulate_sample_metadata",
        {**cohort, "counts": of_blocks["counts"], "traits": traits},
        files(folder, *SEQUENCING),
        seed=seed,
        reference_year=year,
    )


@pytest.fixture(scope="module")
def plan(order, tmp_path_factory):
    wanted = {"formats": ["vcf"], "traits": [], "regions": ["chr22:20000000-20050000"]}
    return make_plan(order(**wanted), tmp_path_factory.mktemp("plan") / "OUT")


@pytest.fixture(scope="module")
def cohort(plan, tmp_path_factory):
    return simulate_cohort(plan, tmp_path_factory.mktemp("dataset"), lambda stage: None)


@pytest.fixture(scope="module")
def run_folder(plan, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    run_workflow(plan, ROOT / CONFIG["traits"], folder)
    return folder


def test_the_same_seed_gives_the_people_of_a_run(cohort, run_folder):
    pd.testing.assert_frame_equal(cohort.people, pd.read_parquet(run_folder / "people.parquet"))
    assert set(cohort.people["country"]) == {"FI", "ES"}


def test_the_same_seed_gives_the_consequences_of_a_run(cohort, run_folder):
    for block, table in cohort.consequences.items():
        pd.testing.assert_frame_equal(table, pd.read_parquet(run_folder / f"{block.id}.parquet"))
    assert sum(len(table) for table in cohort.consequences.values()) > 100


def test_the_same_seed_gives_the_genomes_of_a_run(cohort, run_folder):
    assert len(cohort.trees) == 2
    for block, path in cohort.trees.items():
        ts = tskit.load(path)
        run = tskit.load(run_folder / f"{block.id}.trees")
        assert ts.equals(run, ignore_ts_metadata=True)  # they name the reference's files
        assert ts.num_sites > 100


@pytest.mark.parametrize("name", [*PHENOTYPES, *SEQUENCING, "carriers"])
def test_the_same_seed_gives_the_tables_of_a_run(cohort, run_folder, name, tmp_path):
    tables = cohort.tables | {
        "effects": cohort.effects,
        "genetic_values": cohort.genetic_values,
        "untreated_values": cohort.untreated_values,
        "carriers": cohort.carriers,
    }
    tables[name].to_parquet(tmp_path / "table.parquet")
    written = pd.read_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(written, pd.read_parquet(run_folder / f"{name}.parquet"))
