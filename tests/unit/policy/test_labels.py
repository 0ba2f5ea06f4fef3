"""The table of labels, and complaints about it."""

from pathlib import Path

import pytest

from rehearsal.policy.labels import KEYS, OFFICIAL, languages_of, read_labels

from ..altered_files import refusal_of_change
from .conftest import ROOT

FILE = ROOT / "config" / "labels.tsv"
COUNTRIES = [line.split("\t")[0] for line in (ROOT / "config/countries.tsv").open()][1:]


def test_eight_languages_have_every_label():
    labels = read_labels(FILE)
    assert set(labels) == {"en", "fr", "nl", "de", "es", "it", "pl", "fi"}
    for language, words in labels.items():
        assert set(KEYS) - set(words) == ({"draft"} if language == "en" else set())


def test_a_country_has_its_official_languages_and_otherwise_english():
    labels = read_labels(FILE)
    assert languages_of("BE", labels) == ["nl", "fr", "de"]
    assert languages_of("GR", labels) == ["en"]
    without = {language: words for language, words in labels.items() if language != "fr"}
    assert languages_of("BE", without) == ["nl", "de"]
    assert languages_of("FR", without) == ["en"]
    assert set(OFFICIAL) <= set(COUNTRIES)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("\nno_score\t", "\nscore\t", "line 50: key: expected one of the keys title, .*'score'"),
        ("\npeople\tPeople\t", "\npeople\t\t", "key: expected English labels of people"),
        ("\tDatasets\tJeux", "\tDatasets\tJeux\tx", "line 7: expected 9 cells, found 10"),
        ("\ndatasets\tD", "\npeople\tD", "line 7: key: expected a key once, found people"),
        ("key\ten\tfr", "key\tfr\ten", "line 1: expected the columns key, en and further"),
        ("key\ten\tfr", "key\ten\tfrench", "line 1: expected the columns key, en and further"),
        ("key\ten\tfr", "key\ten\tnl", "line 1: expected the columns key, en and further"),
    ],
)
def test_an_unusable_table_is_refused_in_one_line(tmp_path: Path, old, new, complaint):
    refusal_of_change(FILE, old, new, read_labels, tmp_path, complaint)
