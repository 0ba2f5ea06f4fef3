"""Consent: which uses permit which purposes, and whom a purpose leaves out."""

from types import SimpleNamespace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.node.access.consent import (
    COVERED_BY,
    MOST_SETS,
    Purpose,
    SharedPeople,
    people_not_permitting,
    permits,
    read_purpose,
)
from rehearsal.phenotypes.mondo import IS_A
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people
from rehearsal.web.problem import Problem

NRES, GRU, HMB, DS, POA, CC = (f"DUO:00000{n}" for n in ("04", "42", "06", "07", "11", "43"))
NPOA, NPU, NCU, NPUNCU, IRB = (f"DUO:00000{n}" for n in ("44", "45", "46", "18", "21"))
BREAST, HEART = "MONDO:0007254", "MONDO:0005010"
CANCER, BREAST_CARCINOMA = "MONDO:0004992", "MONDO:0004989"


@pytest.mark.parametrize(
    ("uses", "purpose", "permitted"),
    [
        ([NRES], HMB, True),
        ([NRES], CC, True),
        ([GRU], HMB, True),
        ([GRU], f"{DS} {BREAST}", True),
        ([GRU], POA, True),
        ([GRU], CC, False),
        ([HMB], HMB, True),
        ([HMB], GRU, False),
        ([HMB], POA, False),
        ([HMB], f"{DS} {HEART}", True),
        ([f"{DS} {BREAST}"], f"{DS} {BREAST}", True),
        ([f"{DS} {BREAST}"], f"{DS} {HEART}", False),
        ([f"{DS} {BREAST}"], HMB, False),
        ([f"{DS} {BREAST}"], f"{DS} {BREAST_CARCINOMA}", True),
        ([f"{DS} {BREAST_CARCINOMA}"], f"{DS} {BREAST}", False),
        ([f"{DS} {CANCER}"], f"{DS} {BREAST_CARCINOMA}", True),
        ([f"{DS} {CANCER}"], f"{DS} {HEART}", False),
        ([f"{DS} MONDO:0004995"], f"{DS} {HEART}", True),
        ([f"{DS} MONDO:9999999"], f"{DS} MONDO:9999999", True),
        ([f"{DS} {CANCER}", NPU], f"{DS} {BREAST}", False),
        ([CC], CC, True),
        ([CC], HMB, False),
        ([POA], POA, True),
        ([GRU, NPOA], POA, False),
        ([GRU, NPOA], HMB, True),
        ([GRU, NPU], HMB, False),
        ([GRU, NPU], f"{HMB}, {NPU}", True),
        ([GRU, NCU], f"{HMB}, {NPUNCU}", True),
        # DUO:0000018: "limited to not-for-profit organizations and not-for-profit use"
        ([GRU, NPUNCU], f"{HMB}, {NPU}", False),
        ([GRU, NPUNCU], f"{HMB}, {NCU}", False),
        ([GRU, NPUNCU], f"{HMB}, {NPU}, {NCU}", True),
        ([GRU, NPUNCU], f"{HMB}, {NPUNCU}", True),
        ([GRU, NPU], f"{HMB}, {NPUNCU}", True),
        ([GRU, NPU], f"{HMB}, {NCU}", False),
        ([GRU, NCU], f"{HMB}, {NPU}", False),
        ([GRU, NPU, NCU], f"{HMB}, {NPUNCU}", True),
        ([GRU, NPU, NCU, IRB], f"{HMB}, {NPUNCU}", False),
        ([NRES, IRB], HMB, False),
        ([NRES, IRB], f"{HMB}, {IRB}", True),
        ([NRES, "DUO:9999999"], HMB, False),
        ([], HMB, False),
    ],
)
def test_what_uses_permit(uses, purpose, permitted):
    assert permits(uses, read_purpose(purpose)) is permitted


def test_an_unstated_purpose_may_be_anything():
    assert permits([NRES], None)
    assert not permits([GRU, CC], None)
    assert not permits([NRES, NPU], None)


USES = st.sets(st.sampled_from([NRES, GRU, HMB, f"{DS} {BREAST}", POA, CC, NPU, NCU, IRB]))
PURPOSES = st.sampled_from([f"{term} {BREAST}" if term == DS else term for term in COVERED_BY])


@given(uses=USES, condition=st.sampled_from([NPU, NCU, IRB, "DUO:0000099"]), purpose=PURPOSES)
def test_a_condition_never_permits_more(uses, condition, purpose):
    stated = read_purpose(purpose)
    assert permits(uses | {condition}, stated) <= permits(uses, stated)


@given(uses=USES, purpose=PURPOSES)
def test_permission_for_an_unstated_purpose_covers_every_purpose(uses, purpose):
    assert permits(uses, None) <= permits(uses, read_purpose(purpose))


def test_a_purpose_survives_a_round_trip():
    stated = read_purpose(f"{DS} {BREAST}, {NPU}")
    assert stated == Purpose(DS, BREAST, frozenset({NPU}))
    assert read_purpose(str(stated)) == stated
    assert read_purpose(None) is read_purpose("  ") is None


@pytest.mark.parametrize(
    "text",
    [
        *("GRU", "DUO:42", f"{GRU};{CC}", DS, f"{GRU} {BREAST}", NRES, NPU, f"{GRU}, {CC}"),
        *("DUO:" * 200, f"{GRU}, {NPU} {BREAST}", "DUO:0000042\nX", "DUO:٠٠٠٠٠٤٢"),
    ],
)
def test_a_malformed_purpose_is_refused(text):
    with pytest.raises(Problem, match=r"^X-Rehearsal-Purpose: expected .*, found "):
        read_purpose(text)


# --- the store ---

NAMES = [f"FI-{number:06d}" for number in range(1, 7)]
CONSENT = pd.DataFrame(
    [
        (NAMES[0], "consent", NRES, False),
        (NAMES[1], "consent", f"{GRU}, {CC}", False),
        (NAMES[2], "public interest", HMB, False),
        (NAMES[3], "consent", NRES, True),
        (NAMES[4], "consent", f"{GRU}, {CC}", False),
    ],
    columns=["individual", "basis", "uses", "withdrawn"],
)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    path = tmp_path_factory.mktemp("consent") / "people.sqlite"
    people = pd.DataFrame({"id": NAMES, "sex": "female", "birth_year": 1970})
    people = people.assign(family=None, father=None, mother=None)
    build_people(people, {"consent": CONSENT}, path)
    store = PeopleStore.open(path)
    yield store
    store.close()


@pytest.mark.parametrize(
    ("purpose", "left_out"),
    [(HMB, {3, 5}), (GRU, {2, 3, 5}), (CC, {2, 3, 5}), (None, {1, 2, 3, 4, 5})],
)
def test_who_is_left_out(store, purpose, left_out):
    assert set(people_not_permitting(store, read_purpose(purpose))) == left_out
    assert set(people_not_permitting(store, read_purpose(purpose), False)) == left_out - {5}


def test_a_consent_of_an_unknown_person_is_refused(tmp_path):
    people = pd.DataFrame({"id": NAMES[:1], "sex": "female", "birth_year": 1970})
    people = people.assign(family=None, father=None, mother=None)
    with pytest.raises(
        InputError, match="consent: expected individuals of this node, found 'FI-000002'"
    ):
        build_people(people, {"consent": CONSENT}, tmp_path / "people.sqlite")


def test_every_relation_between_diseases_has_a_source():
    table = pd.read_csv(IS_A, sep="\t")
    assert table.notna().all(axis=None)
    assert not table.duplicated(["term", "parent"]).any()
    assert table["source"].str.startswith("Mondo Disease Ontology").all()
    for column in ("term", "parent"):
        assert table[column].str.fullmatch(r"MONDO:\d{7}").all()


def test_purposes_that_exclude_the_same_people_take_memory_once():
    people = SimpleNamespace(everyone=BitMap(range(1000)))
    shared = SharedPeople(people)
    first, others = shared.of(BitMap([3, 4]))
    assert others == BitMap(range(1000)) - BitMap([3, 4])
    again = shared.of(BitMap([4, 3]))
    assert again[0] is first
    assert again[1] is others
    assert shared.of(BitMap())[1] is None
    for number in range(1000):
        shared.of(BitMap([number]))
    assert len(shared._pairs) == MOST_SETS
