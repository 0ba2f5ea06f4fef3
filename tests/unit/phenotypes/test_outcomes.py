"""What follows a disease depends on scores, age and treatment as the traits say."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.model import Patient
from rehearsal.phenotypes.genetic_values import GeneticValues
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits

WOMEN = 8_000
YEAR = 2026
NO_EFFECTS = pd.DataFrame(columns=["trait", "contig", "start", "ref", "alt", "effect"])


@pytest.fixture(scope="module")
def traits(root):
    """Return the default traits without polygenic parts, as there are no genomes here."""
    default = read_traits(root / "config/traits.yaml")
    return replace(
        default,
        measurements=tuple(replace(one, genetics=None) for one in default.measurements),
        diseases=tuple(replace(one, genetics=None) for one in default.diseases),
    )


def simulate(traits, people, carriers=None, patients=(), ids=None):
    nothing = GeneticValues(NO_EFFECTS, pd.DataFrame(index=people.index))
    if carriers is None:
        carriers = pd.DataFrame({"gene": [], "individual": [], "copies": []})
    return simulate_phenotypes(people, nothing, carriers, traits, 11, YEAR, patients, ids)


def women(number, born):
    ids = [f"BE-{n:06d}" for n in range(1, number + 1)]
    return pd.DataFrame({"id": ids, "country": "BE", "sex": "female", "birth_year": born})


@pytest.fixture(scope="module")
def followed(traits):
    """Make women of 65 who fell ill at 45, half with chemotherapy, with scores 0 to 40."""
    people = women(WOMEN, YEAR - 65)
    given = (("endocrine_therapy",), ("endocrine_therapy", "chemotherapy"))
    patients = [
        Patient(
            *("s", f"p{n}", "BE", "female", (1961, 1961), ("a.yaml", "p")),
            diseases={"breast_cancer": (45, 45)},
            measurements={"recurrence_score": (n % 41, n % 41)},
            treatments=given[n % 2],
        )
        for n in range(WOMEN)
    ]
    handles = [one.handle for one in patients]
    ids = pd.DataFrame({"story": "s", "handle": handles, "individual": people["id"]})
    found = simulate(traits, people, patients=patients, ids=ids)
    table = pd.DataFrame(
        {"score": np.arange(WOMEN) % 41, "treated": np.arange(WOMEN) % 2 == 1}, index=people["id"]
    )
    recurred = found.diseases[found.diseases["code"] == "ICD10:C79.9"].set_index("individual")
    table["years"] = recurred["age_of_onset"] - 45
    return found, table


def share(table, low, high, treated):
    mine = table[table["score"].between(low, high) & (table["treated"] == treated)]
    return mine["years"].notna().mean(), len(mine)


@pytest.mark.parametrize(
    ("low", "high", "treated", "risk"),
    [
        (0, 15, False, 0.08),
        (0, 15, True, 0.08),
        (16, 25, False, 0.45),
        (16, 25, True, 0.05),
        (26, 40, False, 0.4),
        (26, 40, True, 0.2),
    ],
)
def test_the_risk_is_that_of_the_first_group_that_fits(followed, low, high, treated, risk):
    found, number = share(followed[1], low, high, treated)
    assert found == pytest.approx(risk, abs=4 * np.sqrt(risk * (1 - risk) / number))


def test_outcomes_come_within_their_years(followed):
    years = followed[1]["years"].dropna()
    assert years.between(0, 9).all()
    assert years.median() < 5


def test_everybody_told_is_treated_as_told(followed):
    found, table = followed
    chemotherapy = found.treatments[found.treatments["code"].str.startswith("ATC:L01")]
    assert set(chemotherapy["individual"]) == set(table.index[table["treated"]])


def test_a_score_of_the_ill_is_measured_in_them_alone_at_the_onset(traits):
    people = women(4_000, YEAR - 80)
    found = simulate(traits, people)
    ill = found.diseases[found.diseases["mondo"] == "MONDO:0007254"].set_index("individual")
    scores = found.measurements[found.measurements["code"] == "NAACCR:3904"]
    scores = scores.set_index("individual")
    assert set(scores.index) == set(ill.index)
    assert 300 < len(ill) < 700
    assert (scores["age"] == ill["age_of_onset"].loc[scores.index]).all()


@pytest.mark.parametrize(("gene", "risk"), [("BRCA1", 0.72), ("BRCA2", 0.69)])
def test_carriers_fall_ill_with_the_published_penetrance(traits, gene, risk):
    """The risk is 72 and 69 % by 80 (Kuchenbaecker 2017), and as configured at each age."""
    people = women(6_000, YEAR - 80)
    carriers = pd.DataFrame({"gene": gene, "individual": people["id"], "copies": 1})
    found = simulate(traits, people, carriers)
    onset = found.diseases.loc[found.diseases["mondo"] == "MONDO:0007254", "age_of_onset"]
    sd = np.sqrt(risk * (1 - risk) / len(people))
    assert len(onset) / len(people) == pytest.approx(risk, abs=4 * sd)
    (disease,) = (one for one in traits.diseases if one.name == "breast_cancer")
    (curve,) = (one.cumulative_risk["female"] for one in disease.genes if one.gene == gene)
    for age in (40, 50, 60, 70):
        by_age = (onset < age).sum() / len(people)
        assert by_age == pytest.approx(float(curve.at(np.array([age]))[0]), abs=5 * sd)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (
            "after: breast_cancer",
            "after: measles",
            r"distant_recurrence\.after: expected the name of a disease .*, found 'measles'",
        ),
        (
            "treated: {chemotherapy: 0.05}",
            "treated: {prayer: 0.05}",
            r"groups\[1\]\.treated: expected the name of a treatment .*, found 'prayer'",
        ),
        (
            "{recurrence_score: [0, 15]}",
            "{score: [0, 15]}",
            r"recurrence\.groups\[0\]\.measurements: .* name of a measurement .*, found 'score'",
        ),
        (
            "only_with: breast_cancer",
            "only_with: measles",
            r"recurrence_score\.only_with: expected the name of a disease .*, found 'measles'",
        ),
    ],
)
def test_outcomes_name_what_the_traits_have(root, tmp_path, old, new, complaint):
    text = (root / "config/traits.yaml").read_text()
    assert old in text
    (tmp_path / "traits.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError, match=complaint):
        read_traits(tmp_path / "traits.yaml")
