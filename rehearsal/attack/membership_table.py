"""The membership attack on a run's own nodes: is this person in the node?

The attacker holds the target's genome. The attacker also knows the frequencies of alleles elsewhere
(the node's :class:`~rehearsal.node.privacy.public_frequencies.PublicFrequencies`: all other
countries together), the number of people in the node and how it protects its answers. The attack
asks for the target's alleles one after the other and sums log-likelihood ratios of the answers:
target in the node against target not in the node.

There are five attacks. ``presence``: alleles in random order, frequencies unknown (Shringarpure &
Bustamante 2015: only the number of present alleles matters). ``rarest``: the rarest alleles first,
frequencies known (the optimal attack of Raisaro et al. 2017). ``informed``: the alleles first whose
answers are most informative under the protection; only this order adapts to a threshold.
``counts``: the same with counts. ``frequency``: frequencies of random common alleles, whether the
target has them or not (the test of Homer et al. 2008 as the likelihood ratio of Sankararaman et al.
2009).

Everyone without relatives in the node is a target twice: as a member and as a non-member. Each
target has a stand-in among the other targets. The node without the stand-in has the target as a
member. The node without the target does not. Both have the same people except one, and the same
size, which is one less than the node. If only the target were removed, counts of common alleles
would distinguish the sizes. Non-members held out by splitting a node would mean attacking a node of
half the size, and people of other countries would be recognised by their ancestry.
People with relatives in the node are not targets, because the relatives' alleles stay in the node
and make the non-member look like a member. Answers come from the nodes' stores by the rules of
:mod:`rehearsal.node.privacy`, as a new user with a full budget gets them (a test compares this
replay with the node's own calls).
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
UNPROTECTED_POWER = 0.9  # with less, the attack is too weak to judge a protection

PUBLIC_NAME = "public default"
REGISTERED_NAME = "registered default"
OPEN_NAME = "none"


@dataclass(frozen=True, slots=True)
class AttackedProtection:
    """One attacked protection: its tier and its name in the table."""

    tier: str
    name: str
    protection: Protection


def protection_ladder(
    public: Protection = PUBLIC, registered: Protection = REGISTERED
) -> list[AttackedProtection]:
    """Return the protections of the tiers, and the public one built up step by step.

    Args:
        public: Protection of the public tier.
        registered: Protection of the registered tier.
    """

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
    """Attack nodes under protections.

    Args:
        nodes: The nodes.
        protections: The protections.
        seed: Root seed of noise and questions.

    Returns:
        One row per node, protection, attack and number of queries, with the columns ``COLUMNS``.
        ``power`` is at 5 % false positives. The last four columns are those of
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
    """Summarise the attack for ``summary.json`` under ``privacy``.

    The promise is judged on nodes of 100 people or more, on the strongest attack at any number of
    queries. Without such nodes there are no checks.

    Args:
        table: A table of :func:`membership_table`.

    Returns:
        ``measured`` (how it was measured), ``table`` (one row per protection, attack and number of
        queries, over all attacked nodes) and ``checks``. ``power`` and ``auc`` are means over
        nodes; ``power_worst_node`` is that of the worst node.
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
            "non_members": "the same people, each left out of the node instead of a stand-in",
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
