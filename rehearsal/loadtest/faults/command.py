"""The faults against the nodes of a run that is finished, from the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from rehearsal.errors import InputError
from rehearsal.files import atomic_path
from rehearsal.loadtest.faults.run import FaultTest, run_faults
from rehearsal.loadtest.faults.scenarios import scenarios_of
from rehearsal.loadtest.run_under_test import RunUnderTest

NEEDED = ("queries/suite.json", "truth/answers.json", "issuer/issuer.json", "nodes")


def run_faults_command(
    results: Path, mode: str, fault_s: float, per_s: float, out: Path | None = None
) -> int:
    """Play the scenarios of ``mode``, print a row each, return the exit code: 0 when all held.

    ``results``: of a run; nothing is written there. ``out``: Parquet, columns as in ``COLUMNS`` of
    :mod:`rehearsal.loadtest.faults.run`. Raises InputError for a folder that lacks what is needed.
    """
    for name in NEEDED:
        if not (results / name).exists():
            raise InputError(results, name, "the results of a run that has asked its nodes")
    folders = {f.parent.name: f.parent for f in sorted(results.glob("nodes/*/variants.sqlite"))}
    if len(folders) < 2:
        expected = "two or more with variants.sqlite: one is broken, the others go on"
        raise InputError(results, "nodes", expected)
    run = RunUnderTest(
        folders,
        results / "issuer",
        next(iter(folders)),
        results / "queries/suite.json",
        results / "truth/answers.json",
    )
    test = FaultTest.of_run(run, fault_s, per_s)
    with TemporaryDirectory() as scratch:
        table = run_faults(
            test, scenarios_of(mode), Path(scratch) / "nodes", Path(scratch) / "logs"
        )
    if out is not None:
        with atomic_path(out) as path:
            table.to_parquet(path)
    print("\n".join(report_lines(table)))
    return 0 if table["held"].all() else 1


def report_lines(table: pd.DataFrame) -> Iterator[str]:
    """A line a scenario under a heading, what did not hold below it, and a last line of all."""
    yield f"{'scenario':<30} held  answered marked unmarked recovered  victim meanwhile"
    for row in table.itertuples(index=False):
        recovered = "never" if row.recovered_s != row.recovered_s else f"{row.recovered_s:.1f} s"
        yield (
            f"{row.scenario:<30} {'yes' if row.held else 'NO':<5} {row.answered:>8} "
            f"{row.marked:>6} {row.unmarked:>8} {recovered:>9}  {row.victim}"
        )
        if not row.held:
            yield f"    {row.why}"
    held, unmarked = int(table["held"].sum()), int(table["unmarked"].sum())
    yield f"{held} of {len(table)} scenarios held; {unmarked} answers lost or wrong without a mark"
