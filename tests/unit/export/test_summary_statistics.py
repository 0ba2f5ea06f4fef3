"""Association statistics equal those of PLINK 2 on the PGEN of the same people."""

import re
import shutil
import subprocess

import msprime
import numpy as np
import pandas as pd
import pytest
import yaml

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.pgen import write_pgen
from rehearsal.export.summary_statistics import Phenotype, write_summary_statistics
from rehearsal.genomes.structural import SITE_SCHEMA

PEOPLE, YEAR = 300, 2026
EFFECTS = ["trait", "contig", "start", "ref", "alt", "effect", "effect_in_unit", "unit"]
COLUMNS = (
    "chromosome base_pair_location effect_allele other_allele {} standard_error "
    "effect_allele_frequency p_value variant_id n"
)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A measurement that one site raises, with some values missing, and a disease of it."""
    ts = msprime.sim_ancestry(PEOPLE, population_size=10_000, sequence_length=20_000, random_seed=4)
    ts = msprime.sim_mutations(ts, rate=1e-8, model=msprime.HKY(4.0), random_seed=4)
    draw = np.random.default_rng(1)
    people = pd.DataFrame(
        {
            "id": [f"FI-{n:06d}" for n in range(PEOPLE)],
            "country": "FI",
            "sex": draw.choice(["female", "male"], PEOPLE),
            "birth_year": draw.integers(1940, 2000, PEOPLE),
        }
    )
    copies = ts.genotype_matrix().reshape(ts.num_sites, PEOPLE, 2).sum(axis=2)
    frequency = copies.mean(axis=1) / 2
    causal = int(np.argmin(np.abs(frequency - 0.3)))
    value = (
        3 + 0.8 * copies[causal] + 0.01 * (YEAR - people["birth_year"]) + draw.normal(size=PEOPLE)
    )
    ill = (value > value.quantile(0.7)).to_numpy(float)
    value = value.to_numpy(float, copy=True)
    value[:20] = np.nan
    phenotypes = [
        Phenotype("LOINC_1", "LOINC:1", "LDL", value),
        Phenotype("ICD10_I25", "ICD10:I25", "heart disease", ill),
        Phenotype("ICD10_R", "ICD10:R", "rare", np.arange(PEOPLE) < 3.0),
    ]
    effects = pd.DataFrame(
        [("ldl", "chr22", int(ts.sites_position[causal]), "A", "G", 1.1, 0.8, "mmol/L")],
        columns=EFFECTS,
    )
    genotypes = Genotypes.of([ts], "chr22", people)
    folder = tmp_path_factory.mktemp("gwas") / "gwas"
    write_summary_statistics([genotypes], phenotypes, effects, folder, YEAR)
    return genotypes, phenotypes, folder


def read(folder, name):
    return pd.read_csv(folder / f"{name}.tsv.gz", sep="\t", na_values="#NA")


def test_columns_are_those_of_gwas_ssf_and_metadata_lie_beside(study):
    _, _, folder = study
    assert list(read(folder, "LOINC_1").columns) == COLUMNS.format("beta").split()
    assert list(read(folder, "ICD10_I25").columns) == COLUMNS.format("odds_ratio").split()
    metadata = yaml.safe_load((folder / "LOINC_1.tsv.gz-meta.yaml").read_text())
    assert metadata["genome_assembly"] == "GRCh38" and "SYNTHETIC" in metadata["author_notes"]
    assert not (folder / "ICD10_R.tsv.gz").exists()  # three cases are too few
    assert read(folder, "LOINC_1")["n"].unique().tolist() == [PEOPLE - 20]


def test_metadata_have_the_sample_size_of_each_trait(study):
    """Required keys are those of gwas-sumstats-tools 1.0.25 (``schema/metadata.py``)."""
    _, _, folder = study
    by_name = {
        name: yaml.safe_load((folder / f"{name}.tsv.gz-meta.yaml").read_text())
        for name in ("LOINC_1", "ICD10_I25")
    }
    (measured,), (ill,) = (one["samples"] for one in by_name.values())
    assert measured["sample_size"] == PEOPLE - 20 and "case_count" not in measured
    assert (ill["sample_size"], ill["case_control_study"]) == (PEOPLE, True)
    assert (ill["case_count"], ill["control_count"]) == (90, PEOPLE - 90)
    required = {"data_file_name", "genome_assembly", "data_file_md5sum"}
    for one in by_name.values():
        assert required <= set(one) and one["adjusted_covariates"] == ["sex", "age"]
        assert re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", one["date_metadata_last_modified"])


def test_no_effect_is_missing_because_mandatory_columns_must_be_numbers(study, tmp_path):
    genotypes, _, _ = study
    # the only people with a value are not carriers of most variants
    value = np.full(PEOPLE, np.nan)
    value[:25] = np.random.default_rng(3).normal(size=25)
    effects = pd.DataFrame(columns=EFFECTS)
    few = [Phenotype("LOINC_2", "LOINC:2", "few", value)]
    write_summary_statistics([genotypes], few, effects, tmp_path / "gwas", YEAR)
    table = read(tmp_path / "gwas", "LOINC_2")
    assert len(table) > 5 and not table.isna().any(axis=None)


def test_the_true_effects_lie_beside_and_are_found(study):
    _, _, folder = study
    (truth,) = pd.read_csv(folder / "true_effects.tsv", sep="\t").to_dict("records")
    for name in ("LOINC_1", "ICD10_I25"):
        best = read(folder, name).set_index("base_pair_location")["p_value"]
        assert best[truth["position"]] < 1e-3
    found = read(folder, "LOINC_1").set_index("base_pair_location")["beta"]
    assert abs(found[truth["position"]] - truth["effect_in_unit"]) < 0.3
    assert truth["unit"] == "mmol/L"


def test_a_structural_variant_is_named_by_its_type_and_end(study, tmp_path):
    """The patterns are those of the standard's own validator, gwas-sumstats-tools 1.0."""
    genotypes, phenotypes, _ = study
    (ts,) = genotypes.trees()
    tables = ts.dump_tables()
    tables.sites.metadata_schema = SITE_SCHEMA
    place = next(x for x in range(100) if x not in ts.sites_position)
    site = tables.sites.add_row(place, "G", metadata={"end": place + 81, "svlen": 80})
    for node in range(100):
        tables.mutations.add_row(site, node, "<DUP:TANDEM>")
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    changed = Genotypes.of([tables.tree_sequence()], "chr22", genotypes.people)
    effects = pd.DataFrame(columns=EFFECTS)
    write_summary_statistics([changed], phenotypes, effects, tmp_path / "gwas", YEAR)
    table = read(tmp_path / "gwas", "LOINC_1").set_index("base_pair_location")
    row = table.loc[place + 1]
    assert (row["other_allele"], row["effect_allele"]) == ("G", "LONG_STRING")
    assert row["variant_id"] == f"22_{place + 1}_G_DUP_TANDEM_{place + 81}"
    assert table["effect_allele"].str.fullmatch("LONG_STRING|[ACTG]+").all()
    assert table["variant_id"].str.fullmatch("[A-Za-z0-9_]+").all()


@pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")
def test_statistics_equal_those_of_plink(study, tmp_path):
    genotypes, phenotypes, folder = study
    table = pd.DataFrame({"value": phenotypes[0].values, "ill": phenotypes[1].values == 1})
    table["age"] = YEAR - genotypes.people["birth_year"]
    write_pgen(genotypes, tmp_path / "x.pgen", table)
    options = ["--pfile", tmp_path / "x", "--out", tmp_path / "out", "--maf", "0.01"]
    options += ["--pheno-name", "value,ill", "--covar", tmp_path / "x.psam", "--covar-name", "age"]
    options += ["--glm", "sex", "hide-covar", "omit-ref", "--covar-variance-standardize"]
    subprocess.run(["plink2", *map(str, options)], check=True, capture_output=True)
    ours = read(folder, "LOINC_1").set_index("base_pair_location")
    theirs = pd.read_csv(tmp_path / "out.value.glm.linear", sep="\t").set_index("POS")
    theirs, ours = theirs.dropna(subset=["BETA"]), ours.loc[theirs.dropna(subset=["BETA"]).index]
    assert len(theirs) > 20
    np.testing.assert_allclose(ours["beta"], theirs["BETA"], rtol=1e-4)
    np.testing.assert_allclose(ours["standard_error"], theirs["SE"], rtol=1e-4)
    np.testing.assert_allclose(np.log(ours["p_value"]), np.log(theirs["P"]), rtol=1e-3)
    # the one-step estimate is close to maximum likelihood where the effect is small
    ours = read(folder, "ICD10_I25").set_index("base_pair_location")
    theirs = pd.read_csv(tmp_path / "out.ill.glm.logistic.hybrid", sep="\t").set_index("POS")
    theirs = theirs[theirs["ERRCODE"] == "."]
    small = np.abs(np.log(theirs["OR"])) < 0.3
    assert small.sum() > 5
    differences = np.log(ours["odds_ratio"].loc[theirs.index]) - np.log(theirs["OR"])
    assert np.abs(differences[small]).max() < 0.05
