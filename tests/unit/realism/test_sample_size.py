"""Variable sites by the number of people."""

import pytest

from rehearsal.realism.sample_size import sample_sizes, sites_by_sample_size


def nodes_of(ts, people):
    return [int(u) for i in people for u in ts.individual(i).nodes]


def test_sample_sizes_end_with_all_people():
    assert sample_sizes(7) == [7]
    assert sample_sizes(10) == [10]
    assert sample_sizes(1_000) == [10, 20, 50, 100, 200, 500, 1_000]
    assert sample_sizes(2_466)[-3:] == [1_000, 2_000, 2_466]


def test_smaller_samples_count_the_sites_of_their_own_people(cohort, autosome):
    _, ts = autosome
    sites, singletons, _ = sites_by_sample_size(ts, cohort.panel.founders)
    for index, size in enumerate(sample_sizes(len(cohort.panel.founders))):
        nodes = nodes_of(ts, cohort.panel.founders[:size])
        spectrum = ts.allele_frequency_spectrum([nodes], polarised=True, span_normalise=False)
        assert sites[index] == pytest.approx(spectrum[1:-1].sum())
        assert singletons[index] == pytest.approx(spectrum[1])
    assert list(sites) == sorted(sites)
