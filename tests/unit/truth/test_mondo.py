"""The truth's own copy of Mondo, and that nodes read the same hierarchy from another one."""

import re
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.phenotypes.mondo import IS_A
from rehearsal.stores.ontology import MondoHierarchy
from rehearsal.truth.mondo import EDGES, at_or_above, at_or_below

CONFIG = Path(__file__).parents[3] / "config"
DISEASES = sorted(
    {
        term
        for file in CONFIG.rglob("*.yaml")
        for term in re.findall(r"MONDO:\d{7}", file.read_text(encoding="utf-8"))
    }
)


@pytest.mark.parametrize("disease", DISEASES)
def test_nodes_and_the_truth_have_the_same_diseases_above_each_of_the_project(disease):
    assert len(at_or_above(disease)) > 1
    assert sorted(at_or_above(disease)) == sorted({disease, *MondoHierarchy().ancestors(disease)})
    for above in at_or_above(disease):
        assert disease in at_or_below(above)


@pytest.mark.parametrize(
    ("disease", "parent"),
    [
        ("MONDO:0005105", "MONDO:0021143"),  # melanoma, melanocytic neoplasm
        ("MONDO:0021187", "MONDO:0005066"),  # hyperlipidemia, metabolic disease
        ("MONDO:0011152", "MONDO:0018491"),  # PHGDH deficiency, 3-phosphoglycerate dehydrogenase
    ],
)
def test_diseases_have_the_parents_of_mondo(disease, parent):
    assert parent in at_or_above(disease)


def test_the_copies_are_two_files_that_name_their_sources():
    assert EDGES != IS_A
    edges = pd.read_csv(EDGES, sep="\t")
    assert edges.notna().all(axis=None)
    assert edges["source"].str.startswith("monarch-initiative/").all()
    assert not edges.duplicated(["subject", "object"]).any()
