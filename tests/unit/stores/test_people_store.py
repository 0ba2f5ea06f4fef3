"""The people store: bitmaps by term, numbers in order, one record a person, refusals."""

import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.errors import InputError
from rehearsal.stores.ontology import CodeHierarchy
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people

OPERATORS = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def test_people_are_numbered_as_they_were_given(people, facts):
    assert people.size == len(facts.names)
    assert list(people.all_identifiers()) == facts.names
    assert people.position("FI-000003") == 2
    assert people.position("SE-000003") is None


def test_terms_find_people(people, facts):
    assert set(people.with_term("NCIT:C16576")) == facts.women
    assert set(people.with_term("NCIT:C20197")) == facts.men
    assert set(people.with_term("MONDO:0005010")) == {0, 1, 5}
    assert set(people.with_term("HP:0000001")) == set()


def test_more_general_codes_find_people_unless_only_exact_is_wanted(people):
    assert set(people.with_term("ICD10:I25")) == {0, 1, 5}
    assert set(people.with_term("ICD10:I25", descendants=False)) == set()
    assert people.under("ICD10:I25") == ["ICD10:I25.1"]


@pytest.mark.parametrize(
    ("term", "ancestors"),
    [
        ("ICD10:I25.1", ["ICD10:I25"]),
        ("ICD10CM:I25.11", ["ICD10CM:I25", "ICD10CM:I25.1"]),
        ("ICD10:C50", []),
        ("HP:0000252", []),
    ],
)
def test_icd_codes_tell_their_ancestors(term, ancestors):
    assert list(CodeHierarchy().ancestors(term)) == ancestors


@given(st.sampled_from(sorted(OPERATORS)), st.integers(0, 30).map(lambda n: 1.5 + n / 8))
def test_numbers_compare_as_numbers_do(people, comparison, value):
    ldl = {i: 2.0 + 0.25 * i for i in range(11)}  # nobody measured the twelfth person
    expected = {i for i, own in ldl.items() if OPERATORS[comparison](own, value)}
    assert set(people.with_number("LOINC:22748-8", comparison, value)) == expected
    others = set(ldl) - {i for i, own in ldl.items() if own == value}
    assert set(people.with_number("LOINC:22748-8", "!", value)) == others


def test_somebody_with_several_values_is_found_by_any(people_from):
    store = people_from(values=[(0, 1.0), (0, 5.0), (1, 3.0)])
    assert set(store.with_number("X:1", ">", 4)) == {0}
    assert set(store.with_number("X:1", "<", 2)) == {0}
    assert set(store.with_number("X:1", "!", 5)) == {1}


def test_an_unknown_field_is_an_error(people):
    with pytest.raises(KeyError):
        people.with_number("shoe size", "=", 42)


def test_a_record_holds_all_that_is_known_of_a_person(people):
    record = people.record(4)
    assert record["id"] == "FI-000005"
    assert record["birth_year"] == 1960
    assert record["father"] is None
    assert [row["code"] for row in record["diseases"]] == ["ICD10:C50"]
    assert [row["code"] for row in record["features"]] == ["HP:0003002"]
    assert record["measurements"][0]["value"] == 3.0
    with pytest.raises(KeyError):
        people.record(12)


class ToyOntology:
    """HP:1 is above HP:2; HP:3 resembles HP:2."""

    def ancestors(self, term):
        return ["HP:1"] if term == "HP:2" else []

    def similar(self, term):
        return [("HP:3", 0.6)] if term == "HP:2" else []


def test_an_ontology_adds_ancestors_and_likeness(people_from):
    store = people_from(features=[(1, "HP:2")], ontology=ToyOntology())
    assert set(store.with_term("HP:1")) == {1}
    assert store.like("HP:3", 0.5) == ["HP:2"]
    assert store.like("HP:3", 0.75) == []


@pytest.fixture
def people_from(tmp_path):
    """A store of three people with measured values and features."""
    import pandas as pd

    individuals = pd.DataFrame(
        {"id": ["a", "b", "c"], "sex": ["female", "male", "male"], "birth_year": 1980}
        | {key: [None] * 3 for key in ("family", "father", "mother")}
    )

    def build(values=(), features=(), ontology=None, individuals=individuals):
        names = ["a", "b", "c", "d"]
        measured = [(names[i], "X:1", "x", value, "1", 40.0) for i, value in values]
        seen = [(names[i], code, code, None) for i, code in features]
        tables = {
            "measurements": pd.DataFrame(
                measured, columns=["individual", "code", "label", "value", "unit", "age"]
            ),
            "features": pd.DataFrame(seen, columns=["individual", "code", "label", "age_of_onset"]),
        }
        build_people(individuals, tables, tmp_path / "people.sqlite", ontology=ontology)
        return PeopleStore.open(tmp_path / "people.sqlite")

    build.individuals = individuals
    return build


def test_the_same_people_give_the_same_bytes(people_from, tmp_path):
    contents = []
    for _ in range(2):
        people_from(values=[(0, 1.0)], features=[(1, "HP:2")]).close()
        contents.append((tmp_path / "people.sqlite").read_bytes())
    assert contents[0] == contents[1]


def test_people_that_cannot_be_used_are_refused(people_from):
    people = people_from.individuals
    with pytest.raises(InputError, match="expected individuals of this node, found"):
        people_from(values=[(3, 1.0)])
    with pytest.raises(InputError, match="expected female or male, found 'unknown'"):
        people_from(individuals=people.assign(sex="unknown"))
    with pytest.raises(InputError, match=r"the columns id, .*, found no column birth_year"):
        people_from(individuals=people.drop(columns="birth_year"))
    with pytest.raises(InputError, match=r"expected unique identifiers, found .* twice"):
        people_from(individuals=people.assign(id="a"))


def test_stores_that_are_missing_or_damaged_are_refused(people_from, tmp_path):
    path = tmp_path / "people.sqlite"
    with pytest.raises(InputError, match="file: expected a people store, found nothing"):
        PeopleStore.open(path)
    people_from().close()
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    for damaged in (
        bytes(flipped),
        whole[:-4096],
        whole[: len(whole) // 2 + 100],
        b"",
        b"not a database" * 400,
    ):
        path.write_bytes(damaged)
        with pytest.raises(InputError, match=r"people\.sqlite"):
            PeopleStore.open(path)
