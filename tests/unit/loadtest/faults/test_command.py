"""What a person reads of the faults."""

import pandas as pd

from rehearsal.loadtest.faults.command import report_lines


def test_a_line_a_scenario_and_what_did_not_hold_below_it():
    held = {"scenario": "answers 500", "held": True, "why": "", "victim": "failed 9"}
    broken = {"scenario": "stopped", "held": False, "why": "2 answers lost", "victim": "lost 2"}
    table = pd.DataFrame([held, broken]).assign(answered=53, marked=19, unmarked=[0, 2])
    heading, first, second, why, last = report_lines(table.assign(recovered_s=[1.04, float("nan")]))
    assert heading.split()[:3] == ["scenario", "held", "answered"]
    assert first.split() == [*["answers", "500", "yes", "53", "19", "0", "1.0", "s", "failed", "9"]]
    assert second.split() == [*["stopped", "NO", "53", "19", "2", "never", "lost", "2"]]
    assert why.strip() == "2 answers lost"
    assert last == "1 of 2 scenarios held; 2 answers lost or wrong without notice"
