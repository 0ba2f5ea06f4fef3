"""The variant store: what it answers, and when it refuses to answer at all."""

import shutil
import sqlite3
import struct

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.model import AlleleCounts
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.variant_store import VariantStore
from rehearsal.stores.variant_store_writer import StoreWriter, build_store, merge_contigs

PEOPLE = pd.DataFrame({"id": ["FI-1", "FI-2", "FI-3"], "sex": ["female", "male", "male"]})
CONTIGS = {"chr2": 1000, "chrX": 500}
# FI-1 has two copies, FI-2 one of two
COUNTS = (2, 2, 1, 0, 0, 4, 1, 0, 1, 0)


def a_row(contig=0, start=10, ref="A", alt="C", carriers=(0, 1), homozygotes=(0,), size=(0, 0)):
    lists = (encode(np.array(members, int)) for members in (carriers, homozygotes))
    return (contig, start, ref, alt, *size, 0, *COUNTS, *lists)


def write(path, rows, people=PEOPLE, contigs=CONTIGS):
    with StoreWriter(path, people, contigs) as writer:
        for number in range(len(contigs)):
            writer.write(path, [row for row in rows if row[0] == number])
    return path


@pytest.fixture
def path(tmp_path):
    rows = [
        a_row(start=10),
        a_row(start=100, ref="ACGTACGTAC", alt="A"),
        a_row(start=105, alt="G"),
        a_row(start=105, alt="T"),
        a_row(start=110),
        a_row(contig=1, start=499),
    ]
    return write(tmp_path / "variants.sqlite", rows)


@pytest.fixture
def store(path):
    with VariantStore.open(path) as store:
        yield store


def test_a_store_knows_its_people_and_contigs(store):
    assert store.individuals == ["FI-1", "FI-2", "FI-3"]
    assert store.sexes == ["female", "male", "male"]
    assert store.contigs == CONTIGS
    assert store.count == 6


def test_a_variant_is_found_by_its_exact_place_and_letters(store):
    row = store.get("chr2", 10, "A", "C")
    assert (row.contig, row.start, row.ref, row.alt) == ("chr2", 10, "A", "C")
    assert row.female == AlleleCounts(an=2, ac=2, hom=1, het=0, hemi=0)
    assert row.male == AlleleCounts(an=4, ac=1, hom=0, het=1, hemi=0)
    assert row.total == AlleleCounts(an=6, ac=3, hom=1, het=1, hemi=0)
    assert row.carriers() == BitMap([0, 1])
    assert row.homozygotes() == BitMap([0])


@pytest.mark.parametrize(
    "place",
    [
        ("chr2", 11, "A", "C"),
        ("chr2", 10, "A", "G"),
        ("chr2", 10, "AC", "C"),
        ("chr3", 10, "A", "C"),
        ("chr2", -1, "A", "C"),
        ("chr2", 10**30, "A", "C"),
        ("chr2", 10, "'; DROP TABLE variants; --", "C"),
    ],
)
def test_a_variant_that_is_not_there_is_none(store, place):
    assert store.get(*place) is None


def test_a_variant_that_is_there_is_found(store):
    for row in store:
        assert store.get(*row[:4]) == row


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (0, 10, []),
        (0, 11, [(10, "C")]),
        (10, 11, [(10, "C")]),
        (11, 100, []),
        (109, 110, [(100, "A")]),  # the last base of the deletion
        (110, 111, [(110, "C")]),
        (105, 106, [(100, "A"), (105, "G"), (105, "T")]),
        (-50, 10**30, [(10, "C"), (100, "A"), (105, "G"), (105, "T"), (110, "C")]),
        (50, 50, []),
    ],
)
def test_a_range_finds_variants_that_touch_it(store, start, end, found):
    assert [(row.start, row.alt) for row in store.overlapping("chr2", start, end)] == found


@given(
    variants=st.lists(
        st.tuples(st.integers(0, 900), st.sampled_from(["A", "ACG"]), st.integers(0, 99)),
        max_size=30,
        unique_by=lambda one: one[0],
    ),
    start=st.integers(0, 990),
    width=st.integers(1, 200),
)
@settings(max_examples=60, deadline=None)
def test_a_range_finds_long_variants_from_wherever_they_begin(
    tmp_path_factory, variants, start, width
):
    path = tmp_path_factory.mktemp("long") / "variants.sqlite"
    rows = [
        a_row(start=place, ref="A", alt="<DEL>", size=(reach, reach))
        if reach
        else a_row(start=place, ref=ref, alt="C")
        for place, ref, reach in sorted(variants)
    ]
    end = min(start + width, 1000)
    touching = [row[1] for row in rows if row[1] < end and row[1] + len(row[2]) + row[5] > start]
    with VariantStore.open(write(path, rows)) as store:
        found = list(store.overlapping("chr2", start, end))
    assert [row.start for row in found] == touching
    assert all(row.end == row.start + len(row.ref) + row.reach for row in found)


def test_few_variants_are_read_to_find_the_long_ones_that_reach_a_range(tmp_path):
    rows = [a_row(start=start, alt="<DEL>", size=(2, 2)) for start in range(900)]
    rows[0] = a_row(start=0, alt="<DEL>", size=(990, 990))
    with VariantStore.open(write(tmp_path / "variants.sqlite", rows)) as store:
        steps = []
        store._connection.set_progress_handler(lambda: steps.append(1), 10)
        found = [row.start for row in store.overlapping("chr2", 950, 960)]
    assert found == [0]
    assert len(steps) < 50  # of 10 instructions; reading all rows takes 20 times as many


def test_a_store_of_an_older_format_is_refused(path):
    with sqlite3.connect(path) as connection:
        connection.execute(
            "UPDATE meta SET value = 'rehearsal variant store 1' WHERE key = 'format'"
        )
    connection.close()
    with pytest.raises(InputError, match="variant store 2"):
        VariantStore.open(path, verify=False)


def test_a_range_on_an_unknown_contig_is_empty(store):
    assert list(store.overlapping("chr9", 0, 100)) == []


def test_the_last_base_of_a_contig_is_found(store):
    assert [row.start for row in store.overlapping("chrX", 499, 500)] == [499]


@settings(deadline=None, max_examples=20)
@given(
    st.sets(st.tuples(st.integers(0, 60), st.integers(1, 12)), max_size=25),
    st.integers(0, 80),
    st.integers(0, 80),
)
def test_ranges_equal_a_plain_scan(tmp_path_factory, variants, start, end):
    rows = sorted(a_row(start=at, ref="A" * bases) for at, bases in variants)
    file = write(tmp_path_factory.mktemp("store") / "v.sqlite", rows)
    expected = [(r[1], r[2]) for r in rows if r[1] < end and r[1] + len(r[2]) > start < end]
    with VariantStore.open(file) as store:
        assert [(r.start, r.ref) for r in store.overlapping("chr2", start, end)] == expected


def test_equal_rows_give_equal_bytes(tmp_path, path):
    with VariantStore.open(path) as store:
        numbers = {"chr2": 0, "chrX": 1}
        rows = [(numbers[row.contig], *row[1:]) for row in store]
    again = write(tmp_path / "again.sqlite", rows)
    assert again.read_bytes() == path.read_bytes()


def test_a_store_is_one_self_contained_file(tmp_path, path):
    (tmp_path / "elsewhere").mkdir()
    moved = shutil.move(path, tmp_path / "elsewhere" / "odd name?#%.sqlite")
    with VariantStore.open(moved) as store:
        store.check()
        assert store.count == 6
    assert [file.name for file in (tmp_path / "elsewhere").iterdir()] == ["odd name?#%.sqlite"]


def test_every_flipped_byte_is_refused(path):
    data = bytearray(path.read_bytes())
    for at in range(0, len(data), 997):
        data[at] ^= 4
        path.write_bytes(data)
        with pytest.raises(InputError):
            VariantStore.open(path)
        data[at] ^= 4


def test_a_damaged_store_says_why(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(
        InputError, match=r"checksum: expected .*, found \d+ \(the file is damaged\)"
    ):
        VariantStore.open(path)


@pytest.mark.parametrize("people", [10, 9000, 60_000, 200_000])
def test_stores_of_any_number_of_people_open(tmp_path, people):
    """The page size follows the number of people; the largest is written as 1 by SQLite."""
    many = pd.DataFrame({"id": [f"P{n}" for n in range(people)], "sex": "female"})
    everybody = range(people)
    rows = [a_row(carriers=everybody, homozygotes=everybody), a_row(start=11)]
    with VariantStore.open(write(tmp_path / "v.sqlite", rows, many)) as store:
        store.check()
        assert store.get("chr2", 10, "A", "C").homozygotes() == BitMap(everybody)


@pytest.mark.parametrize("lost", [1, 4096, 10_000])
def test_a_truncated_store_says_why(path, lost):
    data = path.read_bytes()
    path.write_bytes(data[:-lost])
    with pytest.raises(InputError, match=f"size: expected {len(data)} bytes, found .*cut off"):
        VariantStore.open(path)


def test_files_that_are_no_store_are_refused(tmp_path):
    with pytest.raises(InputError, match="file: expected a variant store, found nothing"):
        VariantStore.open(tmp_path / "missing.sqlite")
    (tmp_path / "empty.sqlite").touch()
    with pytest.raises(InputError, match="found an empty file or one that is not of SQLite"):
        VariantStore.open(tmp_path / "empty.sqlite")
    with sqlite3.connect(tmp_path / "other.sqlite") as other:
        other.execute("CREATE TABLE t (x)")
    with pytest.raises(InputError, match="expected a variant store, found another SQLite file"):
        VariantStore.open(tmp_path / "other.sqlite")


def test_check_finds_a_row_that_was_changed_behind_our_back(path):
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE variants SET ac_female = 1 WHERE start = 10")
        connection.execute("PRAGMA user_version = 0")
    with VariantStore.open(path, verify=False) as store, pytest.raises(InputError, match="content"):
        store.check()


def test_a_file_without_our_tables_is_refused(tmp_path):
    path = tmp_path / "hollow.sqlite"
    with sqlite3.connect(path) as hollow:
        hollow.execute(f"PRAGMA application_id = {struct.unpack('>I', b'RHRS')[0]}")
        hollow.execute("CREATE TABLE t (x)")
    with pytest.raises(InputError, match="tables: expected the tables of a rehearsal variant"):
        VariantStore.open(path, verify=False)


@pytest.mark.parametrize("rows", [[a_row(), a_row()], [a_row(start=11), a_row(start=10)]])
def test_rows_out_of_order_are_refused_and_nothing_is_left(tmp_path, rows):
    with pytest.raises(InputError, match=r"chr2:11 A>C: expected variants in ascending order"):
        write(tmp_path / "v.sqlite", rows)
    assert list(tmp_path.iterdir()) == []


def test_people_are_checked(tmp_path):
    twice = pd.DataFrame({"id": ["A", "A"], "sex": ["male", "male"]})
    with pytest.raises(InputError, match=r"id: expected unique identifiers, found '.*' twice"):
        write(tmp_path / "v.sqlite", [], people=twice)
    with pytest.raises(InputError, match="sex: expected female or male, found '"):
        write(tmp_path / "v.sqlite", [], people=PEOPLE.assign(sex="M"))


def test_a_file_that_is_no_part_is_refused(tmp_path):
    part = tmp_path / "part.parquet"
    part.write_bytes(b"no parquet at all")
    with pytest.raises(InputError, match="a part of a variant store"):
        build_store([part], PEOPLE, tmp_path / "v.sqlite")
    PEOPLE.to_parquet(part)
    with pytest.raises(InputError, match="a part of a variant store"):
        build_store([part], PEOPLE, tmp_path / "v.sqlite")


def test_contigs_come_in_karyotype_order():
    lengths = dict.fromkeys(["chrM", "chr10", "chrX", "chr2", "other", "chrY"], 5)
    assert list(merge_contigs([("a", lengths)])) == [
        "chr2",
        "chr10",
        "chrX",
        "chrY",
        "chrM",
        "other",
    ]
    with pytest.raises(InputError, match=r"b: contig chr2: expected 5 bases, .*, found "):
        merge_contigs([("a", {"chr2": 5}), ("b", {"chr2": 6})])
