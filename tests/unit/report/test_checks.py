import pandas as pd

from rehearsal.report.checks import audit_check


def test_every_node_needs_a_line_for_each_of_its_answers():
    answers = pd.DataFrame({"node": ["FI", "FI", "SE", "SE"], "http_status": [200, 400, 200, None]})
    audit = {"FI": {"lines": 2}, "SE": {"lines": 1}, "NO": {"lines": 0}}
    assert audit_check(audit, answers)["passed"]
    short = audit_check(audit | {"FI": {"lines": 1}}, answers)
    assert (short["expected"], short["observed"], short["passed"]) == (3, 2, False)
