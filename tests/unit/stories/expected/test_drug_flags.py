"""The drugs for which a genotype must be flagged."""

from types import SimpleNamespace

import pandas as pd
import pytest

from rehearsal.model import PlantedVariant, Variant
from rehearsal.stories.expected.drug_flags import compute_answer

from ..questions_by_hand import question


@pytest.mark.parametrize(("copies", "flagged"), [(2, [2]), (1, [])])
def test_flags_are_counts_of_planted_alleles(tmp_path, copies, flagged):
    (tmp_path / "nodes/FI").mkdir(parents=True)
    columns = ["drug", "gene", "variant", "contig", "position", "ref", "alt", "copies"]
    rule = ["ATC:C10AA01", "G", "v", "chr12", 101, "T", "C", 2]
    pd.DataFrame([rule], columns=columns).to_csv(
        tmp_path / "nodes/FI/drug_genes.tsv", sep="\t", index=False
    )
    carriers = pd.DataFrame(
        [("FI-1", "chr12", 100, "T", "C", copies), ("FI-2", "chr12", 100, "T", "C", 2)],
        columns=["individual", "contig", "start", "ref", "alt", "copies"],
    )
    cohort = SimpleNamespace(
        results=tmp_path,
        people=pd.DataFrame({"id": ["FI-1", "FI-2"], "country": "FI"}),
        planted=[PlantedVariant(Variant("chr12", 100, "T", "C"), "G", "v", "dose", "common")],
        table=lambda _: carriers,
        patient=lambda *_: "FI-1",
    )
    asked = question("drug_flags", {"drugs": ["ATC:C10AA01", "ATC:C10AA05"]})
    expected = {"ATC:C10AA01": flagged, "ATC:C10AA05": []}
    assert compute_answer(asked, cohort) == expected
