"""A drawing of a demes model: time runs upwards, each deme is a tube."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import demes
import demesdraw
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch

from rehearsal.files import atomic_path

SEED = 1  # for the times at which demesdraw shows migration
INCHES_A_DEME = 0.4
HEIGHT_INCHES = 8.0
PALETTE = [mpl.colormaps["tab20"](index) for index in range(20)]
LEAST_WIDTH = 0.3  # of a tube, in decades of size, so that a deme of one person is visible


def draw_model(graph: demes.Graph, path_svg: Path | str) -> None:
    """Draw the history of a model as an SVG file, the same bytes for the same model.

    Time is logarithmic, in generations. A tube is as wide as the logarithm of its deme's size,
    so that bottlenecks and census-like sizes fit in one picture. Thin lines are migration.

    Args:
        graph: The model.
        path_svg: The file to write.
    """
    shown = _with_log_sizes(graph.in_generations())
    style = mpl.rc_context({"svg.hashsalt": "rehearsal", "font.size": 9})
    with style, atomic_path(path_svg) as aside:
        figure = Figure(figsize=(3 + INCHES_A_DEME * len(graph.demes), HEIGHT_INCHES))
        FigureCanvasSVG(figure)
        axes = figure.subplots()
        colours = {deme.name: PALETTE[i % len(PALETTE)] for i, deme in enumerate(shown.demes)}
        demesdraw.tubes(
            shown,
            ax=axes,
            colours=colours,
            positions=_positions(shown),
            log_time=True,
            seed=SEED,
            num_lines_per_migration=1,
        )
        _straighten(axes)
        axes.set_ylabel("generations ago (tube width: logarithm of the deme's size)")
        figure.savefig(aside, format="svg", metadata={"Date": None}, bbox_inches="tight")


def _straighten(axes: Axes) -> None:
    """Make the lines of descent and migration straight and thin.

    demesdraw draws each line of descent as an arc around all others of its time and wobbles every
    line. With 28 countries from five sources the arcs would fill the picture, and the file would
    be 30 times larger.
    """
    for artist in [*axes.patches, *axes.lines]:
        artist.set_sketch_params(None)
        if isinstance(artist, FancyArrowPatch):
            artist.set_connectionstyle("arc3", rad=0)
            artist.set_linewidth(0.8)
            artist.set_path_effects([])


def _positions(graph: demes.Graph) -> dict[str, float]:
    """Place the demes in columns, in the model's order.

    Demes of the present stand side by side, extinct ones are spread above them. When an extinct
    deme lived at the same time as one of the present, every deme gets its own column. demesdraw's
    own search for positions takes 40 s for the Europe model.
    """
    today = [deme for deme in graph.demes if deme.end_time == 0]
    extinct = [deme for deme in graph.demes if deme.end_time > 0]
    step = 1.3 * _largest_size(graph)
    if not extinct or _overlap(extinct, today):
        return {deme.name: i * step for i, deme in enumerate(graph.demes)}
    spread = max(1.0, len(today) / len(extinct))
    columns = {deme.name: i * step for i, deme in enumerate(today)}
    return columns | {deme.name: (i + 0.5) * spread * step for i, deme in enumerate(extinct)}


def _overlap(extinct: Sequence[demes.Deme], today: Sequence[demes.Deme]) -> bool:
    """Whether an extinct deme lived at the same time as a deme of the present."""
    return min(deme.end_time for deme in extinct) < max(deme.start_time for deme in today)


def _largest_size(graph: demes.Graph) -> float:
    epochs = [epoch for deme in graph.demes for epoch in deme.epochs]
    return max(max(epoch.start_size, epoch.end_size) for epoch in epochs)


def _with_log_sizes(graph: demes.Graph) -> demes.Graph:
    """Replace each size in the model by its decimal logarithm, for drawing only."""
    data = graph.asdict()
    for deme in data["demes"]:
        for epoch in deme["epochs"]:
            for end in ("start_size", "end_size"):
                epoch[end] = max(LEAST_WIDTH, math.log10(epoch[end]))
            epoch["size_function"] = (
                "constant" if epoch["start_size"] == epoch["end_size"] else "linear"
            )
    return demes.Graph.fromdict(data)
