"""Plant known variants in a tree sequence, with exactly the copies that were asked for.

A planted variant is one site with mutations on founders' haplotypes or on their ancestors, never
on a child's own. So families stay Mendelian: everyone who inherits the haplotype at that place
carries the variant.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import tskit

from rehearsal.errors import InputError
from rehearsal.genomes.blocks import variant_label
from rehearsal.genomes.mutation_placement import LocalTree, choose_carriers
from rehearsal.genomes.planted_variants import planted_targets
from rehearsal.model import PlantedVariant
from rehearsal.seeds import derive_seed


def plant(
    tables: tskit.TableCollection,
    ts: tskit.TreeSequence,
    people: pd.DataFrame,
    planted: Sequence[PlantedVariant],
    plan: pd.DataFrame,
    founder_time: float,
    seed: int,
) -> None:
    """Add the sites and mutations of planted variants to tables. The caller sorts the tables.

    Somatic variants are not planted.

    Args:
        tables: Tables to add to.
        ts: The trees, with individuals in the order of ``people``. Its sites are not used.
        people: The people table.
        planted: Planted variants of the block.
        plan: The plan of ``people.plan_people``. Variants with frequencies are planted to
            ``planted_targets``.
        founder_time: Time at which founders live, in generations.
        seed: The run's root seed.

    Raises:
        InputError: No choice of founders' haplotypes gives exactly the copies wanted, or the plan
            lacks the carriers of a variant.
    """
    country = pd.Categorical(people["country"], list(dict.fromkeys(people["country"])))
    for variant in planted:
        tree = ts.at(variant.variant.start)
        carrying, lacking = _planned(ts, people, variant, plan)
        if variant.frequency:
            target = planted_targets(variant, people, seed)
            local = LocalTree.of(tree, country.codes, len(target), founder_time)
            rng = np.random.default_rng(derive_seed(seed, "planting", variant.variant))
            mutations = choose_carriers(local, variant, target, rng, carrying, lacking)
        elif variant.carriers and not carrying:
            expected = f"the carriers of {variant_label(variant)}"
            raise InputError("planted.parquet", str(variant.variant), expected, "none")
        else:  # a somatic variant has no germline carriers
            alt = variant.variant.alt
            mutations = [(node, alt) for node in _origins(tree, carrying, founder_time)]
        if mutations:
            _add_site(tables, tree, variant, mutations)


def _origins(tree: tskit.Tree, carrying: Sequence[int], founder_time: float) -> list[int]:
    """Find where the variant arose: in one ancestor if exactly the carriers descend from it."""
    if len(carrying) < 2:
        return list(carrying)
    ancestor = tree.mrca(*carrying)
    if ancestor == tskit.NULL:
        return list(carrying)
    time = tree.tree_sequence.nodes_time
    founders = {node for node in tree.samples(ancestor) if time[node] == founder_time}
    return [ancestor] if founders == set(carrying) else list(carrying)


def _planned(
    ts: tskit.TreeSequence, people: pd.DataFrame, planted: PlantedVariant, plan: pd.DataFrame
) -> tuple[list[int], list[int]]:
    """List nodes of the founders' haplotypes that must carry, and of those that must not."""
    rows = plan[plan["variant"] == str(planted.variant)]
    index = pd.Index(people["id"])

    def nodes(person: str) -> list[int]:
        return ts.individual(index.get_loc(person)).nodes.tolist()

    of_kind = {kind: rows[rows["kind"] == kind] for kind in ("carries", "lacks")}
    carrying = [nodes(row.person)[row.haplotype] for row in of_kind["carries"].itertuples()]
    others = {node for person in of_kind["lacks"]["person"] for node in nodes(person)}
    return carrying, sorted(others - set(carrying))


def _add_site(
    tables: tskit.TableCollection,
    tree: tskit.Tree,
    planted: PlantedVariant,
    mutations: Sequence[tuple[int, str]],
) -> None:
    """Add one site. Each mutation is in the middle of the branch above its node, parents first."""
    variant = planted.variant
    site = tables.sites.add_row(position=variant.start, ancestral_state=variant.ref)
    rows: dict[int, int] = {}
    for node, state in mutations:
        time, parent = tree.time(node), tree.parent(node)
        above = tree.time(parent) if parent != tskit.NULL else time + 2
        while parent != tskit.NULL and parent not in rows:
            parent = tree.parent(parent)
        rows[node] = tables.mutations.add_row(
            site,
            node,
            derived_state=state,
            parent=rows.get(parent, tskit.NULL),
            time=(time + above) / 2,
        )
