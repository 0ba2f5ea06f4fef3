"""Survival curves over nodes are those of the pooled people, as lifelines computes them."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter

from rehearsal.analyses.protocol import AnalysisError
from rehearsal.masked_sums.participant import MaskingError

from .cohort import play, play_masked, simulate
from .test_cox import with_follow_up


@pytest.mark.parametrize("group", [None, "sex"])
def test_curves_are_those_of_lifelines(tmp_path, group):
    cohort = with_follow_up(simulate(tmp_path))
    step = {"outcome": "t1d"} | ({"group": group} if group else {})
    steps = {"steps": [{"algorithm": "kaplan_meier", "parameters": step}]}
    found = play(cohort.views(), steps).results["kaplan_meier"]
    people = cohort.people[cohort.people["t1d.last_year"] >= 0]
    for number, value in enumerate(["female", "male"] if group else [None]):
        mine = people[people["sex"] == value] if value else people
        fit = KaplanMeierFitter().fit(mine["t1d.last_year"], mine["t1d.event"])
        expected = fit.survival_function_at_times(np.arange(131)).to_numpy()
        np.testing.assert_allclose(found["survival"][number], expected, rtol=1e-12)
        assert found["at_risk"][number, 0] == len(mine)
        assert found["events"][number].sum() == mine["t1d.event"].sum()


def test_standard_errors_are_greenwoods(tmp_path):
    cohort = with_follow_up(simulate(tmp_path))
    steps = {"steps": [{"algorithm": "kaplan_meier", "parameters": {"outcome": "t1d"}}]}
    found = play(cohort.views(), steps).results["kaplan_meier"]
    people = cohort.people[cohort.people["t1d.last_year"] >= 0]
    variance, survival = 0.0, 1.0
    for year in range(60):
        at_risk = (people["t1d.last_year"] >= year).sum()
        events = (people["t1d.event"] & (people["t1d.last_year"] == year)).sum()
        survival *= 1 - events / at_risk
        variance += events / (at_risk * (at_risk - events))
        assert found["se"][0, year] == pytest.approx(survival * np.sqrt(variance), rel=1e-12)


@pytest.mark.parametrize("interval", [1, 40])
def test_a_curve_that_hiding_would_bend_is_refused_and_a_wider_one_is_right(tmp_path, interval):
    """Without years of few events, people of a small node would seem never to fall ill."""
    cohort = with_follow_up(simulate(tmp_path, sizes=(150, 150)))
    parameters = {"outcome": "t1d", "interval": interval}
    steps = [{"algorithm": "kaplan_meier", "parameters": parameters}]
    asked = {"steps": steps, "smallest_count": 3}
    if interval == 1:
        with pytest.raises(AnalysisError, match="at least 3 people in each interval") as error:
            play(cohort.views(), asked)
        assert error.value.code == "no_people"
        return
    found = play(cohort.views(), asked).results["kaplan_meier"]
    people = cohort.people[cohort.people["t1d.last_year"] >= 0]
    fit = KaplanMeierFitter().fit(people["t1d.last_year"] // interval, people["t1d.event"])
    expected = fit.survival_function_at_times(np.arange(4)).to_numpy()
    np.testing.assert_allclose(found["survival"][0], expected, rtol=1e-12)
    assert found["survival"][0, 1] < 0.9


@pytest.mark.parametrize("interval", [0, 1.5, True, "ten"])
def test_an_interval_that_is_none_is_named(tmp_path, interval):
    parameters = {"outcome": "t1d", "interval": interval}
    steps = {"steps": [{"algorithm": "kaplan_meier", "parameters": parameters}]}
    with pytest.raises(AnalysisError, match="interval: expected years, from 1 to 131"):
        play(with_follow_up(simulate(tmp_path)).views(), steps)


@pytest.mark.parametrize("least", [5, 12])
@pytest.mark.parametrize("group", [None, "sex"])
def test_under_masks_years_of_few_people_are_counted_together(tmp_path, group, least):
    """The curve after these years is that of lifelines with the same intervals: nobody is lost."""
    cohort = with_follow_up(simulate(tmp_path))
    step = {"outcome": "t1d"} | ({"group": group} if group else {})
    asked = [{"algorithm": "kaplan_meier", "parameters": step}]
    found = play_masked(cohort.views(), asked, least).results["kaplan_meier"]
    people = cohort.people[cohort.people["t1d.last_year"] >= 0]
    for number, value in enumerate(["female", "male"] if group else [None]):
        mine = people[people["sex"] == value] if value else people
        ends = np.flatnonzero(found["years"][number])  # last years of intervals
        assert 3 < ends.size < 80
        assert found["years"][number].sum() == 131
        interval = np.searchsorted(ends, mine["t1d.last_year"])
        fit = KaplanMeierFitter().fit(interval, mine["t1d.event"])
        expected = fit.survival_function_at_times(np.arange(ends.size)).to_numpy()
        np.testing.assert_allclose(found["survival"][number, ends], expected, rtol=1e-12)
        table = fit.event_table.reindex(np.arange(ends.size))
        at_risk = table["at_risk"].bfill().fillna(0)
        at_risk[0] = len(mine)
        np.testing.assert_array_equal(found["at_risk"][number, ends], at_risk)
        for counts in (found["events"][number], -np.diff(found["at_risk"][number, ends], append=0)):
            assert not ((counts > 0) & (counts < least)).any()
        assert found["events"][number].sum() == mine["t1d.event"].sum()
        assert np.isnan(np.delete(found["survival"][number], ends)).all()


def test_a_group_in_which_few_fell_ill_has_no_curve_under_masks(tmp_path):
    cohort = with_follow_up(simulate(tmp_path))
    ill = np.flatnonzero(cohort.people["t1d.event"] & (cohort.people["sex"] == "male"))
    cohort.people.loc[ill[4:], "t1d.event"] = False
    step = {"outcome": "t1d", "group": "sex"}
    with pytest.raises(MaskingError, match="expected nobody or at least 5 people, found fewer"):
        play_masked(cohort.views(), [{"algorithm": "kaplan_meier", "parameters": step}])
