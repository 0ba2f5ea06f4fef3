"""Two Beacons side by side: pairs, ratios, and what cannot be asked."""

import math

import numpy as np
import pandas as pd
import pytest

from rehearsal.cli import main
from rehearsal.errors import InputError
from rehearsal.evaluation.suite import beacon_request, write_suite
from rehearsal.loadtest.beacon_comparison import (
    FREQUENCIES,
    comparison_lines,
    paired_ratio,
    pairs_of,
    queries_of_part,
)
from rehearsal.model import AlleleCounts, Query, Variant
from rehearsal.truth.expected_answers import ExpectedAnswer

from ..foreign_beacon import foreign_beacon


def rows(side, latencies_ms, state="answered", count=3):
    return [
        {
            **{"query": f"q{number}", "round": 0, "side": side, "state": state, "exists": True},
            **{"count": count, "latency_ms": latency, "bytes": 10, "reason": ""},
            **dict.fromkeys(FREQUENCIES),
            "load_average_1min": 0.5,
        }
        for number, latency in enumerate(latencies_ms)
    ]


def test_the_ratio_is_of_pairs_not_of_medians():
    """Twice as slow in every pair, though queries differ by a thousand."""
    against = [1.0, 10.0, 100.0, 1000.0, 2.0, 3.0, 4.0]
    table = pd.DataFrame(rows("target", [2 * one for one in against]) + rows("against", against))
    ratio = paired_ratio(pairs_of(table))
    assert (ratio.median, ratio.low, ratio.high, ratio.pairs) == (2, 2, 2, 7)


def test_the_interval_holds_the_true_median_as_often_as_it_says():
    random = np.random.default_rng(1)
    held = 0
    for _ in range(400):
        target = pd.DataFrame({"latency_ms_one": np.exp(random.normal(0.5, 1, 40))})
        ratio = paired_ratio(target.assign(latency_ms_other=1.0))
        held += ratio.low <= math.exp(0.5) <= ratio.high
    assert held / 400 >= 0.94


def test_queries_that_one_side_did_not_answer_make_no_pair():
    table = pd.DataFrame(
        rows("target", [1.0] * 8) + rows("against", [1.0] * 5) + rows("against", [1.0], "late")
    )
    assert paired_ratio(pairs_of(table)).pairs == 5
    assert math.isnan(paired_ratio(pairs_of(table)).low), "five pairs have no 95 % interval"
    assert math.isnan(paired_ratio(pairs_of(table[table["side"] == "target"])).median)


def test_a_person_is_told_counts_ratios_and_whether_the_answers_agree():
    table = pd.DataFrame(rows("target", [2.0] * 6) + rows("against", [1.0] * 6, count=4))
    said = "\n".join(comparison_lines(table))
    assert "target against against: median latency ratio 2" in said
    assert "presence in 6 of 6 pairs, count in 0 of 6 pairs, frequency in 0 of 0 pairs" in said
    assert "different count: q0, q1, q2, ..." in said


def test_a_part_is_the_queries_of_its_kind_that_have_one_answer(tmp_path):
    suite = [
        Query("a", "allele_frequency", "g_variants", {}),
        Query("b", "allele_frequency", "g_variants", {}, tier="public"),
        Query("c", "count", "g_variants", {}),
    ]
    assert [query.id for query in queries_of_part(suite, "frequency", tmp_path)] == ["a"]
    with pytest.raises(InputError, match="queries of kind individuals, for --part individuals"):
        queries_of_part(suite, "individuals", tmp_path)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (
            ["--part", "frequency"],
            "--target: expected a value, or the command rehearsal bench faults, found nothing",
        ),
        (
            ["--target", "http://x", "--part", "all"],
            "--part: expected one of frequency, individuals, found 'all'",
        ),
        (["--target", "http://x", "--part", "frequency", "--rounds", "0"], "at least 1, found '0'"),
        (
            ["--target", "ftp://x", "--part", "frequency"],
            "--target: expected a URL http(s)://HOST/...",
        ),
        (
            ["--target", "http://x", "--part", "frequency", "--suite", "nowhere.json"],
            "nowhere.json: file: expected a query suite in JSON",
        ),
        (
            ["--target", "http://x", "--part", "frequency", "--token-variable", "NOT_SET"],
            "environment variables: NOT_SET: expected a bearer token for target, found nothing",
        ),
        (["faults", "results"], "results: truth/answers.json: expected the results of a run"),
        (
            ["--target", "http://x", "--part", "frequency", "--against", "nowhere"],
            "--against: expected a URL http(s)://HOST/...",
        ),
    ],
)
def test_what_cannot_be_asked_is_one_line(tmp_path, capfd, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    suite = tmp_path / "results" / "queries" / "suite.json"
    suite.parent.mkdir(parents=True)
    suite.write_text(
        '[{"id": "a", "kind": "allele_frequency", "entry_type": "g_variants", "request": {}}]'
    )
    with pytest.raises(SystemExit) as ended:
        main(["bench", *arguments])
    assert ended.value.code == 2
    error = capfd.readouterr().err
    assert said in error
    assert len(error.splitlines()) == 1


# --- Beacons of others, on real sockets ---

COUNTS = AlleleCounts(an=104, ac=37, hom=9, het=17, hemi=2)
PLACE = {"referenceName": "X", "start": [100], "referenceBases": "A", "alternateBases": "G"}
REQUEST = beacon_request(PLACE, [], "record", {"skip": 0, "limit": 10})
ALLELE = Query("allele-1", "allele_frequency", "g_variants", REQUEST)
RIGHT = ExpectedAnswer(
    True, 1, {Variant("chrX", 100, "A", "G"): dict.fromkeys(("", "_F", "_M"), COUNTS)}
)


@pytest.mark.parametrize(
    ("manners", "same"),
    [
        ({"populations": {"": "Total", "_F": "F", "_M": "M"}}, "1 of 1"),
        ({"fields": ("alleleFrequency",), "methods": ("GET",)}, "1 of 1"),
        ({"populations": {}}, "0 of 0"),
        ({"missed": 1}, "0 of 1"),
    ],
)
def test_frequencies_are_compared_too(tmp_path, capfd, manners, same):
    write_suite([ALLELE], tmp_path / "suite.json")
    with (
        foreign_beacon([(ALLELE, RIGHT)]) as ours,
        foreign_beacon([(ALLELE, RIGHT)], **manners) as theirs,
    ):
        arguments = ["--target", theirs.url, "--against", ours.url, "--part", "frequency"]
        arguments += ["--suite", str(tmp_path / "suite.json"), "--rounds", "1"]
        with pytest.raises(SystemExit) as ended:
            main(["bench", *arguments])
    said = capfd.readouterr().out
    assert ended.value.code == 0, said
    assert f"frequency in {same} pairs" in said
    assert ("different frequency: allele-1" in said) == (same == "0 of 1")
