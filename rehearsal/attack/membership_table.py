"""The attacks on a run's own nodes: is this person in the node, and has this person a diagnosis?

The attacker of membership holds the target's genome, and also knows the target's sex, diagnoses and
consent. The attacker of a diagnosis knows that the target is in the node. Each knows either only
the public shares elsewhere (``frequencies``), or the genomes, diagnoses and consents of all other
people too (``everybody else``). Both know how the node protects its answers, and its size.

Everyone without relatives in the node is a target twice. Each target has a stand-in among the other
targets. The node without the stand-in has the target as a member. The node without the target does
not. Both have the same people except one, and the same size, which is one less than the node. If
only the target were removed, counts of common alleles would distinguish the sizes. Non-members held
out by splitting a node would mean attacking a node of half the size, and people of other countries
would be recognised by their ancestry. People with relatives in the node are not targets, because
the relatives' alleles stay in the node and make the non-member look like a member. People who do
not permit the purpose of the questions are not targets, because no answer is about them. For a
diagnosis, both nodes have all people, and the target has it in one of them.

Every attack is scored by the exact log-likelihood ratio of all that was seen, under what the
attacker knows. Today's tier is attacked through its real door with the real ledger.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.attack.attacked_node import Bounds, choose_nodes, read_attacked_node
from rehearsal.attack.attacks import CLASSIC, RULES, Scores, SecretKind, attack_node
from rehearsal.attack.door_trials import NOISE_DRAWS
from rehearsal.attack.full_sample import Sample, sample_attacks
from rehearsal.attack.power import area_under_curve, power, upper_bound
from rehearsal.evaluation.protected_judge import PROMISED_PEOPLE
from rehearsal.logs import in_progress
from rehearsal.node.privacy.mechanism import Mechanism
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED

FALSE_POSITIVES = 0.05
PROMISED_POWER = 0.10
UNPROTECTED_POWER = 0.9  # with less, the attack is too weak to judge a protection
PROCESSES = 2  # also on one core of a profile's: the stories beside them mostly wait

FEWEST_TARGETS_OF_NODE = 20
FEWEST_TARGETS = 500  # with fewer, over all nodes, the bound is too wide to judge a promise
FEWEST_ALLELES = 5_000  # asked for; with fewer, genomes differ too little to judge a promise
SIZES = (100, 1_000, 10_000, 36_000)  # of nodes, people
BOUND = "95th percentile of a bootstrap over targets, with all noise; each estimates the threshold"

KEYS = ("secret", "attack", "attacker")
COLUMNS = [*KEYS, "node", "people", "targets"]
COLUMNS += [f"{name}_{rules}" for rules in RULES for name in ("power", "auc")] + ["asked", "paid"]

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class AttackedFolder:
    """What the attacks on one node found.

    Attributes:
        code: Country code.
        people: Number of people at the node.
        targets: Number of targets.
        scores: The scores of each attack and attacker.
        sample: One target in full.
    """

    code: str
    people: int
    targets: int
    scores: Sequence[Scores]
    sample: Mapping[tuple[SecretKind, str], Sample]


def mount_attacks(
    folders: Mapping[str, Path], seed: int, bounds: Bounds | None = None
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Mount all attacks on nodes, in two processes.

    A node with fewer than 20 targets is left out, because 5 % of them say nothing.

    Args:
        folders: Node folders by country code.
        seed: Root seed of noise and orders.
        bounds: Upper limits. None uses the defaults.

    Returns:
        One row per attack, attacker and node, with the columns ``COLUMNS``; and the summary for
        ``summary.json`` under ``privacy``: ``measured``, ``table`` (one row per attack and
        attacker, over all nodes), ``answers`` (how many paid answers nodes of some sizes give) and
        ``checks``.
    """
    bounds = bounds or Bounds()
    chosen = choose_nodes(folders, bounds)
    # collecting garbage takes a tenth of the time of these processes, which end soon
    with ProcessPoolExecutor(PROCESSES, get_context("fork"), gc.disable) as pool:
        tasks = [
            pool.submit(_attack_folder, code, folder, bounds, seed, number == 0)
            for number, (code, folder) in enumerate(chosen.items())
        ]
        found = [one for task in in_progress(tasks, "nodes") if (one := task.result()).targets]
    table = _node_table(found)
    pooled = [_pooled(scores, table, found[0].sample, seed) for scores in _same_attacks(found)]
    is_judged = bool(found) and min(one.people for one in found) >= PROMISED_PEOPLE
    return table, {
        "measured": _measured(found),
        "table": pooled,
        "answers": answers_per_release(),
        "checks": _checks(pooled, found[0].sample) if is_judged else [],
    }


def _same_attacks(found: Sequence[AttackedFolder]) -> list[list[Scores]]:
    """Group the scores of all nodes by secret, attack and attacker.

    A node whose public facts know no diagnosis has fewer attacks than the others.
    """
    groups: dict[tuple[str, ...], list[Scores]] = {}
    for node in found:
        for one in node.scores:
            groups.setdefault((one.secret, one.attack, one.attacker), []).append(one)
    return list(groups.values())


def _measured(found: Sequence[AttackedFolder]) -> Row:
    return {
        "nodes": [one.code for one in found],
        "people": sorted({one.people for one in found}),
        "targets": sum(one.targets for one in found),
        "noise_draws": NOISE_DRAWS,
        "false_positives": FALSE_POSITIVES,
        "upper_bound": BOUND,
    }


def _attack_folder(
    code: str, folder: Path, bounds: Bounds, seed: int, in_full: bool
) -> AttackedFolder:
    node = read_attacked_node(code, folder, bounds)
    targets = len(node.targets) if node.places else 0
    if targets < FEWEST_TARGETS_OF_NODE:
        return AttackedFolder(code, node.people, 0, [], {})
    sample = sample_attacks(node, seed) if in_full else {}
    return AttackedFolder(code, node.people, targets, attack_node(node, seed), sample)


def _node_table(found: Sequence[AttackedFolder]) -> pd.DataFrame:
    rows = []
    for node in found:
        for one in node.scores:
            row: Row = {"secret": one.secret, "attack": one.attack, "attacker": one.attacker}
            row |= {"node": node.code, "people": node.people, "targets": node.targets}
            for rules in RULES:
                inside, outside = np.moveaxis(one.by_rules[rules], -1, 0)
                row[f"power_{rules}"] = power(inside, outside, FALSE_POSITIVES)
                row[f"auc_{rules}"] = area_under_curve(inside, outside)
            rows.append(row | {"asked": one.asked, "paid": one.paid})
    return pd.DataFrame(rows, columns=COLUMNS)


def _pooled(
    same: Sequence[Scores],
    table: pd.DataFrame,
    sample: Mapping[tuple[SecretKind, str], Sample],
    seed: int,
) -> Row:
    """Summarise one attack by one attacker over all nodes."""
    first = same[0]
    keys = {name: getattr(first, name) for name in KEYS}
    of_nodes = table[np.logical_and.reduce([table[name] == keys[name] for name in KEYS])]
    worst = of_nodes.loc[of_nodes["power_today"].idxmax()]
    row: Row = dict(keys)
    for rules in RULES:
        scores = np.concatenate([one.by_rules[rules] for one in same])
        inside, outside = np.moveaxis(scores, -1, 0)
        row[f"power_{rules}"] = round(power(inside, outside, FALSE_POSITIVES), 4)
    told = sample.get((first.secret, first.attack), Sample(0, 0, 0, True))
    return row | {
        "upper_bound": round(upper_bound(inside, outside, FALSE_POSITIVES, seed), 4),
        "auc": round(area_under_curve(inside, outside), 4),
        "worst_node": str(worst["node"]),
        "power_worst_node": round(float(worst["power_today"]), 4),
        "targets": len(inside),
        "asked": max(one.asked for one in same),
        "paid": max(one.paid for one in same),
        "free": told.free,
        "refused": told.refused,
    }


def answers_per_release(sizes: Iterable[int] = SIZES) -> list[Row]:
    """Compute how many paid answers a node gives for one data release, and their noise.

    Args:
        sizes: Numbers of people at the node.

    Returns:
        One row per size and tier: ``people``, ``tier``, ``answers``, ``of_one_caller`` and
        ``standard_deviation`` (people).
    """
    rows = []
    for people in sizes:
        for tier, one in (("public", PUBLIC), ("registered", REGISTERED)):
            mechanism = Mechanism.of(one, people)
            answers = int(one.budget / mechanism.price * (1 + 1e-9))
            of_caller = max(1, int(answers * one.caller_share * (1 + 1e-9)))
            row = {"people": people, "tier": tier, "answers": answers}
            deviation = round(mechanism.deviation, 1)
            rows.append(row | {"of_one_caller": of_caller, "standard_deviation": deviation})
    return rows


def _checks(pooled: Sequence[Row], sample: Mapping[Any, Sample]) -> list[Row]:
    classic = [one for one in pooled if one["attack"] == CLASSIC]
    checks = []
    if min(one["asked"] for one in classic) >= FEWEST_ALLELES:
        checks += _bound_checks(pooled)
        least = min(one["power_none"] for one in classic)
        name, expected = f"power without protection of {CLASSIC}", f"at least {UNPROTECTED_POWER}"
        checks.append(_check(name, expected, least, least >= UNPROTECTED_POWER))
    unequal = sum(not one.equal for one in sample.values())
    name = "attacks whose free answers or refusals depend on who is in the node, in full"
    checks.append(_check(name, "0", unequal, unequal == 0))
    return checks


def _bound_checks(pooled: Sequence[Row]) -> list[Row]:
    checks = []
    for secret in ("membership", "diagnosis"):
        rows = [one for one in pooled if one["secret"] == secret]
        if rows and min(one["targets"] for one in rows) >= FEWEST_TARGETS:
            bound = max(one["upper_bound"] for one in rows)
            name = f"{secret}: upper 95 % bound of the power of the strongest attack, public tier"
            checks.append(_check(name, f"at most {PROMISED_POWER}", bound, bound <= PROMISED_POWER))
    return checks


def _check(name: str, expected: str, observed: float, passed: bool) -> Row:
    return {"name": name, "expected": expected, "observed": observed, "passed": bool(passed)}
