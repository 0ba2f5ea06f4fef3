"""Measure the cost of scoring a node's people: ``python benchmarks/scores.py FOLDER``.

FOLDER is a node's folder. Prints the best of several runs, in CPU time of one thread.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from measuring import footer

from rehearsal.node.scoring.scorer import Scorer
from rehearsal.node.server import open_node

DISEASE = "ICD10:I25.1"


def milliseconds(act: Callable[[], Any], repeats: int = 5) -> float:
    """Return the shortest CPU time of several calls, in milliseconds.

    Args:
        act: What to call.
        repeats: Number of calls.
    """
    took = []
    for _ in range(repeats):
        begun = time.process_time()
        act()
        took.append(time.process_time() - begun)
    return 1000 * min(took)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="a node's folder")
    options = parser.parse_args()
    node_data = open_node(options.folder)
    scorer = Scorer(node_data, options.folder)
    digest, file = next(iter(scorer.files.items()))
    edges = np.arange(-4, 4.1, 0.1)
    scored = milliseconds(lambda: scorer._compute_scores(digest))
    scorer.scores(digest)
    counted = milliseconds(lambda: scorer.histogram(digest, edges, None, False, None))
    scorer.hazard(digest, DISEASE, 0.0, None)
    fitted = milliseconds(lambda: scorer.hazard(digest, DISEASE, 0.5, None))
    print(f"{node_data.people.size} people, {len(file.weights)} variants; CPU ms:")
    print(f"score all people {scored:.1f}, a histogram {counted:.2f}, a round of Cox {fitted:.2f}")
    print(footer())


if __name__ == "__main__":
    main()
