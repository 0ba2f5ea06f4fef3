"""How many copies a country must have of a planted variant, and which haplotypes give them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.errors import InputError
from rehearsal.genomes.mutation_placement import exact_sum
from rehearsal.genomes.planted_variants import planted_targets


def people_of(women: int, men: int, codes=("ES", "FI", "IE")) -> pd.DataFrame:
    rows = [
        (code, sex)
        for code in codes
        for sex, n in (("female", women), ("male", men))
        for _ in range(n)
    ]
    return pd.DataFrame(rows, columns=["country", "sex"])


CODES = tuple(f"C{k:02d}" for k in range(28))


def test_the_copies_of_countries_vary_as_those_of_samples_do(planted_by_frequency):
    people = people_of(50, 50, CODES)
    planted = [planted_by_frequency(start, others=0.15) for start in range(40)]
    found = np.array([list(planted_targets(one, people, seed=1).values()) for one in planted])
    assert (found.sum(axis=1) == 840).all()  # 0.15 of 28 x 200 chromosomes
    # variance of a binomial number of 200 chromosomes, given the total of 28 of them
    assert found.var() == pytest.approx(200 * 0.15 * 0.85 * 27 / 28, rel=0.15)


def test_countries_of_higher_frequency_have_more_copies(planted_by_frequency):
    planted = [planted_by_frequency(start, others=0.1, FI=0.25) for start in range(20)]
    people = people_of(50, 50)
    found = [planted_targets(one, people, seed=1) for one in planted]
    assert {sum(targets.values()) for targets in found} == {90}
    assert np.mean([targets["FI"] for targets in found]) == pytest.approx(50, abs=4)


def test_on_x_men_count_once(planted_by_frequency):
    planted = planted_by_frequency(1, contig="chrX", others=0.1)
    assert sum(planted_targets(planted, people_of(50, 50), seed=1).values()) == 45


def test_the_total_is_right_where_each_share_is_below_one(planted_by_frequency):
    people = people_of(50, 50, CODES)
    targets = planted_targets(planted_by_frequency(1, others=0.0005), people, seed=1)
    assert sum(targets.values()) == 3
    assert targets != planted_targets(planted_by_frequency(2, others=0.0005), people, seed=1)
    assert targets != planted_targets(planted_by_frequency(1, others=0.0005), people, seed=2)


def test_every_country_gets_at_least_the_minimum(planted_by_frequency):
    planted = planted_by_frequency(1, 2, others=0.0, FI=0.5)
    targets = planted_targets(planted, people_of(5, 5), seed=1)
    assert targets == {"ES": 2, "FI": 10, "IE": 2}


def test_countries_without_a_frequency_get_none(planted_by_frequency):
    people = people_of(5, 5)
    assert planted_targets(planted_by_frequency(1, FI=0.5), people, seed=1)["ES"] == 0
    assert planted_targets(planted_by_frequency(1), people, seed=1) == {}


def test_more_carriers_than_people_are_refused(planted_by_frequency):
    with pytest.raises(InputError, match=r"minimum_per_country of GENE v1 .*ES who can.*4, found "):
        planted_targets(planted_by_frequency(1, 5, others=0.1), people_of(2, 2), seed=1)


@given(
    frequency=st.floats(0, 1), women=st.integers(0, 30), men=st.integers(1, 30), n=st.integers(1, 9)
)
def test_targets_have_the_right_total_and_fit_in_their_countries(
    frequency, women, men, n, planted_by_frequency
):
    people = people_of(women, men, CODES[:n])
    targets = planted_targets(planted_by_frequency(1, others=frequency), people, seed=1)
    chromosomes = 2 * (women + men)
    assert abs(sum(targets.values()) - frequency * chromosomes * n) < 0.5 + 1e-6
    assert all(0 <= target <= chromosomes for target in targets.values())


@given(st.lists(st.integers(1, 6), max_size=12), st.data())
def test_an_exact_sum_is_found_whenever_there_is_one(weights, data):
    chosen = data.draw(st.lists(st.booleans(), min_size=len(weights), max_size=len(weights)))
    total = sum(w for w, c in zip(weights, chosen, strict=True) if c)
    picked = exact_sum(np.array(weights, dtype=np.int64), total)
    assert len(set(picked)) == len(picked)
    assert sum(weights[k] for k in picked) == total


@pytest.mark.parametrize(("weights", "total"), [([], 1), ([2, 2, 4], 3), ([3, 5], 9)])
def test_an_impossible_sum_is_none(weights, total):
    assert exact_sum(np.array(weights, dtype=np.int64), total) is None
