"""Treatments, their ends, responses and adverse events."""

import pandas as pd
import pytest

from rehearsal.phenotypes.dates import birth_dates, birthdays
from rehearsal.phenotypes.sample_metadata import sequencing_tables
from rehearsal.phenotypes.subjects import subjects
from rehearsal.phenotypes.variant_counts import COUNTS

from .clinical_traits import YEAR, N, error

SEED = 1  # of the fixture simulate


@pytest.mark.parametrize(("sex", "share"), [("female", 0.8), ("male", 0.4)])
def test_the_ill_are_treated_in_their_share_and_nobody_else(simulate, make_people, sex, share):
    people = make_people({"FI": N}, sex=sex, birth_year=YEAR - 80)
    result = simulate(people)
    onset = result.diseases.set_index("individual")["age_of_onset"]
    pills = result.treatments.query("code in ['ATC:A', 'ATC:B']").set_index("individual")
    assert pills.index.is_unique
    assert pills.index.isin(onset.index).all()
    assert (pills["start_age"] >= onset[pills.index]).all()
    assert pills["start_age"].max() <= 80
    early = onset.index[onset < 60]  # nobody of them still waits for the start
    treated = early.isin(pills.index).mean()
    assert treated == pytest.approx(share, abs=error(share, len(early)))
    assert set(pills["indication"]) == {"ICD10:A00"}


def test_drugs_doses_and_responses_have_their_shares(simulate, old):
    pills = simulate(old).treatments.query("code != 'ATC:C'")
    assert (pills["code"] == "ATC:A").mean() == pytest.approx(0.75, abs=error(0.75, len(pills)))
    assert set(pills.loc[pills["code"] == "ATC:A", "dose_mg"]) == {20.0}
    assert pills.loc[pills["code"] == "ATC:B", "dose_mg"].isna().all()
    known = pills["response_label"].dropna()
    assert (known == "good").mean() == pytest.approx(0.7, abs=error(0.7, len(known)))


def test_treatments_end_at_their_yearly_rate_or_after_their_duration(simulate, old):
    table = simulate(old).treatments
    pills = table.query("code == 'ATC:A' and start_age <= 60")
    ended = (pills["end_age"] - pills["start_age"] < 10).fillna(False).mean()
    assert ended == pytest.approx(1 - 0.9**10, abs=0.05)
    course = table.query("code == 'ATC:C' and start_age < 79")
    assert (course["end_age"] - course["start_age"]).isin([0, 1]).all()


def test_a_response_is_known_after_its_time_and_missing_before(simulate, old):
    result = simulate(old)
    pills = result.treatments.query("code == 'ATC:A'")
    late = result.missing.query("code == 'ATC:A'")
    assert set(late["null_flavour"]) == {"NAV"}
    assert set(late["individual"]) == set(pills.loc[pills["response"].isna(), "individual"])
    assert pills.loc[pills["start_age"] >= 80, "response"].isna().all()
    course = result.missing.query("code == 'ATC:C'")
    assert set(course["null_flavour"]) == {"ASKU"}
    assert len(course) / (result.treatments["code"] == "ATC:C").sum() == pytest.approx(
        0.1, abs=0.015
    )


@pytest.mark.parametrize(("copies", "odds"), [(0, 1 / 9), (1, 4.5 / 9), (2, 4.5**2 / 9)])
def test_an_adverse_event_follows_the_odds_ratio_a_copy(simulate, old, make_carriers, copies, odds):
    carriers = make_carriers("DOSE1", old["id"] if copies else [], copies)
    result = simulate(old, carriers)
    mine = result.treatments.query("code == 'ATC:B' and start_age < 78")
    had = mine["adverse_event"].notna()
    # of those with an event about 5 % stopped before it
    assert had.mean() == pytest.approx(odds / (1 + odds), abs=0.06)
    assert (mine.loc[had, "end_age"] - mine.loc[had, "start_age"]).isin([0, 1]).all()
    noted = result.features.query("code == 'HP:0003198'")["individual"]
    everybody = result.treatments.dropna(subset=["adverse_event"])["individual"]
    assert sorted(noted) == sorted(everybody)


def test_records_of_a_country_do_not_depend_on_the_others(simulate, make_people):
    alone = simulate(make_people({"SE": 3000}))
    among = simulate(make_people({"AT": 500, "SE": 3000}))
    for name in ("exposures", "treatments", "missing", "diseases", "measurements"):
        both = [getattr(result, name) for result in (alone, among)]
        mine = both[1][both[1]["individual"].str.startswith("SE")].reset_index(drop=True)
        pd.testing.assert_frame_equal(both[0], mine)


def _completed_years(births, dates):
    """Completed years on dates, of people whose birthday is on the 28th at the latest."""
    births, dates = (pd.DatetimeIndex(texts) for texts in (births, dates))
    birthday = births.month * 100 + births.day.where(births.day < 28, 28)
    before = dates.month * 100 + dates.day < birthday
    return dates.year - births.year - before


def test_dates_of_treatments_have_the_ages_on_record_and_the_length_of_the_course(simulate, old):
    births = pd.Series(birth_dates(subjects(old, YEAR), SEED).astype(str), index=old["id"])
    table = simulate(old).treatments
    born = births[table["individual"]].to_numpy()
    assert (_completed_years(born, table["start_date"]) == table["start_age"]).all()
    ended = table["end_date"].notna()
    assert ended.equals(table["end_age"].notna())
    ages = _completed_years(born[ended], table.loc[ended, "end_date"])
    # an end within a day of the start may be moved over a birthday
    assert (ages == table.loc[ended, "end_age"].astype(int)).mean() > 0.999
    days = pd.to_datetime(table["end_date"]) - pd.to_datetime(table["start_date"])
    assert days.min() >= pd.Timedelta(days=1)
    course = days[table["code"] == "ATC:C"].dropna().dt.days
    assert len(course) > 100 and course.between(182, 184).all()
    assert table["end_date"].dropna().max() <= f"{YEAR}-12-31"


def test_an_adverse_event_is_not_dated_before_its_drug(simulate, old, make_carriers):
    result = simulate(old, make_carriers("DOSE1", old["id"], 2))
    births = pd.Series(birth_dates(subjects(old, YEAR), SEED), index=old["id"])
    hurt = result.treatments.dropna(subset=["adverse_event"]).set_index("individual")
    events = result.features.query("code == 'HP:0003198'").set_index("individual").loc[hurt.index]
    born = births[hurt.index].to_numpy().astype("datetime64[D]")
    dates = birthdays(born, events["age_of_onset"].to_numpy("int64"))
    assert len(hurt) > 100 and (dates >= hurt["start_date"].to_numpy("datetime64[D]")).all()
    assert (dates <= hurt["end_date"].to_numpy("datetime64[D]")).all()


def test_the_sample_metadata_have_the_dates_of_birth_of_the_treatments(clinical, old):
    counts = pd.DataFrame(0, index=range(len(old)), columns=COUNTS)
    tables = sequencing_tables(old, counts, clinical.sequencing, SEED, YEAR)
    born = birth_dates(subjects(old, YEAR), SEED).astype(str)
    assert tables.subjects["birth_date"].tolist() == born.tolist()


def test_doses_a_day_come_with_a_dose(simulate, old):
    pills = simulate(old).treatments.query("code != 'ATC:C'").set_index("code")
    assert set(pills.loc["ATC:A", "doses_per_day"]) == {1}
    assert pills.loc["ATC:B", "doses_per_day"].isna().all()


def test_braf_inhibitors_are_taken_twice_a_day(shipped):
    drugs = [one for treatment in shipped.treatments for one in treatment.drugs]
    twice = {one.term.label for one in drugs if one.times_per_day == 2}
    assert twice == {"vemurafenib", "dabrafenib"}
