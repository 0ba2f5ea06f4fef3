import numpy as np
import pytest
import tskit

from rehearsal.realism.frequency_spectrum import spectrum_shares
from rehearsal.realism.genotypes import sample_nodes


def test_the_spectrum_counts_what_the_genotypes_have(trees, people, spectrum):
    counts = np.zeros(121, int)
    for path in trees[:2]:
        for variant in tskit.load(path).variants():
            for allele in range(1, len(variant.alleles)):
                counts[(variant.genotypes == allele).sum()] += 1
    pooled = spectrum[spectrum["group"] == "all"].set_index("copies")["alleles"]
    assert pooled.to_dict() == {i: counts[i] for i in range(1, 120) if counts[i]}


def test_a_country_has_a_spectrum_of_its_own_people(trees, people, spectrum):
    finns = np.flatnonzero(people["country"] == "FI")
    once = 0
    for path in trees[:2]:
        ts = tskit.load(path)
        for variant in ts.variants(samples=sample_nodes(ts, finns).ravel()):
            for allele in range(1, len(variant.alleles)):
                once += (variant.genotypes == allele).sum() == 1
    row = spectrum_shares(spectrum).loc["FI"]
    assert row["singletons"] == once
    assert row["haplotypes"] == 24
    assert row["singleton_share"] == pytest.approx(once / row["alleles"])


def test_variants_count_the_x_chromosome_too(trees, people, spectrum):
    autosomal = spectrum.loc[spectrum["group"] == "all", "alleles"].sum()
    ts = tskit.load(trees[2])
    assert ts.num_mutations > 0
    assert autosomal < spectrum.attrs["variants"] <= autosomal + ts.num_mutations
