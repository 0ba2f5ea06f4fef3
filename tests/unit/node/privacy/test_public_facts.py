"""Public facts: what a node may use without paying."""

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.node.privacy.public_facts import PUBLIC_FACTS_FILE, PublicFacts, rounded_size
from rehearsal.node.privacy.public_facts_writer import write_public_facts, write_size_facts
from rehearsal.phenotypes.consent import ConsentShares, Record
from rehearsal.stores.people_store_writer import build_people

from ...node_folders import write_node, write_two_countries


def facts_of(folder):
    return PublicFacts.open(folder / PUBLIC_FACTS_FILE)


@pytest.mark.parametrize(("people", "shown"), [(3, 10), (14, 10), (15, 20), (104, 100)])
def test_the_number_of_people_is_rounded(people, shown):
    assert rounded_size(people) == shown
    assert PublicFacts.of_size(people).people == shown


def test_alleles_are_those_that_people_elsewhere_carry(folders):
    facts = facts_of(folders["AT"])
    assert (facts.women, facts.men, facts.people) == (22, 0, 20)
    # BE: chr1:5 one of 22, below a twentieth; chr1:7 three of 22
    assert [tuple(one) for one in facts.overlapping("chr1", 0, 100)] == [
        ("chr1", 7, "A", "G", 0, 0, 0, 3, 0)
    ]
    assert facts.get("chr1", 7, "A", "G").women == 3
    assert facts.get("chr1", 9, "A", "T") is None  # AT's own people do not count


def test_ranges_are_half_open(folders):
    facts = facts_of(folders["AT"])
    assert not list(facts.overlapping("chr1", 0, 7))
    assert list(facts.overlapping("chr1", 7, 8))
    assert not list(facts.overlapping("chr1", 8, 9))


def test_the_facts_of_a_node_do_not_depend_on_its_own_people(tmp_path):
    found = []
    for own in ([("chr1", 5, "T", [0, 1])], [("chr1", 5, "T", [0]), ("chr1", 42, "T", [1])], []):
        place = tmp_path / str(len(found))
        folders = write_two_countries(place)
        write_node(place / "again" / "AT", own, [None] * 22)
        write_public_facts({"AT": place / "again" / "AT", "BE": folders["BE"]})
        facts = facts_of(place / "again" / "AT")
        tables = ("contigs", "alleles", "terms", "consents", "samples")
        rows = [facts._connection.execute(f"SELECT * FROM {t}").fetchall() for t in tables]
        meta = dict(facts._connection.execute("SELECT key, value FROM meta"))
        found.append((rows, {k: v for k, v in meta.items() if k != "release"}, meta["release"]))
    assert found[0][:2] == found[1][:2] == found[2][:2]
    assert len({release for *_, release in found}) == 3  # other data are another release


def consenting(folder, uses, withdrawn=False):
    """Write a node whose first person has another consent, and an allele that nobody else has."""
    write_node(folder, [("chr1", 42, "T", [0, 1, 2, 3]), ("chr1", 43, "T", [0])], [None] * 22)
    people = pd.read_parquet(folder / "individuals.parquet")
    consent = pd.DataFrame({"individual": people["id"], "basis": "x", "uses": "DUO:0000004"})
    consent = consent.assign(withdrawn=False)
    consent.loc[0, ["uses", "withdrawn"]] = [uses, withdrawn]
    (folder / "people.sqlite").unlink()
    build_people(people, {"consent": consent}, folder / "people.sqlite")


@pytest.mark.parametrize(
    ("uses", "withdrawn"), [("DUO:0000042", False), ("DUO:0000004", True), ("DUO:0000006", False)]
)
def test_no_node_is_told_of_people_who_do_not_permit_any_use(tmp_path, uses, withdrawn):
    folders = write_two_countries(tmp_path)
    consenting(tmp_path / "FI", uses, withdrawn)
    write_public_facts(folders | {"FI": tmp_path / "FI"})
    facts = facts_of(folders["AT"])
    assert facts.get("chr1", 42, "A", "T").women == 3  # of four carriers
    assert facts.get("chr1", 43, "A", "T") is None
    assert facts.women == 22 + 21


def test_consents_are_those_that_people_were_asked_for(folders):
    records = Record("a", 0.8, "x", ("DUO:0000042",)), Record("b", 0.2, "x", ("z",))
    forms = ConsentShares(records, withdrawn=0.1)
    write_public_facts(folders, forms)
    found = {(uses, gone): share for uses, gone, share in facts_of(folders["AT"]).consents()}
    assert found[("DUO:0000042",), False] == pytest.approx(0.72)
    assert found[("z",), True] == pytest.approx(0.02)
    assert sum(found.values()) == pytest.approx(1)


def test_the_same_stores_give_the_same_bytes(folders):
    before = (folders["AT"] / PUBLIC_FACTS_FILE).read_bytes()
    write_public_facts(folders)
    assert (folders["AT"] / PUBLIC_FACTS_FILE).read_bytes() == before


def test_sexes_are_terms(folders):
    facts = facts_of(folders["AT"])
    assert facts.has_term("NCIT:C16576", False) == (22, 0)
    assert facts.has_term("HP:0000001", True) is None
    assert [term.id for term in facts.terms] == ["NCIT:C16576"]


def test_of_a_lone_node_only_the_size_is_public(folders):
    write_size_facts(folders["AT"])
    facts = facts_of(folders["AT"])
    assert (facts.people, facts.people_elsewhere) == (20, 0)
    assert facts.share_with_tumour is None and facts.share_with_sample("runs") is None


@pytest.mark.parametrize("damage", [b"", b"SQLite format 3\0", None])
def test_a_damaged_file_is_refused(folders, damage):
    path = folders["AT"] / PUBLIC_FACTS_FILE
    content = path.read_bytes()
    path.write_bytes(content[:-5000] + bytes(5000) if damage is None else damage)
    with pytest.raises(InputError):
        PublicFacts.open(path)


def test_another_sqlite_file_is_refused(folders):
    with pytest.raises(InputError, match="public facts"):
        PublicFacts.open(folders["AT"] / "people.sqlite")
