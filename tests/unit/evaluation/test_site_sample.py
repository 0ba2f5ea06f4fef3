"""Queries of a large run are drawn from a sample of its alleles."""

import numpy as np
import pandas as pd

from rehearsal.evaluation.allele_choice import sized_alleles
from rehearsal.evaluation.site_sample import NEARBY, sample_sites
from rehearsal.evaluation.templates import QueryTemplate

MOST = 200


def block(alleles=20_000, seed=1):
    """Alleles of one block of 60 kb: 17 of 20 are singletons, 2 rare, 1 common; some are indels."""
    rng = np.random.default_rng(seed)
    ref = rng.choice(["A", "ACT"], alleles, p=[0.9, 0.1])
    start = np.sort(rng.choice(60_000, alleles, replace=False))
    sites = pd.DataFrame({"contig": "chr1", "start": start, "ref": ref, "alt": "G"})
    copies = rng.choice([1, 5, 900], alleles, p=[0.85, 0.1, 0.05])
    return sites.assign(end=start + sites["ref"].str.len(), svlen=0, ac=copies, an=10_000)


def drawn(sites, seed, number, **template):
    """The first alleles that a template draws, as (start, alternate)."""
    wanted = QueryTemplate("t", "count", "site", number, **template)
    found = sized_alleles(wanted, sites, np.random.default_rng(seed))
    return [(variant.start, variant.alt) for variant, _ in (next(found) for _ in range(number))]


def test_few_alleles_stay_all_and_give_the_same_draws():
    sites = block(alleles=300)
    sample = sample_sites(sites, most=300, seed=1)
    assert sample[sites.columns].equals(sites)
    assert sample["surrounded"].all()
    for frequency in (None, "rare", "common"):
        one, other = (drawn(table, 3, 10, frequency=frequency) for table in (sites, sample))
        assert one == other


def test_no_class_keeps_more_than_asked_for_but_what_surrounds_others():
    sites = block()
    sample = sample_sites(sites, MOST, seed=1)
    own = sample[sample["number"] < sample["below"]]
    sizes = own.groupby([own["ac"], own["ref"].str.len()]).size()
    before = sites.groupby([sites["ac"], sites["ref"].str.len()]).size()
    assert sizes.to_dict() == before.clip(upper=MOST).to_dict()


def test_all_alleles_behind_a_surrounded_one_are_in_the_sample():
    sites = block()
    sample = sample_sites(sites, 2000, seed=1)  # two places
    places = sample.loc[sample["surrounded"], "start"].tolist()
    assert len(places) == 2
    for place in places:
        known = set(sample["start"])
        for start, ref in zip(sites["start"], sites["ref"], strict=True):
            if start < place + NEARBY and start + len(ref) > place:
                assert start in known


def test_alleles_of_any_frequency_are_drawn_as_often_as_they_are():
    """Although the sample has as many common alleles as singletons."""
    counts = dict.fromkeys((1, 5, 900), 0)
    for seed in range(40):
        sites = block(seed=seed)
        copies = dict(zip(sites["start"], sites["ac"], strict=True))
        for start, _ in drawn(sample_sites(sites, MOST, seed), seed, 50):
            counts[copies[start]] += 1
    assert 0.82 < counts[1] / 2000 < 0.88
    assert 0.035 < counts[900] / 2000 < 0.065


def test_the_seed_decides_the_sample():
    sites = block()
    assert sample_sites(sites, MOST, 1).equals(sample_sites(sites, MOST, 1))
    assert not sample_sites(sites, MOST, 1).equals(sample_sites(sites, MOST, 2))
