"""The right answers of association studies agree with plink2 and with textbook cases."""

import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest

from rehearsal.truth.association import (
    combine_by_inverse_variance,
    hide_small_cells,
    linear_association,
    pooled_components,
)

PEOPLE, VARIANTS = 150, 60


@pytest.fixture(scope="module")
def study():
    """Two populations, an outcome that one variant moves, sex and age."""
    rng = np.random.default_rng(7)
    group = np.repeat([0, 1], PEOPLE // 2)
    frequency = rng.uniform(0.1, 0.5, VARIANTS)[:, None] + np.array([[-0.05, 0.05]])
    copies = rng.binomial(2, frequency[:, group]).astype(np.int8)
    sex, age = rng.integers(1, 3, PEOPLE), rng.integers(20, 80, PEOPLE)
    outcome = 0.4 * copies[3] + 0.01 * age - 0.3 * sex + rng.normal(size=PEOPLE)
    covariates = np.column_stack([np.ones(PEOPLE), sex, age]).astype(float)
    return copies, outcome, covariates


@pytest.fixture(scope="module")
def plink(study, tmp_path_factory):
    """A call of plink2 on the study, which returns a table that it wrote."""
    if not shutil.which("plink2"):
        pytest.skip("plink2 is not installed (Debian: plink2)")
    folder = tmp_path_factory.mktemp("plink")
    copies, outcome, covariates = study
    names = [f"p{i}" for i in range(PEOPLE)]
    genotype = np.array(["0/0", "0/1", "1/1"])[copies]
    head = "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"])
    rows = [
        "\t".join(["1", str(i + 1), f"v{i}", "A", "C", ".", ".", ".", "GT", *row])
        for i, row in enumerate(genotype)
    ]
    text = "\n".join(["##fileformat=VCFv4.2", "\t".join([head, *names]), *rows])
    (folder / "study.vcf").write_text(f"{text}\n")
    table = pd.DataFrame(
        {"#IID": names, "Y": outcome, "S": covariates[:, 1], "A": covariates[:, 2]}
    )
    table.to_csv(folder / "study.tsv", sep="\t", index=False)

    def call(*options, table):
        command = ["plink2", "--vcf", "study.vcf", "--out", "out", "--threads", "1", *options]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        return pd.read_csv(folder / table, sep="\t")

    return call


def test_linear_association_is_that_of_plink2(study, plink):
    files = ["--pheno", "study.tsv", "--pheno-name", "Y", "--covar", "study.tsv"]
    options = [
        "--covar-name",
        "S,A",
        "--glm",
        "hide-covar",
        "cols=+a1count",
        "--covar-variance-standardize",
    ]
    table = plink(*files, *options, table="out.Y.glm.linear")
    copies, outcome, covariates = study
    found = linear_association(copies, outcome, covariates)
    sign = np.where(table["A1"] == "C", 1, -1)
    assert table["BETA"].to_numpy() * sign == pytest.approx(found.effect, rel=1e-5)
    assert table["SE"].to_numpy() == pytest.approx(found.error, rel=1e-5)
    assert table["P"].to_numpy() == pytest.approx(found.p_value, rel=1e-4)
    assert found.people.tolist() == table["OBS_CT"].tolist()


def test_components_are_those_of_plink2(study, plink):
    table = plink("--pca", "3", table="out.eigenvec")
    components, values = pooled_components(study[0], study[0].mean(axis=1) / 2, 3)
    theirs = table[["PC1", "PC2", "PC3"]].to_numpy()
    components = components * np.sign((theirs * components).sum(axis=0))
    assert (values[:-1] / values[1:]).min() > 1.01  # else directions are not sure
    assert components == pytest.approx(theirs, rel=1e-5, abs=5e-7)  # six digits are printed


def test_a_variant_that_covariates_explain_has_no_effect():
    rng = np.random.default_rng(1)
    same = rng.integers(0, 3, 40)
    covariates = np.column_stack([np.ones(40), same])
    found = linear_association(
        np.array([same, np.ones(40)], np.int8), rng.normal(size=40), covariates
    )
    assert np.isnan(found.statistic).all()


def test_few_carriers_are_hidden_in_their_group_only():
    copies = np.array([[1, 1, 1, 0, 0, 1, 0, 0], [2, 2, 2, 1, 2, 2, 2, 2]], np.int8)
    group = np.array([0, 0, 0, 0, 1, 1, 1, 1])
    hidden = hide_small_cells(copies, group, 3)
    assert hidden.tolist() == [[1, 1, 1, 0, 0, 0, 0, 0], [2] * 8]


def test_people_without_a_chromosome_are_in_no_regression_of_its_variants(study):
    copies, outcome, covariates = study
    absent = covariates[:, 1] == 2
    found = linear_association(
        np.where(absent, -9, copies).astype(np.int8), outcome, covariates[:, [0, 2]]
    )
    alone = linear_association(copies[:, ~absent], outcome[~absent], covariates[~absent][:, [0, 2]])
    assert found.statistic == pytest.approx(alone.statistic)
    assert set(found.people) == {int((~absent).sum())}


def test_few_people_without_a_chromosome_count_as_without_the_allele():
    copies = np.array([[-9, -9, 1, 1, 1, 0], [-9, -9, -9, 1, 1, 1]], np.int8)
    hidden = hide_small_cells(copies, np.zeros(6, np.int64), 3)
    assert hidden.tolist() == [[0, 0, 1, 1, 1, 0], [-9, -9, -9, 1, 1, 1]]


def test_those_without_a_chromosome_count_too_where_few_people_have_one():
    copies = np.array([[-9, -9, -9, 2, 2, 2], [-9, -9, -9, -9, 2, 2]], np.int8)
    hidden = hide_small_cells(copies, np.zeros(6, np.int64), 3)
    assert hidden.tolist() == [[-9, -9, -9, 2, 2, 2], [0] * 6]


def test_equal_studies_combine_to_the_same_effect_with_a_smaller_error(study):
    one = linear_association(*study)
    both = combine_by_inverse_variance([one, one])
    assert both.effect == pytest.approx(one.effect)
    assert both.error == pytest.approx(one.error / np.sqrt(2))
    assert both.people.tolist() == (2 * one.people).tolist()


def test_a_country_without_the_allele_does_not_count_in_a_meta_analysis(study):
    copies, outcome, covariates = study
    absent = linear_association(np.zeros_like(copies), outcome, covariates)
    present = linear_association(copies, outcome, covariates)
    both = combine_by_inverse_variance([present, absent])
    assert both.effect == pytest.approx(present.effect)
    assert both.people.tolist() == present.people.tolist()


@pytest.mark.parametrize("noise", [0.0, 1e-9, 1e-3])
def test_a_variant_that_explains_all_of_the_outcome_has_no_statistics(study, noise):
    copies, _, covariates = study
    random = np.random.default_rng(2)
    outcome = 3 + 0.5 * copies[7] + 0.01 * covariates[:, 2] + noise * random.normal(size=PEOPLE)
    found = linear_association(copies, outcome, covariates)
    assert np.isnan(found.statistic[7]) == (noise < 1e-6)
    assert np.isfinite(np.delete(found.statistic, 7)).all()
    assert not np.isinf(found.p_value).any()
