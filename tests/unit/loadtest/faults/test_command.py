"""What a person reads of the faults."""

import json
from pathlib import Path

import pandas as pd
import pytest

from rehearsal.errors import InputError
from rehearsal.loadtest.faults.command import report_lines, run_faults_command


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


def test_a_query_without_its_right_answer_is_named_before_any_node_starts(tmp_path: Path):
    query = {"id": "count-01", "kind": "count", "entry_type": "g_variants", "request": {}}
    answers = {"count-01": {"AT": {"exists": True, "count": 1}}}
    files = {
        "queries/suite.json": json.dumps([query]),
        "truth/answers.json": json.dumps(answers),
        "issuer/issuer.json": "{}",
        "nodes/AT/variants.sqlite": "",
        "nodes/BE/variants.sqlite": "",
    }
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    line = r"answers.json: count-01.BE: expected the right answer of this country, found nothing$"
    with pytest.raises(InputError, match=line):
        run_faults_command(tmp_path, "short", 1.5, 8.0)
