"""The page lists what was planted, a user's own variants too, and who carries it."""

from dataclasses import replace

import pandas as pd

from rehearsal.genomes.planted_carriers import CARRIER_COLUMNS
from rehearsal.model import PlantedVariant, Variant
from rehearsal.report.sections.planted import planted_section, planted_table
from rehearsal.report.sections.reading_order import list_sections

OWN = PlantedVariant(Variant("chr22", 99, "A", "G"), "", "", "dose", "", {"*": 0.25})
BRCA1 = PlantedVariant(
    *(Variant("chr17", 9, "T", "C"), "BRCA1", "c.1A>G", "dominant", "cancer"),
    carriers=(("IE", "heterozygous", 1),),
)
BRAF = replace(BRCA1, variant=Variant("chr7", 9, "T", "C"), inheritance="somatic", carriers=())
PEOPLE = pd.DataFrame(
    {
        "id": [f"{code}-{number}" for code in ("FI", "IE") for number in range(4)],
        "country": ["FI"] * 4 + ["IE"] * 4,
        "sex": ["female", "male"] * 4,
    }
)
CARRIERS = pd.DataFrame(
    [
        ("", "", "chr22", 99, "A", "G", "FI-0", 2),
        ("", "", "chr22", 99, "A", "G", "FI-1", 1),
        ("", "", "chr22", 99, "A", "G", "IE-1", 1),
        ("BRCA1", "c.1A>G", "chr17", 9, "T", "C", "IE-2", 1),
    ],
    columns=list(CARRIER_COLUMNS),
)


def test_a_variant_of_ones_own_is_on_the_page_with_its_carriers(full, summary):
    table = planted_table([OWN, BRCA1, BRAF], CARRIERS, PEOPLE, seed=1)
    section = planted_section(table)
    assert section.parts[0].rows == [
        ("chr22-100-A-G", "chr22:100 A>G", "*=0.25", "4", "4", "3", "1", "2"),
        ("BRCA1 c.1A>G", "chr17:10 T>C", "IE:heterozygous=1", "–", "1", "1", "0", "1"),
        ("BRCA1 c.1A>G", "chr7:10 T>C", "in tumours only", "–", "–", "–", "–", "–"),
    ]
    titles = [one.title for one in list_sections(summary, replace(full, planted=table))]
    assert titles.index("Planted variants") == titles.index("The cohort") + 1


def test_a_variant_that_nobody_carries_is_shown_with_zeros():
    table = planted_table([OWN], CARRIERS.iloc[:0], PEOPLE, seed=1)
    assert planted_section(table).parts[0].rows[0][3:] == ("4", "0", "0", "0", "0")


def test_a_run_without_planted_variants_has_no_such_section():
    assert planted_section(planted_table([], CARRIERS, PEOPLE, seed=1)) is None
    assert planted_section(None) is None
