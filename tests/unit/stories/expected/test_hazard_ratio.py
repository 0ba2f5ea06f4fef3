"""The Cox regression that stories are judged by."""

import numpy as np
import pandas as pd
import pytest

from rehearsal.stories.expected.hazard_ratio import add_follow_up, fit_cox_model


def test_the_regression_is_that_of_lifelines():
    lifelines = pytest.importorskip("lifelines")
    random = np.random.default_rng(8)
    people = pd.DataFrame(
        {
            "id": [f"P{i}" for i in range(400)],
            "stratum": random.integers(0, 3, 400),
            "score": random.normal(size=400),
            "birth_year": random.integers(1930, 2027, 400),
        }
    )
    ill = people["id"][(random.random(400) < 0.3) & (people["birth_year"] < 1970)]
    diseases = pd.DataFrame({"individual": ill, "code": "ICD10:I25.1"})
    diseases["age_of_onset"] = random.integers(40, 56, len(ill))
    table = add_follow_up(people, diseases, "ICD10:I25.1", 2026)
    assert len(table) == (people["birth_year"] < 2026).sum()  # newborns are not followed
    strata = [
        (part["score"].to_numpy(), part["year"].to_numpy(), part["ill"].to_numpy())
        for _, part in table.groupby("stratum")
    ]
    coefficient, error = fit_cox_model(strata)
    columns = table[["stratum", "score", "year", "ill"]]
    fitted = lifelines.CoxPHFitter().fit(columns, "year", "ill", strata=["stratum"])
    assert coefficient == pytest.approx(fitted.params_["score"], abs=1e-6)
    assert error == pytest.approx(fitted.standard_errors_["score"], abs=1e-6)
