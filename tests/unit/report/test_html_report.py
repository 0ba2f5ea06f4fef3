import base64
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser

import pandas as pd
import pytest

from rehearsal.report.html_report import data_uri, script_json, write_report
from rehearsal.report.page_elements import percent, whole
from rehearsal.report.provenance import run_facts, stage_times
from rehearsal.report.summary import CheckResults, FederatedAnswers, build_summary, cohort_facts

from .conftest import made_policy

CONDITIONS = {
    "started": "2030-01-01T00:00:00+00:00",
    "load_average_before": [0.5, 0.25, 0.125],
    "burst": {"queries_per_s": 40.25, "requests_per_s": 1127.0, "at_once": 16},
}
CODES = ["BE", "ES", "FI", "PL", "SI"]


class Reader(HTMLParser):
    """Collects elements, ids and the page's text; void elements need no end."""

    VOID = frozenset({"meta", "link", "br", "img", "path", "rect", "circle", "line"})

    def __init__(self):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.text += f"{data} "

    def attributes(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture
def summary_of(tmp_path, people):
    def build(tables, **more):
        return build_summary(
            run_facts(7, "0123abcd", stage_times(tmp_path), CONDITIONS),
            cohort_facts(people, variants=10, blocks=1),
            FederatedAnswers(tables.answers, CODES, deadline_s=10),
            CheckResults(**more),
            made_policy(tables),
        )

    return build


@pytest.fixture
def page_of(tmp_path, summary_of):
    def write(tables, **more):
        first, *_ = write_report(tmp_path, summary_of(tables, **more), tables)
        return first.read_text(encoding="utf-8")

    return write


def read(html):
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader


def test_the_page_loads_nothing_from_anywhere(page_of, tables):
    html = page_of(tables)
    for tag, attrs in read(html).elements:
        for name in ("src", "href", "data", "action", "xlink:href", "srcset"):
            target = attrs.get(name) or ""
            own = re.fullmatch(
                r"(countries|stories|sheets)/[\w-]+\.html"
                r"|(catalogue|maturity|costs|economics|data_protection|synthetic_datasets)\.html",
                target,
            )
            assert target.startswith(("#", "data:")) or not target or own, (tag, name, target)
    style = html[html.index("<style>") : html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    specifications = html[html.index('id="charts">') : html.index("</script>")]
    assert '"url":' not in specifications
    assert set(re.findall(r'"href":"([^"]+)"', specifications)) <= {
        f"countries/{code}.html" for code in CODES
    }


def test_verdicts_come_first_and_say_what_passed(page_of, tables):
    text = " ".join(read(page_of(tables)).text.split())
    assert text.index("Answers in time (QS-02)") < text.index("Every node, asked from")
    assert "Answers in time (QS-02) 100% Passed" in text
    assert "Exact answers 6 of 6 Passed" in text
    assert "None. Every node" in text
    assert "The rehearsal went well" in text


def test_a_wrong_answer_is_listed_and_changes_the_headline(page_of, tables, answers):
    row = answers.index[(answers["query"] == "presence-001") & (answers["node"] == "FI")][0]
    answers.loc[row, ["verdict", "observed"]] = ["wrong", "<b>4</b>"]
    html = page_of(tables)
    text = " ".join(read(html).text.split())
    assert "The rehearsal failed for 1 reason" in text
    assert "1 wrong, refused, late, failed or missing answers" in text
    assert "5 of 6" in text
    assert "&lt;b&gt;4&lt;/b&gt;" in html


def test_failed_checks_are_listed(page_of, tables):
    check = {"name": "planted carriers", "expected": 4, "observed": 5, "passed": False}
    text = read(page_of(tables, checks=[check])).text
    assert "planted carriers: expected 4, observed 5" in text
    assert "0 of 1" in text


def test_stories_and_realism_have_their_verdicts_when_they_are_there(page_of, tables):
    row = {"name": "Ts/Tv", "measured": 2.1, "expected": "1.9-2.2", "source": "", "judged": True}
    story = {"passed": True, "checks": []}
    text = read(page_of(tables, stories={"rare": story}, realism=[row | {"passed": True}])).text
    assert "Stories" in text
    assert "Realism" in text


def test_the_page_is_made_for_keyboards_and_screen_readers(page_of, tables):
    page = read(page_of(tables))
    assert page.attributes("html")[0]["lang"] == "en"
    tags = [tag for tag, _ in page.elements]
    for landmark in ("header", "nav", "main", "footer", "h1"):
        assert tags.count(landmark) == 1
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = {attrs["href"] for attrs in page.attributes("a")}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert tags.count("caption") == tags.count("table") == 3
    assert tags.count("figcaption") == tags.count("figure") > 4
    assert all(attrs.get("scope") in ("col", "row") for attrs in page.attributes("th"))
    for attrs in page.attributes("section") + page.attributes("figure"):
        assert attrs.get("aria-labelledby") in ids
    regions = [attrs for attrs in page.attributes("div") if attrs.get("role") == "region"]
    labels = [attrs["aria-labelledby"] for attrs in regions]
    assert len(labels) == len(set(labels)) == 4
    assert {name for label in labels for name in label.split()} <= set(ids)
    scrolling = [attrs for attrs in page.attributes("div") if attrs.get("class") == "scroll"]
    assert all(attrs["tabindex"] == "0" and attrs["aria-labelledby"] for attrs in scrolling)


def test_a_bare_control_stands_beside_the_latencies(page_of, tables):
    control = tables.latency.iloc[:3].assign(
        kind="control", node=["empty handler", "BE", "FI"], p50_ms=[0.25, 2.5, 41.0]
    )
    latency = pd.concat([tables.latency, control])
    text = " ".join(read(page_of(replace(tables, latency=latency))).text.split())
    assert "a handler that does nothing answered on this machine in 0.2 ms (median)." in text
    assert "The service-info of the nodes took 2.5 to 41.0 ms." in text
    assert "control" not in text.replace("controlled", "")


def test_provenance_says_what_the_run_was_made_with(page_of, tables):
    text = " ".join(read(page_of(tables)).text.split())
    assert "Seed 7 Config digest 0123abcd" in text
    assert "Queries began 2030-01-01T00:00:00+00:00 Throughput 40.2 queries per second to" in text
    assert "Load average 0.50, 0.25, 0.12 before the queries; " in text
    assert "(1,127 requests per second), with 16 queries at a time" in text


def test_what_it_is_not_is_said(page_of, tables):
    text = read(page_of(tables)).text
    for words in ("no real data", "not estimates of ancestry", "identity by"):
        assert words in text


def test_the_same_run_gives_the_same_bytes(tmp_path, summary_of, tables):
    summary = summary_of(tables)
    one, other = (write_report(tmp_path / name, summary, tables) for name in "ab")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_a_run_too_small_for_components_has_a_page_without_them(page_of, tables):
    html = page_of(replace(tables, components=None, demography_svg=None))
    assert "Principal components" not in html
    assert "Demographic model" not in html


def test_a_drawing_stands_in_the_page_unless_it_is_too_large(page_of, tables):
    assert data_uri(tables.demography_svg) in page_of(tables)
    large = tables.demography_svg.replace("</svg>", f"<!--{'x' * 700_000}--></svg>")
    html = page_of(replace(tables, demography_svg=large))
    assert "too large for this page" in html
    assert data_uri(large) not in html


def test_a_drawing_becomes_an_image_that_fetches_nothing_and_runs_nothing():
    head, body = data_uri("<svg><script>x()</script></svg>").split(",")
    assert head == "data:image/svg+xml;base64"
    assert base64.b64decode(body) == b"<svg><script>x()</script></svg>"


def test_json_cannot_end_its_script_element():
    assert "</script" not in script_json({"a": "</script><!--"})


def test_only_a_whole_share_is_called_whole():
    assert percent(1) == "100%"
    assert percent(0) == "0%"
    assert percent(0.99999) == "over 99.9%"
    assert percent(0.00001) == "below 0.1%"
    assert percent(0.0011, 0) == "below 1%"
    assert percent(0.9989, 0) == "over 99%"
    assert percent(0.649) == "64.9%"
    assert whole(12345) == "12,345"


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_charts_are_drawn_without_a_console_message(tmp_path, page_of, tables):
    page_of(tables)
    done = subprocess.run(
        [
            "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1200,9000",
            "--enable-logging=stderr", "--v=0", "--virtual-time-budget=6000", "--dump-dom",
            (tmp_path / "index.html").as_uri(),
        ],
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert "CONSOLE" not in done.stderr
    charts = re.findall(r'class="chart [^"]*drawn[^"]*"', done.stdout)
    assert len(charts) == 5
    assert done.stdout.count('role="graphics-document"') == 5


def test_the_attacks_are_shown_before_and_after_protection(page_of, tables):
    row = {"secret": "membership", "attack": "lists of terms", "attacker": "everybody else"}
    row |= {"power_none": 1.0, "power_earlier": 0.82, "power_today": 0.071, "upper_bound": 0.093}
    row |= {"auc": 0.53, "worst_node": "BE", "power_worst_node": 0.11, "targets": 600}
    row |= {"asked": 10_000, "paid": 2, "free": 6_000, "refused": 3_998}
    answers = {"people": 36_000, "tier": "public", "answers": 720, "of_one_caller": 72}
    privacy = {
        "measured": {"nodes": ["BE"], "targets": 600, "false_positives": 0.05},
        "table": [row],
        "answers": [{**answers, "standard_deviation": 189.7}],
        "checks": [],
    }
    text = " ".join(read(page_of(tables, privacy=privacy)).text.split())
    assert "Re-identification" in text
    assert "lists of terms everybody else 100% 82.0% 7.1% 9.3% 11.0% 0.53 10,000 2" in text
    assert "36,000 public 720 72 189.7" in text
