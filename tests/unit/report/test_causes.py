"""Failures by cause."""

import pandas as pd

from rehearsal.report.causes import add_causes, list_causes
from rehearsal.report.failures import cause_line
from rehearsal.report.problems import PROBLEM_COLUMNS


def problems(*rows):
    """Rows of query, node, problem and reason."""
    table = [
        (query, "count", node, problem, "3", "-", reason) for query, node, problem, reason in rows
    ]
    return pd.DataFrame(table, columns=PROBLEM_COLUMNS)


def lines(*rows):
    return [cause_line(one) for one in list_causes(add_causes(problems(*rows)))]


def test_the_most_frequent_cause_comes_first_not_the_first_query():
    assert lines(
        ("a-01", "SE", "wrong", "count 4 instead of 3"),
        ("b-01", "FI", "failed", "Cannot connect to host 10.0.0.1:80"),
        ("b-02", "FI", "failed", "circuit open: Cannot connect to host 10.0.0.1:81"),
    ) == [
        "FI did not answer: Cannot connect to host 10.0.0.1:80 (2 queries)",
        "SE gave a wrong answer: count 4 instead of 3 (query a-01)",
    ]


def test_a_network_without_a_node_is_no_cause_of_its_own():
    assert lines(
        ("a-01", "FI", "late", "no whole answer within 3 s"),
        ("a-01", "network", "late", "late: FI no whole answer within 3 s"),
        ("a-02", "network", "wrong", "count 1 instead of 2"),
    ) == [
        "FI was late: no whole answer within 3 s (query a-01)",
        "the network gave a wrong answer: count 1 instead of 2 (query a-02)",
    ]


def test_different_reasons_of_one_node_are_different_causes():
    assert lines(
        ("a-01", "FI", "wrong", "exists False instead of True; count 0 instead of 2"),
        ("a-02", "FI", "wrong", "exists True instead of False"),
        ("a-03", "FI", "wrong", "exists False instead of True"),
    ) == [
        "FI gave a wrong answer: exists False instead of True (2 queries)",
        "FI gave a wrong answer: exists True instead of False (query a-02)",
    ]


def test_no_problem_has_no_cause():
    assert list_causes(add_causes(problems())) == []
