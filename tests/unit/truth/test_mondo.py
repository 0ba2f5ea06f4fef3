"""The truth's own copy of Mondo, and that nodes read the same hierarchy from another one."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

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
        ("MONDO:0005012", "MONDO:0002898"),  # cutaneous melanoma, skin cancer
        ("MONDO:0021187", "MONDO:0005066"),  # hyperlipidemia, metabolic disease
        ("MONDO:0011152", "MONDO:0018491"),  # PHGDH deficiency, 3-phosphoglycerate dehydrogenase
    ],
)
def test_diseases_have_the_parents_of_mondo(disease, parent):
    assert parent in at_or_above(disease)


def test_malignant_neoplasms_by_icd_10_are_cancers_by_mondo():
    """Chapter II, C00 to C97: malignant neoplasms."""
    traits = yaml.safe_load((CONFIG / "traits.yaml").read_text(encoding="utf-8"))
    malignant = {
        one["code"]: one["mondo"]
        for one in traits["diseases"].values()
        if one["code"].startswith("ICD10:C")
    }
    assert {"ICD10:C43.9", "ICD10:C50", "ICD10:C79.9"} <= malignant.keys()
    cancer = "MONDO:0004992"
    for code, disease in malignant.items():
        assert cancer in MondoHierarchy().ancestors(disease), code
        assert cancer in at_or_above(disease), code


def test_the_copies_are_two_files_that_name_their_sources():
    assert EDGES != IS_A
    edges = pd.read_csv(EDGES, sep="\t")
    assert edges.notna().all(axis=None)
    assert edges["source"].str.startswith("monarch-initiative/").all()
    assert not edges.duplicated(["subject", "object"]).any()
