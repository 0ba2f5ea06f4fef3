"""The rules of disclosure, and what differs too little from an earlier release."""

import numpy as np
import pytest
from pyroaring import BitMap

from rehearsal.node.airlock.arrays import ArrayAbout, Package
from rehearsal.node.airlock.released import Released
from rehearsal.node.airlock.rules import broken_rules

PEOPLE, K = 100, 5


def broken(people_used=PEOPLE, people=PEOPLE, **arrays):
    """Rules that arrays break; each is (numbers, class, counts, largest)."""
    about = {}
    for name, (_, kind, *more) in arrays.items():
        counts, largest = (*more, *((), None)[len(more) :])
        about[name] = ArrayAbout(kind, counts, largest)
    numbers = {name: np.asarray(one[0]) for name, one in arrays.items()}
    return broken_rules(Package(numbers, about, {"people": people_used}, True, False), people, K)


@pytest.mark.parametrize(
    ("counts", "rules"),
    [
        ([0, 5, 100], []),
        ([1], ["small_count"]),
        ([0, 4, 50], ["small_count"]),
        ([101], ["wrong_count"]),
        ([-1], ["wrong_count"]),
        ([5.5], ["wrong_count"]),
    ],
)
def test_counts_are_none_or_enough(counts, rules):
    assert broken(cases=(counts, "count")) == rules


def test_sums_stand_on_enough_people():
    sums = np.array([[1.0, 2.0], [0.0, 3.0], [0.0, 0.0]])
    assert broken(n=([5, 6, 0], "count"), total=(sums, "sum", ("n",))) == []
    assert broken(n=([5, 2, 0], "largest"), total=(sums, "sum", ("n",))) == ["small_count"]
    assert broken(n=([5, 6, 2], "largest"), total=(sums, "sum", ("n",))) == []  # nothing is told
    both = {"n": ([9, 9, 9], "count"), "others": ([0, 3, 9], "largest")}
    assert broken(**both, total=(sums, "sum", ("n", "others"))) == ["small_count"]


def test_sums_without_their_counts_are_held():
    assert broken(total=([1.0], "sum", ("n",))) == ["wrong_count"]
    assert broken(n=([5, 5], "count"), total=([1.0], "sum", ("n",))) == ["wrong_count"]
    assert broken(n=([5], "count"), total=(1.0, "sum", ("n",))) == ["wrong_count"]


def test_no_sum_stands_on_nobody():
    ages = np.arange(30.0, 50.0)
    assert broken(n=([0] * 20, "count"), total=(ages, "sum", ("n",))) == ["wrong_count"]
    both = {"n": ([0, 0], "count"), "others": ([9, 0], "count")}  # all have two of the alleles
    assert broken(**both, total=([18.0, 0.0], "sum", ("n", "others"))) == []
    assert broken(**both, total=([18.0, 1.0], "sum", ("n", "others"))) == ["wrong_count"]


@pytest.mark.parametrize("count", [0.5, -1, PEOPLE + 1])
def test_counts_that_stay_at_the_node_are_counts_too(count):
    sums = {"n": ([9, count], "largest"), "total": ([1.0, 1.0], "sum", ("n",))}
    assert "wrong_count" in broken(**sums)


def test_nobody_makes_up_most_of_a_sum():
    most = ([4.0, 1.0], "largest")
    assert broken(most=most, total=([9.0, 3.0], "sum", (), "most")) == []
    assert broken(most=most, total=([7.0, 3.0], "sum", (), "most")) == ["dominance"]
    assert broken(total=([7.0, 3.0], "sum", (), "most")) == ["wrong_count"]


@pytest.mark.parametrize("kind", ["count", "sum", "list"])
@pytest.mark.parametrize("more", [0, 1, K - 1, 1 - K])
def test_no_array_is_about_as_long_as_there_are_people(kind, more):
    assert broken(rows=(np.zeros((3, PEOPLE + more), int), kind)) == ["person_rows"]
    assert broken(people_used=50, rows=(np.zeros(50 + more, int), kind)) == ["person_rows"]


def test_other_lengths_are_no_rows_of_people():
    assert broken(rows=(np.zeros(PEOPLE + K), "sum")) == []
    assert broken(rows=(np.zeros(PEOPLE, int), "sketch")) == []  # which nodes permit by themselves
    assert broken(people=7, people_used=7, rows=(np.zeros(7), "sum")) == []  # by chance


def test_a_result_is_about_enough_people_and_not_more_than_there_are():
    assert broken(people_used=4, total=([1.0], "sum")) == ["few_people"]
    assert broken(people_used=101, total=([1.0], "sum")) == ["wrong_count"]


@pytest.mark.parametrize("in_file", [False, True])
def test_people_who_differ_by_too_few_from_an_earlier_release(tmp_path, in_file):
    path = tmp_path / "released.sqlite" if in_file else None
    released = Released(path)
    everybody = BitMap(range(PEOPLE))
    assert not released.is_near_earlier(everybody, K)
    released.add(everybody)
    if in_file:  # it is remembered over a restart
        released.close()
        released = Released(path)
    assert not released.is_near_earlier(everybody, K)  # the same people
    assert released.is_near_earlier(everybody - BitMap([3]), K)
    assert released.is_near_earlier(everybody - BitMap([3]) | BitMap([100, 101, 102]), K)
    assert not released.is_near_earlier(everybody - BitMap(range(5)), K)
    released.close()
