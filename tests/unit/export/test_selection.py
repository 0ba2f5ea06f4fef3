"""The people of an export."""

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.export.selection import select_people
from rehearsal.export.settings import read_exports
from rehearsal.model import Block, PlantedVariant, Variant

PLANTED = [
    PlantedVariant(
        Variant("chr17", 43_124_026, "ACT", "A"), "BRCA1", "c.68_69del", "dominant", "cancer"
    ),
    PlantedVariant(Variant("chr22", 21_000_000, "A", "G"), "X", "c.1A>G", "recessive", "rare"),
]


def read(**entry):
    entry = {"name": "one", "formats": ["bcf"]} | entry
    blocks = [Block("chr17", 43_000_000, 43_200_000), Block("chr22", 20_000_000, 25_000_000)]
    return read_exports([entry], "my.yaml", ["FI", "ES"], PLANTED, blocks)["one"]


def test_people_are_chosen_by_country_number_carried_variant_or_name():
    people = pd.DataFrame(
        {"id": [f"FI-{n}" for n in range(3)] + ["ES-0"], "country": ["FI"] * 3 + ["ES"]}
    )
    carriers = pd.DataFrame({"gene": ["BRCA1"], "name": ["c.68_69del"], "individual": ["FI-2"]})

    def chosen(place, **entry):
        keep = select_people(read(**entry), place, people, carriers)
        return people["id"][keep].tolist()

    assert chosen("FI") == ["FI-0", "FI-1", "FI-2"]
    assert chosen("pooled", pooled=True, limit=1) == ["FI-0", "ES-0"]
    assert chosen("FI", people="carriers", story="cancer") == ["FI-2"]
    assert chosen("pooled", pooled=True, people=["ES-0"]) == ["ES-0"]
    told = pd.DataFrame({"story": ["cancer", "rare"], "individual": ["FI-1", "ES-0"]})
    everywhere = read(pooled=True, people="patients")
    assert people["id"][select_people(everywhere, "pooled", people, carriers, told)].tolist() == [
        "FI-1",
        "ES-0",
    ]
    of_one = read(pooled=True, people="patients", story="rare")
    assert people["id"][select_people(of_one, "pooled", people, carriers, told)].tolist() == [
        "ES-0"
    ]
    line = "exports: one: expected at least one person in ES, found no one who fits its settings"
    with pytest.raises(InputError, match=line):
        chosen("ES", people="carriers")
    line = "exports: one: people: expected identifiers of people of this run, found 'XX-1'"
    with pytest.raises(InputError, match=line):
        chosen("FI", people=["XX-1"])
