"""Codes and labels of the configuration are those of their vocabularies.

``checked_codes.tsv`` is what was found in the vocabularies, with the release and where it was read.
Compare a new code with its vocabulary and add it there.
"""

import csv
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
TABLE = Path(__file__).with_name("checked_codes.tsv")
CURIE = re.compile(
    r"\b(?:ATC|DUO|HGNC|HP|ICD10|LOINC|MONDO|NAACCR|NCBITaxon|NCIT|OBI|SNOMEDCT|UBERON)"
    r":[A-Z]?[0-9][A-Z0-9.-]*(?<![.-])"
)
# a query of a code that no vocabulary has must be refused
NO_CODES = {"HP:9999999", "MONDO:9999999"}


@pytest.fixture(scope="module")
def checked():
    with TABLE.open() as file:
        return {row["code"]: row for row in csv.DictReader(file, delimiter="\t")}


def configuration():
    files = [ROOT / "config", ROOT / "config/stories"]
    return [path for one in files for path in sorted(one.glob("*.yaml"))]


def labelled(part):
    """Every code that has a label beside it."""
    if isinstance(part, dict):
        for code, label in (("code", "label"), ("mondo", "mondo_label")):
            if code in part and label in part:
                yield part[code], part[label]
        part = list(part.values())
    if isinstance(part, list):
        for one in part:
            yield from labelled(one)


def test_every_label_is_that_of_its_vocabulary(checked):
    pairs = {
        pair for path in configuration() for pair in labelled(yaml.safe_load(path.read_text()))
    }
    assert len(pairs) > 80
    wrong = {code: label for code, label in pairs if checked[code]["label"] != label}
    assert wrong == {}


def test_every_code_is_in_the_table_and_none_is_there_for_nothing(checked):
    tables = [ROOT / "config" / name for name in ("genes.tsv", "drug_genes.tsv", "transcripts.tsv")]
    used = {
        code
        for path in [*configuration(), *tables]
        for line in path.read_text().splitlines()
        for code in CURIE.findall(line.split(" # ")[0])
    }
    assert used - NO_CODES == set(checked)


def test_every_row_says_the_release_and_where_it_was_read(checked):
    for row in checked.values():
        assert row["vocabulary"] and row["release"] and row["source"], row


def test_ldl_is_measured_in_moles_as_its_code_says(checked):
    ldl = yaml.safe_load((ROOT / "config/traits.yaml").read_text())["measurements"]["ldl"]
    assert (ldl["code"], ldl["unit"]) == ("LOINC:22748-8", "mmol/L")
    assert "[Moles/volume]" in checked[ldl["code"]]["label"]
