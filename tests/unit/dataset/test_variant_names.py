"""Variants to plant by any name. Coordinates of BRCA1 are those of ClinVar, on GRCh38."""

from pathlib import Path

import pytest
import yaml

from rehearsal.dataset.plan import _variant_names
from rehearsal.errors import InputError

ROOT = Path(__file__).resolve().parents[3]
CONFIG = yaml.safe_load((ROOT / "config/config.yaml").read_text())


@pytest.fixture(scope="module")
def names():
    return _variant_names([], CONFIG["genome"], CONFIG, 1, ROOT)


@pytest.mark.parametrize(
    ("name", "variant"),
    [
        ("chr17-43106487-A-C", "chr17-43106487-A-C"),
        ("17:43106487:a:c", "chr17-43106487-A-C"),
        ("NC_000017.11:g.43106487A>C", "chr17-43106487-A-C"),
        ("chr17:g.43106487A>C", "chr17-43106487-A-C"),
        ("NM_007294.4:c.181T>G", "chr17-43106487-A-C"),  # ClinVar 17661
        ("BRCA1:p.Cys61Gly", "chr17-43106487-A-C"),
        ("NP_009225.1:p.(Cys61Gly)", "chr17-43106487-A-C"),
        ("BRCA1:c.5266dup", "chr17-43057062-T-TG"),  # ClinVar 17677
        ("BRCA1:c.68_69del", "chr17-43124027-ACT-A"),  # ClinVar 17662
        ("NM_007294.4:c.4096+1G>A", "chr17-43091434-C-T"),  # ClinVar 37523
        ("chr17-43106487-AA-CA", "chr17-43106487-A-C"),  # bases that need not be there
        ("chr17-43124028-CTC-C", "chr17-43124027-ACT-A"),  # to the left
    ],
)
def test_every_name_means_one_allele_in_normal_form(names, name, variant):
    assert str(names.read(name).variant) == variant


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NM_007294.3:c.181T>G", "NM_007294.4, the version of this node's gene model"),
        ("chr17:g.43106487_43106480del", "ascending positions"),
        ("chr17-43106487-A-A", "an allele that differs from REF"),
        ("BRCA1:p.Cys61fs", "a change of one amino acid"),
    ],
)
def test_a_name_that_means_nothing_is_one_line(names, name, expected):
    with pytest.raises(InputError, match=expected):
        names.read(name)
