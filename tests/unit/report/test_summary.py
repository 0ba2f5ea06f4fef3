import re

import numpy as np
import pytest

from rehearsal.files import read_json, write_json
from rehearsal.report.failures import list_failures
from rehearsal.report.problems import find_problems
from rehearsal.report.summary import CheckResults, FederatedAnswers, build_summary, cohort_facts

CODES = ["BE", "ES", "FI", "PL", "SI"]
RUN = {"seed": 7}


@pytest.fixture
def summarise(people):
    def build(answers, **more):
        cohort = cohort_facts(people, variants=10, blocks=1)
        return build_summary(
            RUN, cohort, FederatedAnswers(answers, CODES, 10), CheckResults(**more), {}
        )

    return build


def check(name, expected, observed, passed):
    return {"name": name, "expected": expected, "observed": observed, "passed": passed}


def place(answers, query, node):
    return answers.index[(answers["query"] == query) & (answers["node"] == node)][0]


def test_a_run_in_which_all_is_well_has_no_failing_line(summarise, answers):
    summary = summarise(answers)
    assert list_failures(summary) == []
    assert summary["federation"]["queries"] == summary["federation"]["exact"] == 6
    assert summary["federation"]["nodes"] == 5
    assert summary["qs02"]["success_rate"] == 1.0
    assert summary["cohort"] == {"individuals": 60, "countries": 5, "variants": 10, "blocks": 1}


def test_the_keys_are_those_of_the_interface(summarise, answers):
    summary = summarise(answers)
    assert set(summary) == {
        "run", "cohort", "realism", "privacy", "stories", "analyses", "federation", "qs02", "checks"
    }  # fmt: skip
    wanted = {"queries", "nodes", "exact", "answered", "p50_ms", "p99_ms"}
    assert wanted <= set(summary["federation"])
    assert {"deadline_s", "success_rate"} <= set(summary["qs02"])


def test_the_page_on_files_names_every_key(summary, summarise, answers, root):
    answers.loc[place(answers, "presence-001", "FI"), "verdict"] = "wrong"
    federation = summarise(answers)["federation"]
    parts = [summary, summary["run"], summary["cohort"], summary["qs02"], federation]
    parts += [*summary["run"]["stages"], federation["causes"][0], federation["problems"][0]]
    page = (root / "docs/reference/files.md").read_text()
    named = re.findall(r"`(\w+)`", page.partition("### `summary.json`")[2].partition("\n## ")[0])
    assert set().union(*parts) - set(named) == set()


def test_a_wrong_answer_names_its_query_and_node(summarise, answers):
    row = place(answers, "presence-001", "FI")
    answers.loc[row, ["verdict", "observed", "reason"]] = ["wrong", "4", "count 4 instead of 3"]
    summary = summarise(answers)
    assert list_failures(summary) == [
        "FI gave a wrong answer: count 4 instead of 3 (query presence-001)"
    ]
    assert summary["federation"]["exact"] == 5
    assert summary["federation"]["answered"] == 6
    assert summary["qs02"]["success_rate"] == 1.0


def test_a_late_node_is_named_and_counts_against_qs02(summarise, answers):
    late = answers["node"] == "PL"
    answers.loc[late, ["state", "verdict", "reason"]] = ["late", "late", "deadline of 10 s"]
    summary = summarise(answers)
    lines = list_failures(summary)
    assert lines == [
        "PL was late: deadline of 10 s (6 queries)",
        "QS-02: 80.00% of answers within 10 s, expected 95%",
    ]
    assert summary["federation"]["answered"] == 0


def test_a_node_that_is_down_is_one_cause_and_no_node_that_answered(summarise, answers):
    down = answers["node"] == "FI"
    answers.loc[down, ["state", "verdict", "reason"]] = ["failed", "failed", "no connection"]
    answers.loc[answers["node"] == "network", ["verdict", "reason"]] = ["failed", "failed: FI"]
    summary = summarise(answers)
    federation = summary["federation"]
    assert (federation["nodes"], federation["nodes_expected"]) == (4, 5)
    assert [one["cause"] for one in federation["causes"]] == ["FI did not answer: no connection"]
    assert federation["verdicts"]["wrong"] == 0


@pytest.mark.parametrize("state", ["late", "failed"])
def test_a_node_that_did_not_answer_is_a_problem_even_if_it_is_called_right(answers, state):
    row = place(answers, "presence-001", "SI")
    answers.loc[row, "state"] = state
    problems = find_problems(answers, CODES)
    assert problems[["query", "node", "problem"]].values.tolist() == [["presence-001", "SI", state]]


def test_a_node_that_disappears_from_an_answer_is_missing(summarise, answers):
    gone = answers.drop(place(answers, "presence-001", "ES"))
    summary = summarise(gone)
    assert list_failures(summary) == ["ES is missing: no answer was recorded (query presence-001)"]
    assert summary["qs02"]["success_rate"] == pytest.approx(29 / 30)


def test_a_node_that_refuses_what_it_should_answer_has_not_answered(summarise, answers):
    """Not even in time: a refusal is quick."""
    shut = (answers["node"] == "FI") & (answers["kind"] != "ill_formed")
    answers.loc[shut, ["state", "verdict", "reason"]] = ["refused", "refused", "HTTP 403: no"]
    summary = summarise(answers)
    assert summary["federation"]["answered"] == 2
    assert summary["federation"]["verdicts"] == {
        "right": 26, "incomplete": 0, "wrong": 0, "refused": 4, "late": 0, "failed": 0
    }  # fmt: skip
    assert summary["qs02"]["in_time"] == 26
    lines = list_failures(summary)
    assert lines[0] == "FI refused what it should answer: HTTP 403: no (4 queries)"
    assert len(lines) == 2


def test_a_foreign_node_that_gives_less_fails_nothing_and_is_counted(summarise, answers):
    row = place(answers, "presence-001", "FI")
    answers.loc[row, ["verdict", "missing"]] = ["incomplete", "count"]
    summary = summarise(answers)
    assert list_failures(summary) == []
    assert summary["federation"]["exact"] == 6
    assert summary["federation"]["verdicts"]["incomplete"] == 1


def test_an_expected_error_is_exact(answers):
    assert (answers["http_status"] == 400).any()
    assert find_problems(answers, CODES).empty


def test_an_answer_that_was_not_judged_is_not_exact(summarise, answers):
    answers.loc[place(answers, "presence-001", "network"), "verdict"] = None
    assert summarise(answers)["federation"]["exact"] == 5


def test_no_query_is_a_failure(summarise, answers):
    assert list_failures(summarise(answers.iloc[:0])) == ["federation: no query was asked"]


def test_many_problems_are_counted_where_they_are_not_listed(summarise, answers, monkeypatch):
    monkeypatch.setattr("rehearsal.report.summary.LISTED_PROBLEMS", 3)
    answers.loc[answers["kind"] != "ill_formed", "verdict"] = "wrong"
    federation = summarise(answers)["federation"]
    assert len(federation["problems"]) == 3
    assert federation["problems_total"] == 24


def test_failing_checks_stories_and_realism_have_a_line_each(summarise, answers):
    bad = {"name": "match comes first", "expected": 1, "observed": 3, "passed": False}
    row = {"name": "Ts/Tv", "measured": 3.1, "expected": "1.9-2.2", "source": "", "passed": False}
    summary = summarise(
        answers,
        checks=[check("planted carriers", 4, 5, False), check("store", "equal", "equal", True)],
        stories={
            "rare": {"passed": False, "checks": [bad]},
            "cancer": {"passed": True, "checks": []},
        },
        realism=[row | {"judged": True}, row | {"name": "F_ST", "judged": False}],
    )
    assert list_failures(summary) == [
        "story rare: match comes first: expected 1, observed 3",
        "realism: Ts/Tv: expected 1.9-2.2, observed 3.1",
        "planted carriers: expected 4, observed 5",
    ]


def test_the_file_is_plain_json_without_nan(tmp_path, summarise, answers):
    checks = [check("share", np.float64(np.nan), np.int64(3), np.bool_(True))]
    summary = summarise(answers, checks=checks)
    write_json(tmp_path / "summary.json", summary)
    read = read_json(tmp_path / "summary.json")
    assert read == summary
    assert read["checks"] == [{"name": "share", "expected": None, "observed": 3, "passed": True}]
