"""The pages beside the first one: countries, stories, the catalogue; all of them in a browser."""

import html
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from rehearsal.report.html_report import write_report
from rehearsal.report.junit import write_junit
from rehearsal.report.provenance import run_facts, stage_times
from rehearsal.report.summary import CheckResults, FederatedAnswers, build_summary, cohort_facts
from rehearsal.report.tables import BenchTables

CODES = ["BE", "ES", "FI", "PL", "SI"]
CONDITIONS = {
    "started": "2030-01-01T00:00:00+00:00",
    "load_average_before": [0.5, 0.25, 0.125],
    "burst": {"queries_per_s": 40.25, "requests_per_s": 1127.0, "at_once": 16},
}

STORY = {
    "name": "rare",
    "title": "A child in Dublin",
    "summary": "Martin's doctors look for a second case.",
    "evidence": ["microcephaly (r)"],
    "asker": {
        "name": "Martin's paediatrician",
        "country": "BE",
        "role": "clinician",
        "tier": "controlled",
        "purpose": "DUO:0000043",
    },
    "patients": [
        {"handle": "martin", "name": "Martin", "individual": "BE-000007", "country": "BE"},
        {"handle": "decoy-es-1", "name": None, "individual": "ES-000003", "country": "ES"},
    ],
    "questions": [
        {
            "id": "match",
            "text": "Has anybody seen a child like this?",
            "kind": "match",
            "asker": {"name": "Martin's paediatrician", "role": "clinician", "tier": "controlled"},
            "about": "martin",
            "seconds": 0.31,
            "countries": {
                "ES": {"state": "answered", "latency_ms": 31.5, "answer": {"score": 0.93}},
                "FI": {"state": "refused", "latency_ms": 40.1, "reason": "no right to ask"},
            },
            "joined": {"count": 1, "latency_ms": 41.0, "bytes": 900},
            "details": {},
            "stayed_home": "The record of one person.",
            "checks": [
                {"name": "the first match", "expected": "ES", "observed": "ES", "passed": True}
            ],
        }
    ],
    "seconds": 0.4,
    "checks": [{"name": "match: the first", "expected": "ES", "observed": "ES", "passed": True}],
    "passed": True,
}

DATASET = {
    "synthetic": True,
    "identifier": "GDI-FI-REHEARSAL-1",
    "title": "People of Finland, synthetic",
    "description": "Simulated.",
    "country_code": "FI",
    "country_name": "Finland",
    "individuals": 100,
    "records": 100,
    "uses": [{"term": "DUO:0000042", "label": "general research use", "share": 0.67}],
    "survey": {"purpose_of_collection": "other: a simulation", "gdpr_basis": ["GDPR 6(1)a, 9(2)a"]},
}
EXPORT = {
    **DATASET,
    "identifier": "GDI-EU-EXPORT-1",
    "title": "People of several countries, synthetic",
    "country_code": "EU",
    "country_name": "several countries",
    "individuals": 40,
}


def made_bench() -> BenchTables:
    """A bench of three rates, two sizes of each kind, one way of distance and two faults."""
    counts = {"sent": 16, "answered": 15, "refused": 1, "late": 0, "failed": 0}
    latencies = {"p50_ms": 40.0, "p95_ms": 70.0, "p99_ms": 90.0, "control_p99_ms": 1.0}
    load = [
        {"rate_per_s": rate, "connections": "warm", "kind": "all", "role": "all"}
        | counts
        | latencies
        | {"load_average_1min": 1.5}
        for rate in (8.0, 16.0, 32.0)
    ]
    growth = [
        {"axis": axis, "nodes": 5, "people": 60, "users": 1, axis: size}
        | latencies
        | {"queries_per_s": 20.0, "network_cpu_ms_per_query": 2.0, "nodes_cpu_ms_per_query": 3.0}
        for axis in ("nodes", "people", "users")
        for size in (1, 4)
    ]
    fits = [
        {"axis": axis, "measure": "p50_ms", "exponent": 0.5, "standard_error": np.nan, "points": 2}
        for axis in ("nodes", "people", "users")
    ]
    fault = {
        "must_hold": "nothing is lost",
        "held": True,
        "answered_share": 0.9,
        "marked_share": 0.1,
        "unmarked_share": 0.0,
        "recovered_s": 1.25,
    }
    return BenchTables(
        load=pd.DataFrame(load),
        knee={"held_per_s": 16.0, "objective": {"in_time_share": 0.95, "p99_ms": 1000.0}},
        growth=pd.DataFrame(growth),
        growth_fits=pd.DataFrame(fits),
        policy=pd.DataFrame(
            [{"policy": "at-once", "hung": 3, "phase": "known", "p50_ms": 60.0, "max_ms": 61.0}
             | {"node_answered": 25, "node_late": 0, "node_failed": 3}]
        ),
        distance=pd.DataFrame(
            [{"country": "FI", "way": "delay", "measured_by": "answer", "measured_ms": 38.9,
              "off_ms": 0.2, "reason": ""},
             {"country": "", "way": "tun", "measured_by": "tcp", "measured_ms": np.nan,
              "off_ms": np.nan, "reason": "this machine has no /dev/net/tun"}]
        ),
        capitals=pd.DataFrame(
            [{"asker": code, "farthest": "FI", "p50_ms": 50.0, "p99_ms": 60.0,
              "farthest_ms": 40.0, "own_ms": 5.0, "qs02": 1.0} for code in CODES]
        ),
        faults=pd.DataFrame(
            [{"scenario": "killed", "node": "FI"} | fault,
             {"scenario": "stopped", "node": "ES"} | fault]
        ),
    )  # fmt: skip


@pytest.fixture
def full(tables):
    fst = pd.DataFrame(0.001, index=CODES, columns=CODES)
    return replace(
        tables, stories=[STORY], datasets=[DATASET, EXPORT], bench=made_bench(), expected_fst=fst
    )


@pytest.fixture
def summary(full, people, tmp_path):
    check = {"name": "planted carriers", "expected": 4, "observed": 5, "passed": False}
    return build_summary(
        run_facts(7, "0123abcd", stage_times(tmp_path), CONDITIONS),
        cohort_facts(people, variants=10, blocks=1),
        FederatedAnswers(full.answers, CODES, deadline_s=10),
        CheckResults([check], stories={"rare": {key: STORY[key] for key in ("passed", "checks")}}),
    )


@pytest.fixture
def report(full, summary, tmp_path):
    write_report(tmp_path / "report", summary, full)
    return tmp_path / "report"


def words(path: Path) -> str:
    """What a page says below its list of sections."""
    _, _, body = path.read_text().partition("<body>")
    unread = re.compile(r"<nav.*?</nav>|<script.*?</script>|<[^>]+>", re.S)
    return " ".join(html.unescape(unread.sub(" ", body)).split())


def test_every_link_leads_to_a_page_that_is_there(report):
    for page in report.rglob("*.html"):
        for target in re.findall(r'<a href="([^"#]+)"', page.read_text()):
            assert (page.parent / target).resolve().is_file(), (page, target)


def test_a_country_has_a_page_of_its_own(report):
    text = words(report / "countries/FI.html")
    assert "Finland" in text
    assert "12 synthetic people; the node answered everything right" in text
    assert "GDI-FI-REHEARSAL-1" in text
    assert "general research use" in text
    assert "A child in Dublin" in text  # which asked its node
    assert "killed" in text  # the fault that was made there
    assert "stopped" not in text


def test_a_country_with_wrong_answers_lists_them(full, summary, tmp_path):
    answers = full.answers.copy()
    row = answers.index[(answers["query"] == "presence-001") & (answers["node"] == "FI")][0]
    answers.loc[row, ["equal", "observed"]] = [False, "4"]
    write_report(tmp_path, summary, replace(full, answers=answers))
    assert "gave 1 wrong or missing answers" in words(tmp_path / "countries/FI.html")
    assert "presence-001" in words(tmp_path / "countries/FI.html")
    assert "presence-001" not in words(tmp_path / "countries/ES.html")


def test_a_story_is_told_as_a_clinician_could_follow_it(report):
    text = words(report / "stories/rare.html")
    order = [
        "A child in Dublin",
        "Martin's paediatrician",
        "DUO:0000043",
        "Has anybody seen a child like this?",
        "1 answered, 1 refused",
        "The record of one person.",
        "score: 0.93",
        "no right to ask",
        "the first match",
        "microcephaly (r)",
    ]
    places = [text.index(part) for part in order]
    assert places == sorted(places)


def test_load_growth_and_faults_are_on_the_first_page(report):
    text = words(report / "index.html")
    assert "The knee: 16 queries a second of all nodes" in text
    assert "the median grows with the power 0.50" in text
    assert "this machine has no /dev/net/tun" in text
    assert "killed nothing is lost yes" in text


def test_the_catalogue_lists_datasets_and_the_survey(report):
    text = words(report / "catalogue.html")
    assert "GDI-FI-REHEARSAL-1" in text
    assert "GDI-EU-EXPORT-1 several countries" in text
    assert "about 100 people" in text  # who was handed over is not counted twice
    assert "Purpose of collection other: a simulation" in text


def test_junit_has_a_case_for_every_query_and_check(full, summary, tmp_path):
    answers = full.answers.copy()
    row = answers.index[(answers["query"] == "presence-001") & (answers["node"] == "FI")][0]
    answers.loc[row, ["equal", "observed"]] = [False, "4"]
    write_junit(tmp_path / "junit.xml", summary, answers, CODES)
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    suites = {suite.get("name"): suite for suite in root}
    assert suites["federation"].get("tests") == "6"
    assert suites["federation"].get("failures") == "1"
    failure = suites["federation"].find("testcase[@name='presence-001']/failure")
    assert failure.get("message").startswith("FI: wrong; expected 3, observed 4")
    assert suites["qs02"].get("failures") == "0"
    assert suites["story.rare"].get("tests") == "1"
    assert suites["checks"].find("testcase/failure").text == "expected 4, observed 5"


BROWSER = """
import json, sys
from playwright.sync_api import sync_playwright
said = []
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=sys.argv[1], args=json.loads(sys.argv[3]))
    page = browser.new_page(color_scheme="dark")
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda r: r.url.startswith("file:") or said.append(r.url))
    page.goto(sys.argv[2])
    page.wait_for_function("document.querySelectorAll('[data-chart]:not(.drawn)').length === 0")
    page.locator("path[aria-label^='Finland']").first.click()
    page.wait_for_url("**/countries/FI.html")
    country = page.title()
    page.locator("header a").click()
    page.get_by_role("link", name="A child in Dublin").click()
    story = page.title()
    page.go_back()
    page.keyboard.press("Tab")
    skip = page.evaluate("document.activeElement.textContent")
    browser.close()
print(json.dumps({"said": said, "country": country, "story": story, "skip": skip}))
"""
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.mark.system
@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_a_reader_clicks_through_the_pages_in_a_browser(report):
    where = (report / "index.html").as_uri()
    done = subprocess.run(
        [sys.executable, "-c", BROWSER, shutil.which("chromium"), where, json.dumps(FLAGS)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == {
        "said": [],
        "country": "Finland – Rehearsal",
        "story": "A child in Dublin – Rehearsal",
        "skip": "Skip to the content",
    }
