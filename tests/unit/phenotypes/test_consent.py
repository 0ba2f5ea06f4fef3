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
        ("withdrawn: 0.1", "withdrawn: 2", "withdrawn: a share"),
        ("withdrawn: 0.1", "gone: 0.1", "the keys withdrawn, records"),
        ("share: 1", "share: 0.5", "records: shares that add up to 1"),
        ("share: 1", "share: yes", "records.all.share"),
        ("basis: consent", "basis: ''", "records.all.basis"),
        ('["DUO:0000042"]', "[]", "records.all.uses"),
        ('"DUO:0000042"', "GRU", "records.all.uses: like DUO:0000042"),
        ("uses:", "use:", "records.all: the keys"),
        ("records:", "records: [", "readable YAML"),
    ],
)
def test_what_cannot_be_meant_is_one_line(tmp_path, old, new, complaint):
    path = tmp_path / "consent.yaml"
    path.write_text(GOOD)
    assert read_consent(path).withdrawn == 0.1
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(InputError, match=complaint) as caught:
        read_consent(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
