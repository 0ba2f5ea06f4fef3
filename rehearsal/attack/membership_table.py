"""The membership attack on a run's own nodes: is this person in there?

The attacker holds the target's genome, knows how frequent alleles are elsewhere (the node's
:class:`~rehearsal.node.privacy.public_frequencies.PublicFrequencies`: all other countries
together), how many people the node has and how it protects its answers. He asks for the target's
alleles one after the other and sums log-likelihood ratios of the answers when the target is in the
node and when not.

Five attacks. ``presence``: alleles in random order, frequencies unknown (Shringarpure & Bustamante
2015: only how many are there matters). ``rarest``: the rarest alleles first, frequencies known
(the optimal attack of Raisaro et al. 2017). ``informed``: the alleles first whose answers tell most
under the protection, which alone moves with a threshold. ``counts``: the same with counts.
``frequency``: frequencies of random common alleles, whether the target has them or not (the test of
Homer et al. 2008 as the likelihood ratio of Sankararaman et al. 2009).

Everybody without kin in the node is a target twice: as a member, and as a non-member. Each target
has a stand-in among the others. The node without the stand-in has the target as a member, the node
without the target has not: both are of the same people but one, and of the same size (one less than
the node; were only the target taken out, counts of common alleles would tell the sizes apart).
People held out of a node split in two would attack a node of half the size, people of other
countries would be told by their ancestry.
Kin are no targets, as their relatives' alleles stay in the node and make the non-member look like a
member. Answers come from the nodes' stores by the rules of
:mod:`rehearsal.node.privacy`, as a fresh user with a whole budget gets them (a test
compares this replay with the node's own calls).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.attack.attacker import ATTACKS, QUERIES, Attacker
from rehearsal.attack.node_extract import PROMISED_PEOPLE, NodeExtract
from rehearsal.attack.power import area_under_curve, measure_utility, power
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED, UNPROTECTED, Protection

FALSE_POSITIVES = 0.05
PROMISED_POWER = 0.10
UNPROTECTED_POWER = 0.9  # less would mean that the attack is too weak to judge anything

PUBLIC_NAME = "public default"
REGISTERED_NAME = "registered default"
OPEN_NAME = "none"


@dataclass(frozen=True, slots=True)
class AttackedProtection:
    """One protection that is attacked: whose it is and how the table calls it."""

    tier: str
    name: str
    protection: Protection


def protection_ladder(
    public: Protection = PUBLIC, registered: Protection = REGISTERED
) -> list[AttackedProtection]:
    """What the tiers use, and the public one built up a protection at a time."""

    def without_budget(rounding: int, noise: int) -> Protection:
        return Protection(public.threshold, rounding, noise, math.inf, math.inf)

    threshold = without_budget(1, 0)
    rounding = without_budget(public.rounding, 0)
    noisy = without_budget(public.rounding, public.noise)
    return [
        AttackedProtection("controlled", OPEN_NAME, UNPROTECTED),
        AttackedProtection("registered", REGISTERED_NAME, registered),
        AttackedProtection("public", "threshold", threshold),
        AttackedProtection("public", "threshold, rounding", rounding),
        AttackedProtection("public", "threshold, rounding, noise", noisy),
        AttackedProtection("public", PUBLIC_NAME, public),
    ]


COLUMNS = ["node", "people", "tier", "protection", "attack", "queries", "targets", "power", "auc"]
COLUMNS += ["refused", "refused_common", "uncounted", "frequency_error"]


def membership_table(
    nodes: Iterable[NodeExtract], protections: Iterable[AttackedProtection], seed: int
) -> pd.DataFrame:
    """A row a node, protection, attack and number of queries.

    Columns: ``COLUMNS``; ``power`` is at 5 % false positives, the last four are of
    :func:`~rehearsal.attack.power.measure_utility`.
    """
    protections = list(protections)
    rows = []
    for node in nodes:
        for one in protections:
            attacker = Attacker(node, one.protection, seed)
            cost = measure_utility(attacker)
            for attack in ATTACKS:
                scores = np.array([attacker.scores(attack, target) for target in node.targets])
                for i, queries in enumerate(QUERIES):
                    pair = scores[:, 0, i], scores[:, 1, i]
                    rows.append(
                        {"node": node.code, "people": node.people, "tier": one.tier}
                        | {"protection": one.name, "attack": attack, "queries": queries}
                        | {"targets": len(node.targets), "power": power(*pair, FALSE_POSITIVES)}
                        | {"auc": area_under_curve(*pair)}
                        | cost
                    )
    return pd.DataFrame(rows, columns=COLUMNS)


def privacy_summary(table: pd.DataFrame) -> dict[str, Any]:
    """What ``summary.json`` says under ``privacy``: ``table`` (a row a protection, attack and
    number of queries, over all attacked nodes), ``checks`` and how it was measured.

    ``power`` and ``auc`` are means over nodes, ``power_worst_node`` is of the worst. The promise is
    judged on nodes of 100 people or more, on the strongest attack at any number of queries; without
    such nodes there are no checks.
    """
    if table.empty:
        return {"measured": {"nodes": []}, "table": [], "checks": []}
    keys = ["tier", "protection", "attack", "queries"]
    groups = table.groupby(keys, sort=False)
    costs = ["refused", "refused_common", "uncounted", "frequency_error"]
    rows = groups[["power", "auc", *costs]].mean()
    rows.insert(1, "power_worst_node", groups["power"].max())
    rows = rows.astype(object).where(rows.notna(), None).reset_index()
    judged = table[table["people"] >= PROMISED_PEOPLE]
    return {
        "measured": {
            "nodes": sorted(table["node"].unique()),
            "people_smallest_node": int(table["people"].min()),
            "targets": int(table.drop_duplicates("node")["targets"].sum()),
            "false_positives": FALSE_POSITIVES,
            "non_members": "the same people, each in turn taken out of the node instead of another",
        },
        "table": [
            {name: round(value, 4) if isinstance(value, float) else value for name, value in row}
            for row in (record.items() for record in rows.to_dict("records"))
        ],
        "checks": _checks(judged) if len(judged) else [],
    }


def _checks(judged: pd.DataFrame) -> list[dict[str, Any]]:
    mean = judged.groupby(["protection", "attack", "queries"])["power"].mean()
    held = float(mean.loc[PUBLIC_NAME].max())
    open_node = float(mean.loc[OPEN_NAME, "rarest", QUERIES[-1]])
    asked = f"{QUERIES[-1]:,} queries"
    return [
        {
            "name": f"power of the strongest attack on the public tier, up to {asked}",
            "expected": f"at most {PROMISED_POWER}",
            "observed": round(held, 4),
            "passed": held <= PROMISED_POWER,
        },
        {
            "name": f"power of the rarest-first attack without protection, {asked}",
            "expected": f"at least {UNPROTECTED_POWER}",
            "observed": round(open_node, 4),
            "passed": open_node >= UNPROTECTED_POWER,
        },
    ]
