"""The table of labels, and complaints about it."""

from pathlib import Path

import pytest

from rehearsal.policy.labels import KEYS, is_stand_in, languages_of, read_labels

from ..altered_files import refusal_of_change
from .conftest import ROOT

FILE = ROOT / "config" / "labels.tsv"
TAB = "\t"
COUNTRIES = [line.split("\t")[0] for line in (ROOT / "config/countries.tsv").open()][1:]


def test_ten_languages_have_every_label():
    labels = read_labels(FILE)
    assert set(labels) == {"en", "fr", "nl", "de", "es", "it", "pl", "fi", "sv", "ga"}
    for language, words in labels.items():
        assert set(KEYS) - set(words) == ({"draft"} if language == "en" else set())


def test_a_country_has_its_official_languages_and_otherwise_english():
    labels = read_labels(FILE)
    assert languages_of("BE", labels) == ["nl", "fr", "de"]
    assert languages_of("FI", labels) == ["fi", "sv"]
    assert languages_of("IE", labels) == ["ga", "en"]
    assert languages_of("GR", labels) == ["en"] and is_stand_in("GR", labels)
    without = {language: words for language, words in labels.items() if language != "fr"}
    assert languages_of("BE", without) == ["nl", "de"]
    assert languages_of("FR", without) == ["en"]
    assert {f"languages_{code}" for code in COUNTRIES} <= set(labels["en"])


def test_a_new_column_in_an_official_language_makes_sheets_in_it(tmp_path: Path):
    lines = FILE.read_text().splitlines()
    more = {"key": "el", "people": "Άτομα"}
    path = tmp_path / "labels.tsv"
    path.write_text("".join(f"{line}\t{more.get(line.partition(TAB)[0], '')}\n" for line in lines))
    labels = read_labels(path)
    assert languages_of("GR", labels) == languages_of("CY", labels) == ["el"]
    assert labels["el"] == {"people": "Άτομα"}


def test_a_language_whose_labels_are_all_missing_is_none_of_a_country():
    labels = {**read_labels(FILE), "de": {"country_DE": "Deutschland"}}
    assert languages_of("DE", labels) == ["en"] and is_stand_in("DE", labels)
    assert languages_of("BE", labels) == ["nl", "fr"]


def test_a_label_that_is_too_long_is_one_line(tmp_path):
    long = "x" * 200_000
    refusal_of_change(FILE, "Datasets", long, read_labels, tmp_path, "line 7: expected a tab-sep")


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("\nno_score\t", "\nscore\t", "line 51: key: expected one of the keys title, .*'score'"),
        ("\npeople\tPeople\t", "\npeople\t\t", "key: expected English labels of people"),
        ("\tDatasets\tJeux", "\tDatasets\tJeux\tx", "line 7: expected 11 cells, found 12"),
        ("\ndatasets\tD", "\npeople\tD", "line 7: key: expected a key once, found people"),
        ("key\ten\tfr", "key\tfr\ten", "line 1: expected the columns key, en and further"),
        ("key\ten\tfr", "key\ten\tfrench", "line 1: expected the columns key, en and further"),
        (
            "\tsv\tga\n",
            "\tsv\txx\n",
            "line 1: expected languages that a row languages_ and the code of a country names, "
            "found xx",
        ),
        ("\tfi sv\t", "\tfi swe\t", "languages_FI: expected languages of two letters, .*'fi swe'"),
        ("\nlanguages_FI\t", "\nlanguage_FI\t", "expected one of the keys .*'language_FI'"),
        ("key\ten\tfr", "key\ten\tnl", "line 1: expected the columns key, en and further"),
    ],
)
def test_an_unusable_table_is_refused_in_one_line(tmp_path: Path, old, new, complaint):
    refusal_of_change(FILE, old, new, read_labels, tmp_path, complaint)
