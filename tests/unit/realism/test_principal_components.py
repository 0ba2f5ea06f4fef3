from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tskit

from rehearsal.realism.block_structure import (
    MAX_PEOPLE,
    measure_block_structure,
)
from rehearsal.realism.principal_components import AXES, cohort_components, leading_components


def components_of(trees, people, seed=1, max_people=MAX_PEOPLE, **options):
    """Components of blocks that were measured one by one."""
    blocks = [
        measure_block_structure(path, people, seed=seed, max_people=max_people) for path in trees
    ]
    return cohort_components(trees, blocks, people, seed=seed, max_people=max_people, **options)


def dosages(trees, people):
    """Derived copies by person at sites with two alleles, the rarer at 5 % or more."""
    columns = []
    for path in trees[:2]:
        ts = tskit.load(path)
        genotypes = ts.genotype_matrix()
        single = np.array([len(site.mutations) == 1 for site in ts.sites()])
        columns.append((genotypes[single] > 0).reshape(single.sum(), len(people), 2).sum(axis=2))
    return np.concatenate(columns).T


def test_axes_are_those_of_a_dense_decomposition(trees, people):
    alone = people.assign(family=None)
    found = components_of(trees, alone, seed=1)
    copies = dosages(trees, people)
    frequency = copies.mean(axis=0) / 2
    common = np.minimum(frequency, 1 - frequency) >= 0.05
    frequency, copies = frequency[common], copies[:, common]
    standard = (copies - 2 * frequency) / np.sqrt(2 * frequency * (1 - frequency))
    left, singular, _ = np.linalg.svd(standard, full_matrices=False)
    wanted = (left * singular)[:, :4] / np.sqrt(copies.shape[1])
    assert found.attrs["sites"] == copies.shape[1]
    assert found.attrs["shares"] == pytest.approx((singular**2 / (singular**2).sum())[:4], abs=2e-6)
    for axis, name in enumerate(AXES):
        sign = np.sign(wanted[np.abs(wanted[:, axis]).argmax(), axis])
        assert np.allclose(found[name], sign * wanted[:, axis], atol=1e-5)


def test_countries_separate_on_the_first_axes(trees, people):
    found = components_of(trees, people, seed=1)
    within = found.groupby("country")["PC1"].var().mean()
    assert found["PC1"].var() > 2 * within


def test_only_the_first_of_a_family_defines_the_axes(trees, people):
    found = components_of(trees, people, seed=1)
    assert found["related"].sum() == 10  # two others in each of five families
    projected = found.loc[found["related"], list(AXES)]
    assert np.isfinite(projected).all(axis=None)


def test_projecting_a_person_who_defines_the_axes_gives_their_own_score(trees, people):
    """A projected twin, with a person's genome in another row, has the same scores."""
    ts = tskit.load(trees[0])
    twice = pd.concat([people, people.iloc[[5]].assign(id="TWIN")], ignore_index=True)
    twice.loc[[5, 60], "family"] = "twins"
    tables = ts.dump_tables()
    twin = tables.individuals.append(ts.tables.individuals[5])
    for node in ts.individual(5).nodes:
        parent_edges = [edge for edge in ts.edges() if edge.child == node]
        new = tables.nodes.append(ts.tables.nodes[node].replace(individual=twin))
        for edge in parent_edges:
            tables.edges.append(ts.tables.edges[edge.id].replace(child=new))
        for mutation in ts.mutations():
            if mutation.node == node:
                row = ts.tables.mutations[mutation.id]
                tables.mutations.append(row.replace(node=new))
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    folder = Path(trees[0]).parent / "twins"
    folder.mkdir(exist_ok=True)
    path = folder / trees[0].name
    tables.tree_sequence().dump(path)
    # Sites with a private mutation of the person have two mutations now, and are not common.
    found = components_of([path], twice, seed=1)
    assert found["related"].tolist()[60]
    names = list(AXES)
    assert np.allclose(
        found.loc[5, names].to_numpy(float), found.loc[60, names].to_numpy(float), atol=1e-5
    )


def test_the_same_seed_gives_the_same_table_and_another_other_sites(trees, people):
    first = components_of(trees, people, seed=1, max_sites=100)
    again = components_of([str(path) for path in trees], people, seed=1, max_sites=100)
    other = components_of(trees, people, seed=2, max_sites=100)
    pd.testing.assert_frame_equal(first, again)
    assert first.attrs["sites"] == other.attrs["sites"] == 100
    assert not first["PC1"].equals(other["PC1"])


def test_people_beyond_the_most_are_sampled_evenly(trees, people):
    found = components_of(trees, people, seed=1, max_people=25)
    assert found["country"].value_counts().tolist() == [5] * 5


def test_too_few_people_have_no_components(trees, people, capsys):
    found = components_of(trees, people.assign(family="one"), seed=1)
    assert found.empty
    assert list(found.columns) == ["id", "country", "related", "PC1", "PC2", "PC3", "PC4"]
    assert "5 unrelated people; there are 822 and 1" in capsys.readouterr().out


def test_attributes_survive_parquet(tmp_path, components, spectrum):
    for name, table in {"components": components, "spectrum": spectrum}.items():
        table.to_parquet(tmp_path / name)
        assert pd.read_parquet(tmp_path / name).attrs == table.attrs
    assert components.attrs["megabases"] == pytest.approx(0.8)


def test_components_find_two_groups():
    rng = np.random.default_rng(1)
    z = rng.normal(size=(20, 500)) + np.repeat([[0.0], [1.0]], 10, axis=0)
    scores, shares = leading_components(z @ z.T)
    assert (scores[:10, 0].max() < scores[10:, 0].min()) or (
        scores[:10, 0].min() > scores[10:, 0].max()
    )
    assert 1 > shares[0] > shares[1] > 0
