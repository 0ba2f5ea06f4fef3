"""Samples, runs and analyses of everybody."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from rehearsal.phenotypes.sample_metadata import sequencing_tables
from rehearsal.phenotypes.variant_counts import COUNTS

from .clinical_traits import YEAR, error


@pytest.fixture
def sequenced(clinical, make_people):
    people = make_people({"FI": 3000, "SE": 3000}, birth_year=YEAR - 40)
    people.loc[:99, "birth_year"] = YEAR
    counts = pd.DataFrame({name: np.arange(len(people)) for name in COUNTS})
    return people, sequencing_tables(people, counts, clinical.sequencing, 1, YEAR)


def test_everybody_has_a_sample_a_run_and_an_analysis_that_name_each_other(sequenced):
    people, tables = sequenced
    for table in (tables.subjects, tables.biosamples, tables.runs, tables.analyses):
        assert table["individual"].tolist() == people["id"].tolist()
    assert tables.runs["biosample"].tolist() == tables.biosamples["id"].tolist()
    assert tables.analyses["run"].tolist() == tables.runs["id"].tolist()


def test_dates_follow_each_other_and_end_with_the_reference_year(sequenced):
    people, tables = sequenced
    born, taken = tables.subjects["birth_date"], tables.biosamples["collection_date"]
    assert (born.str[:4].astype(int) == people["birth_year"]).all()
    days = [born, taken, tables.runs["run_date"], tables.analyses["analysis_date"]]
    for earlier, later in pairwise(days):
        assert (earlier <= later).all()
    assert days[-1].max() <= f"{YEAR}-12-31"
    assert taken.min() >= f"{YEAR - 3}-12-30"
    years = pd.to_datetime(taken).dt.year - pd.to_datetime(born).dt.year
    before = taken.str[5:] < born.str[5:]
    assert (tables.biosamples["collection_age"] == years - before).all()


def test_read_figures_are_drawn_within_bounds_and_marked_simulated(sequenced):
    _, tables = sequenced
    runs = tables.runs
    assert set(runs["figures"]) == {"simulated"}
    assert runs["mean_autosome_coverage"].between(30, 50).all()
    assert (runs["pct_autosomes_15x"] <= 99.9).all()
    assert (runs["cross_contamination_rate"] >= 0).all()
    assert runs["yield_bp_q30"].dtype == np.int64
    assert np.corrcoef(runs["yield_bp_q30"], runs["mean_autosome_coverage"])[0, 1] > 0.8
    assert (runs["platform"] == "OBI:1").mean() == pytest.approx(0.9, abs=error(0.9, 6000))
    assert set(tables.analyses["figures"]) == {"computed"}
