"""Attack the public tier of a run's nodes with stronger attackers than those of the run.

    python benchmarks/membership_red_team.py results/nodes

These attackers have learnt the value of each answer, by frequency and place in the order, from the
other nodes, where they know everyone's membership. They therefore need no model of the protection.
``isolate`` first asks for counts of common alleles that the target lacks, to use up the budgets of
all other people.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from measuring import header
from numpy.typing import NDArray
from rehearsal.node.privacy.noise import draw_noise

from rehearsal.attack.membership_table import FALSE_POSITIVES
from rehearsal.attack.node_extract import Bounds, NodeExtract, read_node_extracts
from rehearsal.attack.power import area_under_curve, power
from rehearsal.attack.replayed_answers import AnswerPrices, replay_answers
from rehearsal.node.privacy.protection import PUBLIC

KEY = bytes(32)
QUERIES = 1000
ASKED_FIRST = 100  # questions that ``isolate`` asks first
BINS = np.linspace(-9, 5, 57)  # log-odds of a share
STAGES = np.array([3, 10, 30, 100, 300])  # places in the order that separate stages

Order = Callable[[NodeExtract, int, AnswerPrices, np.random.Generator], NDArray[np.int64]]


def anyhow(
    node: NodeExtract, target: int, price: AnswerPrices, random: np.random.Generator
) -> NDArray[np.int64]:
    """Order the target's alleles at random.

    Args:
        node: The node.
        target: Number of the target.
        price: Prices of answers.
        random: Source of the order.
    """
    return random.permutation(node.alleles[target]).astype(np.int64)


def affordable(
    node: NodeExtract, target: int, price: AnswerPrices, random: np.random.Generator
) -> NDArray[np.int64]:
    """Order the target's affordable alleles, the most expensive first.

    Args:
        node: The node.
        target: Number of the target.
        price: Prices of answers.
        random: Source of the order.
    """
    held = anyhow(node, target, price, random)
    held = held[price.presence[held] <= price.limit]
    return held[np.argsort(-price.presence[held], kind="stable")]


def isolate(
    node: NodeExtract, target: int, price: AnswerPrices, random: np.random.Generator
) -> NDArray[np.int64]:
    """Order common alleles that the target lacks before the target's own.

    Args:
        node: The node.
        target: Number of the target.
        price: Prices of answers.
        random: Source of the order.
    """
    common = np.flatnonzero((node.known > 0.3) & (price.count <= price.limit))
    lacks = random.permutation(np.setdiff1d(common, node.alleles[target]))[:ASKED_FIRST]
    held = anyhow(node, target, price, random)
    return np.concatenate([lacks, held[(node.known[held] > 0.05)]])


def answers(node: NodeExtract, order: Order, counted: bool) -> NDArray[np.int64]:
    """Replay the answers to an attack.

    Args:
        node: The node.
        order: Order of the questions.
        counted: Whether counts are asked for, or presence.

    Returns:
        Bin, stage and answer of each question, shape (3, targets, in or out, queries).
    """
    price, stand_ins = AnswerPrices.of(node, PUBLIC), node.stand_ins
    drawn = np.array([draw_noise(KEY, question, PUBLIC) for question in node.questions])
    bins = np.digitize(np.log(node.known / np.maximum(1 - node.known, 1e-6)), BINS)
    found = np.zeros((3, len(node.targets), 2, QUERIES), np.int64)
    for i, target in enumerate(node.targets):
        asked = order(node, target, price, np.random.default_rng(target))[:QUERIES]
        for side, left_out in enumerate((stand_ins[target], target)):
            told = replay_answers(node, asked, left_out, counted, PUBLIC, price, drawn)
            value = told.exists + np.maximum(told.count, 0) // PUBLIC.rounding
            stages = np.digitize(np.arange(asked.size), STAGES)
            found[:, i, side, : asked.size] = bins[asked], stages, value
    return found


def trained(nodes: list[NodeExtract], order: Order, counted: bool) -> tuple[float, float]:
    """Train on the other nodes and attack each node.

    Args:
        nodes: The nodes.
        order: Order of the questions.
        counted: Whether counts are asked for, or presence.

    Returns:
        The highest power and area under the curve over the number of queries, averaged over nodes.
    """
    seen = [answers(node, order, counted) for node in nodes]
    figures = []
    for held_out, own in enumerate(seen):
        table = np.full((2, BINS.size + 1, STAGES.size + 1, 16), 0.5)
        for number, other in enumerate(seen):
            if number != held_out:
                for side in (0, 1):
                    np.add.at(table[side], tuple(other[:, :, side]), 1)
        weight = np.log(table / table.sum(axis=3, keepdims=True))
        score = np.cumsum((weight[0] - weight[1])[tuple(own)], axis=2)
        steps = [0, 4, 9, 49, 99, 199, 499, QUERIES - 1]
        figures.append(
            [
                [power(*pair, FALSE_POSITIVES), area_under_curve(*pair)]
                for pair in ((score[:, 0, step], score[:, 1, step]) for step in steps)
            ]
        )
    return tuple(np.mean(figures, axis=0).max(axis=0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("nodes", type=Path, help="folder that has one folder per node")
    folders = {path.name: path for path in sorted(parser.parse_args().nodes.iterdir())}
    nodes = read_node_extracts(folders, Bounds())
    print(header())
    print(f"{len(nodes)} nodes, {sum(len(node.targets) for node in nodes)} targets")
    for order in (anyhow, affordable, isolate):
        for counted in (False, True):
            best, area = trained(nodes, order, counted)
            kind = "counts" if counted else "presence"
            print(f"{order.__name__:10} {kind:8} highest power {best:.3f}, area {area:.3f}")


if __name__ == "__main__":
    main()
