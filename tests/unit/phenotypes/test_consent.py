"""Consent records: shares as configured, reproducible, and unusable configurations refused."""

from pathlib import Path

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.phenotypes.consent import draw_consent, read_consent

CONFIG = Path(__file__).resolve().parents[3] / "config/consent.yaml"


def people(countries, number):
    return pd.DataFrame(
        [(f"{c}-{i:06d}", c) for c in countries for i in range(number)], columns=["id", "country"]
    )


def test_records_have_their_configured_shares():
    shares = read_consent(CONFIG)
    drawn = draw_consent(people(["FI", "EE"], 5000), shares, seed=1)
    assert list(drawn.columns) == ["individual", "basis", "uses", "withdrawn"]
    found = drawn.groupby(["basis", "uses"]).size() / len(drawn)
    for record in shares.records:
        assert found[record.basis, ", ".join(record.uses)] == pytest.approx(record.share, abs=0.02)
    assert drawn["withdrawn"].mean() == pytest.approx(shares.withdrawn, abs=0.005)


def test_the_same_seed_draws_the_same_and_another_country_changes_nothing():
    shares = read_consent(CONFIG)
    alone = draw_consent(people(["FI"], 200), shares, seed=1)
    together = draw_consent(people(["FI", "EE"], 200), shares, seed=1)
    pd.testing.assert_frame_equal(alone, together[:200])
    assert not alone.equals(draw_consent(people(["FI"], 200), shares, seed=2))


GOOD = """withdrawn: 0.1
records:
  all: {share: 1, basis: consent, uses: ["DUO:0000042"]}
"""


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("withdrawn: 0.1", "withdrawn: 2", "withdrawn: expected a number from 0 to 1, found 2"),
        ("withdrawn: 0.1", "gone: 0.1", "the key withdrawn, found the keys gone, records"),
        ("share: 1", "share: 0.5", "records: expected shares that .* 1, found a sum of 0.5"),
        ("share: 1", "share: yes", "records.all.share: expected a number .*, found true"),
        ("basis: consent", "basis: ''", "records.all.basis: expected text, found empty text"),
        ('["DUO:0000042"]', "[]", "uses: expected at least one DUO term, found an empty list"),
        ('"DUO:0000042"', "GRU", r"uses\[0\]: expected text like DUO:0000042 or .*found 'GRU'"),
        ("uses:", "use:", "records.all: expected the key uses, found the keys share, basis, use"),
        ("records:", "records: [", "line [0-9]: expected valid YAML, found an error"),
        (
            "records:",
            "withdrawn: 0.1\nrecords:",
            "found an error .the key withdrawn is given twice, first in line ",
        ),
    ],
)
def test_an_unusable_consent_file_is_refused_in_one_line(tmp_path, old, new, complaint):
    path = tmp_path / "consent.yaml"
    path.write_text(GOOD)
    assert read_consent(path).withdrawn == 0.1
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError, match=complaint) as caught:
        read_consent(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
