"""What an algorithm sees: the permitted people's genotypes and variables, counted by hand."""

import json

import numpy as np
import pandas as pd
import pgenlib
import pytest

from rehearsal.node.wes.variables import known_variables
from rehearsal.node.wes.view import ViewOrder, write_view

from ..conftest import CONTIGS, GENOTYPES, MEN, NAMES, PEOPLE

HEART, LDL = "MONDO:0005010", "LOINC:22748-8"


def view_of(node_folder, target, people, variables=(), genotypes=True):
    target.mkdir()
    numbers = write_view(
        ViewOrder(str(node_folder), str(target), list(people), list(variables), genotypes)
    )
    assert {"people": len(people), "variants": numbers["variants"]} == numbers
    about = json.loads((target / "view.json").read_text())
    assert {name: about[name] for name in numbers} == numbers
    return target


def genotypes_in(folder):
    """Copies by allele, read by pgenlib: {(contig, 0-based start, ref, alt): array}."""
    lines = (folder / "genotypes.pvar").read_text().splitlines()[1:]
    people = len((folder / "genotypes.psam").read_text().splitlines()) - 1
    matrix = np.empty((len(lines), people), dtype=np.int8)
    with pgenlib.PgenReader(str(folder / "genotypes.pgen").encode()) as reader:
        reader.read_range(0, len(lines), matrix)
    cells = [line.split("\t") for line in lines]
    keys = [(contig, int(place) - 1, ref, alt) for contig, place, _, ref, alt, _ in cells]
    return dict(zip(keys, matrix, strict=True))


def expected(allele, people):
    """By hand: a carrier with one copy of one has two, as PLINK codes it."""
    copies = [GENOTYPES[allele].get(person, 0) for person in people]
    if allele[0] == "chrX":
        doubled = zip(copies, people, strict=True)
        copies = [2 * copy if person in MEN else copy for copy, person in doubled]
    return copies


@pytest.mark.parametrize("people", [range(PEOPLE), [0, 1, 5, 7, 11], [6]])
def test_genotypes_are_those_of_the_permitted_people(node_folder, tmp_path, people):
    found = genotypes_in(view_of(node_folder, tmp_path / "view", people))
    carried = {a: expected(a, people) for a in GENOTYPES if any(expected(a, people))}
    assert {allele: list(copies) for allele, copies in found.items()} == carried


def test_alleles_stand_in_the_order_of_the_node(node_folder, tmp_path):
    found = list(genotypes_in(view_of(node_folder, tmp_path / "view", range(PEOPLE))))
    assert found == sorted(found, key=lambda a: (list(CONTIGS).index(a[0]), *a[1:]))


def test_without_permitted_carriers_there_are_no_genotypes(node_folder, tmp_path):
    folder = view_of(node_folder, tmp_path / "view", [])
    assert not (folder / "genotypes.pgen").exists()
    assert (folder / "genotypes.pvar").read_text().count("\n") == 1


def test_nothing_in_a_view_names_a_person(node_folder, tmp_path):
    folder = view_of(node_folder, tmp_path / "view", range(PEOPLE), [LDL, HEART])
    for path in folder.iterdir():
        assert not any(name.encode() in path.read_bytes() for name in NAMES), path


def test_variables_of_people(node_folder, tmp_path):
    people = [0, 1, 4, 5, 11]
    folder = view_of(node_folder, tmp_path / "view", people, [LDL, HEART], genotypes=False)
    table = pd.read_parquet(folder / "people.parquet")
    assert list(table["sex"]) == ["female", "male", "female", "male", "male"]
    assert list(table["age"]) == [85.0, 80.0, 65.0, 60.0, 30.0]  # in 2025
    assert list(table[LDL][:4]) == [2.0, 2.25, 3.0, 3.25]
    assert np.isnan(table[LDL][4])  # not measured
    assert list(table[HEART]) == [True, True, False, True, False]
    # person 5 has the disease and no known age at onset: not followed
    assert list(table[f"{HEART}.last_year"]) == [61, 55, 64, -1, 29]
    assert list(table[f"{HEART}.event"]) == [True, True, False, False, False]
    assert json.loads((folder / "view.json").read_text())["units"][LDL] == "mmol/L"
    assert not (folder / "genotypes.pvar").exists()


def test_variables_are_numbers_and_diseases(people):
    known = known_variables(people)
    assert {"sex", "age", LDL, HEART, "ICD10:C50"} <= known
    assert not any(name.startswith("ageOfOnset") or name.startswith("HP:") for name in known)
