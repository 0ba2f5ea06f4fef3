"""The command ``rehearsal bench faults``: fault scenarios on the nodes of a finished run."""

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
    """Run fault scenarios and print one row for each.

    Args:
        results: The results folder of a finished run; nothing is written there.
        mode: ``short`` or ``full``.
        fault_s: How long each fault lasts, in seconds.
        per_s: Queries per second to send meanwhile.
        out: The Parquet file to write, with the columns ``COLUMNS`` of
            :mod:`rehearsal.loadtest.faults.scenario_outcome`; None for none.

    Returns:
        The exit status: 0 when the network behaved as required in all scenarios, else 1.

    Raises:
        InputError: The folder lacks something that is needed.
    """
    for name in NEEDED:
        if not (results / name).exists():
            expected = "the results of a run that has sent its queries"
            raise InputError(results, name, expected, "nothing")
    folders = {f.parent.name: f.parent for f in sorted(results.glob("nodes/*/variants.sqlite"))}
    if len(folders) < 2:
        expected = "at least two nodes with variants.sqlite, of which one is broken"
        raise InputError(results, "nodes", expected, str(len(folders)))
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
    """Show the outcome of scenarios as text.

    Args:
        table: What ``run_faults`` returns.

    Yields:
        Lines: a heading, one line per scenario with its failures below it, and a summary.
    """
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
    yield f"{held} of {len(table)} scenarios held; {unmarked} answers lost or wrong without notice"
