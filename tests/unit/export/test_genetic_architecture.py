"""A short stretch of the genome explains little of a trait: PLINK 2 judges an export."""

import shutil
import subprocess

import msprime
import numpy as np
import pandas as pd
import pytest
import yaml

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.model import Block
from rehearsal.phenotypes.genetic_values import genetic_values_of_block, join_blocks
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits

PEOPLE, YEAR, TRAITS = 1000, 2026, 40
BLOCK = Block("chr22", 20_000_000, 21_500_000)
MEDIAN = 0.4549364  # of chi squared with one degree of freedom


@pytest.fixture(scope="module")
def traits(tmp_path_factory):
    """Forty traits of the same kind: one of them alone tells little about its distribution."""
    genetics = {"heritability": 0.5, "causal_sites": 200, "frequency_dependence": -0.4}
    kind = {"unit": "mmol/L", "decimals": 4, "distribution": "normal", "mean": 3, "sd": 1}
    measurements = {
        f"trait{n}": {"code": f"LOINC:{n}", "label": "L", **kind, "genetics": genetics}
        for n in range(TRAITS)
    }
    path = tmp_path_factory.mktemp("traits") / "traits.yaml"
    path.write_text(yaml.safe_dump({"measurements": measurements, "diseases": {}}))
    return read_traits(path)


@pytest.fixture(scope="module")
def study(traits):
    """A thousand people of two populations, on 1.5 Mb of chromosome 22."""
    model = msprime.Demography.island_model([8_000] * 2, 1e-3)
    ancestry = msprime.sim_ancestry(
        {"pop_0": PEOPLE // 2, "pop_1": PEOPLE // 2},
        demography=model,
        recombination_rate=msprime.RateMap(
            position=[0, BLOCK.start, BLOCK.end, 50_818_468], rate=[0, 1.5e-8, 0]
        ),
        random_seed=5,
    ).keep_intervals([[BLOCK.start, BLOCK.end]])
    ts = msprime.sim_mutations(ancestry, rate=1.3e-8, model=msprime.HKY(4.0), random_seed=5)
    draw = np.random.default_rng(1)
    people = pd.DataFrame(
        {
            "id": pd.array([f"FI-{n:06d}" for n in range(PEOPLE)], dtype="str"),
            "country": "FI",
            "sex": draw.choice(["female", "male"], PEOPLE),
            "birth_year": draw.integers(1940, 2000, PEOPLE),
            "father": None,
            "mother": None,
            "inbreeding": 0.0,
        }
    )
    raw = join_blocks([genetic_values_of_block(ts, BLOCK, traits, [BLOCK], 3)], [BLOCK])
    nobody = pd.DataFrame({"gene": [], "individual": [], "copies": []})
    return ts, people, simulate_phenotypes(people, raw, nobody, traits, 3, YEAR)


@pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")
def test_plink_finds_no_inflation_with_ten_principal_components(study, tmp_path):
    ts, people, result = study
    values = result.measurements.pivot(index="individual", columns="code", values="value")
    values = values.reindex(people["id"]).reset_index(drop=True)
    values.columns = [name.replace(":", "") for name in values.columns]
    write_pgen(Genotypes.of([ts], "chr22", people), tmp_path / "x.pgen", values)
    common = ["--pfile", "x", "--maf", "0.05", "--threads", "2", "--out", "x"]
    pruned = ["--indep-pairwise", "200kb", "1", "0.2", "--set-all-var-ids", "@:#:$r:$a"]
    pruned += ["--new-id-max-allele-len", "500", "truncate", "--rm-dup", "force-first"]
    plink(tmp_path, *common, *pruned)
    named = [*common, *pruned[4:], "--extract", "x.prune.in", "--pca", "10"]
    plink(tmp_path, *named)
    tested = [
        "--glm",
        "hide-covar",
        "allow-no-covars",
        "--covar",
        "x.eigenvec",
        "--pheno",
        "x.psam",
    ]
    plink(tmp_path, *common, *tested, "--pheno-name", ",".join(values.columns))
    inflation = []
    for name in values.columns:
        table = pd.read_csv(tmp_path / f"x.{name}.glm.linear", sep="\t").dropna(subset=["T_STAT"])
        inflation.append((table["T_STAT"] ** 2).median() / MEDIAN)
    assert 0.95 < np.mean(inflation) < 1.05


def plink(folder, *options):
    subprocess.run(["plink2", *options], cwd=folder, check=True, capture_output=True)


def test_the_heritability_is_that_of_the_whole_genome(study):
    _, _, result = study
    values = result.measurements.pivot(index="individual", columns="code", values="value")
    genetic = result.genetic_values.pivot(
        index="individual", columns="trait", values="genetic_value"
    )
    shares = [
        np.corrcoef(genetic[f"trait{n}"], values[f"LOINC:{n}"])[0, 1] ** 2 for n in range(TRAITS)
    ]
    assert np.mean(shares) == pytest.approx(0.5, abs=0.02)
