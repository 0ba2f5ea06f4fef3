"""The sheets of countries: figures from the summary, languages, one A4 page each."""

import html
import json
import math
import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from rehearsal.policy.cost_model import DESIGNS
from rehearsal.policy.labels import is_stand_in, read_labels
from rehearsal.policy.sheet_facts import GROUPS
from rehearsal.report.html_report import write_report
from rehearsal.report.page_templates import package_text, page_template
from rehearsal.report.sheet_files import write_sheets
from rehearsal.report.sheets import ANSWERS, PART, STAND_IN, in_language, sheet_pages

from ..simulated_blocks import CODES
from .conftest import LABELS, made_policy

ROOT = Path(__file__).resolve().parents[3]
COUNTRIES = {
    line.split("\t")[0]: line.split("\t")[1]
    for line in (ROOT / "config/countries.tsv").read_text().splitlines()[1:]
}
NUMBER = re.compile(r"\d[\d,.\u202f]*\d|\d")


def text_of(path: Path) -> str:
    _, _, body = path.read_text().partition("<main")
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\u202f", "~").split())


def numbers_in(value) -> set[float]:
    """All numbers of a summary, also in texts, and how many items its lists and texts have."""
    if isinstance(value, dict):
        return set().union({len(value)}, *map(numbers_in, value.values()))
    if isinstance(value, list):
        return set().union({len(value)}, *map(numbers_in, value))
    if isinstance(value, str):
        return {float(one) for one in re.findall(r"\d+(?:\.\d+)?", value)}
    return set() if value is None else {float(value)}


@pytest.fixture
def labels():
    return read_labels(LABELS)


@pytest.fixture
def sheets(full, summary, labels, tmp_path):
    write_report(tmp_path, summary, full)
    write_sheets(tmp_path, summary, labels)
    return tmp_path / "sheets"


def plain(text: str, language: str) -> float:
    if language not in ("en", "ga"):
        text = text.replace(".", "").replace("\u202f", "").replace(",", ".")
    return float(text.replace(",", ""))


def is_traced(value: float, known: set[float]) -> bool:
    near = (one for one in known if math.isfinite(one))
    return any(
        value
        in (
            *(round(one), round(one, 1), round(100 * one, 1), round(one / 1000)),
            float(f"{one:.3g}"),
        )
        for one in near
    )


def figures_of(sheet: str, date: str, words) -> list[str]:
    """The numbers of a sheet's first language that are not in its labels."""
    page = sheet.partition("<main")[2].partition("</article>")[0]
    shown = html.unescape(re.sub(r"<[^>]+>", " ", page)).replace(date, "")
    of_labels = NUMBER.findall(" ".join(words.values()))
    return [one for one in NUMBER.findall(shown) if one not in of_labels]


def known_numbers(summary, code) -> set[float]:
    """What a country's sheet may show."""
    known = numbers_in(json.loads(json.dumps(summary["sheets"][code])))
    known |= numbers_in(summary["survey"][code]) | numbers_in(summary["costs"]["sizes"][-1])
    known |= numbers_in([summary["costs"]["from_memory"], summary["costs"]["prices"]])
    known |= numbers_in(summary["maturity"]["nodes"][code])
    known |= {float(len(summary["maturity"]["indicators"]))}
    found = summary["maturity"]["nodes"][code]["indicators"].values()
    checks = [one["status"] for one in summary["maturity"]["nodes"][code]["checks"].values()]
    known |= {float(list(found).count(one)) for one in {*found, "held", "partly", "failed"}}
    known |= {float(checks.count("not measured")), 0.0, float(summary["qs02"]["deadline_s"])}
    return known


@pytest.mark.parametrize(
    ("code", "language"), [("BE", "nl"), ("ES", "es"), ("FI", "fi"), ("SI", "en")]
)
def test_every_figure_of_a_sheet_is_in_the_summary(sheets, summary, labels, code, language):
    known = known_numbers(summary, code)
    words = {**labels["en"], **labels[language]}
    figures = figures_of(
        (sheets / f"{code}.html").read_text(), summary["maturity"]["date"][:10], words
    )
    assert len(figures) > 20
    assert [one for one in figures if not is_traced(plain(one, language), known)] == []
    for figure in filter(lambda one: len(one) > 2, figures):  # one digit more is found
        assert not is_traced(plain(f"{figure}7", language), known)


def test_what_is_from_memory_is_marked_on_a_sheet(full, summary, labels, tmp_path):
    write_sheets(tmp_path, summary, labels)
    text, mark = text_of(tmp_path / "sheets/SI.html"), labels["en"]["gdp_from_memory"]
    assert f"{labels['en']['from_memory']} 13 / 19" in text
    assert mark not in text
    guessed = summary | {"costs": summary["costs"] | {"gdp_from_memory": ["BE", "SI"]}}
    write_sheets(tmp_path, guessed, labels)
    assert f"{mark} 2 / 5" in text_of(tmp_path / "sheets/SI.html")


def test_capitals_and_countries_are_named_in_the_language_of_the_page(sheets):
    text = text_of(sheets / "BE.html")
    assert "(Brussel)" in text and "(Bruxelles)" in text and "(Brüssel)" in text


def test_a_country_of_three_languages_has_three_pages_and_each_says_that_it_is_a_draft(
    sheets, labels
):
    text = (sheets / "BE.html").read_text()
    assert re.findall(r'<article class="sheet" lang="(\w+)"', text) == ["nl", "fr", "de"]
    for language in ("nl", "fr", "de"):
        assert html.escape(labels[language]["draft"]) in text.replace("&#39;", "'")
    assert "België" in text and "Belgique" in text and "Belgien" in text


def test_an_english_sheet_in_place_of_another_language_says_so(full, summary, labels, tmp_path):
    write_sheets(tmp_path, summary, labels)
    sheets = tmp_path / "sheets"
    assert f'<p class="draft">{STAND_IN}</p>' in (sheets / "SI.html").read_text()
    assert STAND_IN not in (sheets / "BE.html").read_text()
    assert not is_stand_in("MT", labels)  # English is a language of Malta
    topics = text_of(sheets / "topics.html")
    assert "labels in their languages are missing:" in topics
    assert "Slovenia" in topics.partition("labels in their languages are missing:")[2]
    assert "Belgium" not in topics.partition("labels in their languages are missing:")[2]


def test_a_language_without_labels_is_said_to_be_english(full, summary, labels, tmp_path):
    labels["pl"] = {}
    write_sheets(tmp_path, summary, labels)
    assert f'<p class="draft">{STAND_IN}</p>' in (tmp_path / "sheets/PL.html").read_text()
    assert "Poland" in text_of(tmp_path / "sheets/topics.html").partition("are missing:")[2]


def test_labels_in_part_are_said_to_be_so(full, summary, labels, tmp_path):
    del labels["pl"]["no_score"], labels["pl"]["draft"]
    del labels["es"]["draft"]  # whole, and read by somebody
    write_sheets(tmp_path, summary, labels)
    assert f'<p class="draft">{PART}</p>' in (tmp_path / "sheets/PL.html").read_text()
    assert 'class="draft"' not in (tmp_path / "sheets/ES.html").read_text()


def test_missing_labels_are_english(full, summary, labels, tmp_path):
    labels["pl"] = {"title": labels["pl"]["title"]}
    write_sheets(tmp_path, summary, labels)
    text = text_of(tmp_path / "sheets/PL.html")
    assert labels["pl"]["title"] in text
    assert labels["en"]["no_score"] in text


def test_the_composition_stays_blank(sheets):
    for code in CODES:
        blank = (sheets / f"{code}.html").read_text().partition('class="blank"')[2]
        cells = re.findall(r"<td>(.*?)</td>", blank.partition("</table>")[0])
        assert cells == ["", "", ""]


def test_only_the_queries_of_the_country_that_asks_stayed_inside(sheets, summary, labels):
    assert summary["sheets"]["BE"]["left"]["query_bytes"] == 0
    assert summary["sheets"]["BE"]["left"]["story_answers"] > 0  # which the sheet says
    assert summary["sheets"]["FI"]["left"]["query_bytes"] == 6 * 900
    assert labels["nl"]["left_asker"] in text_of(sheets / "BE.html")
    assert labels["fi"]["left_asker"] not in text_of(sheets / "FI.html")


def test_a_run_without_a_bench_has_sheets_without_costs(full, summary, labels, tmp_path):
    bare = summary | made_policy(replace(full, bench=None))
    assert bare["costs"] is None
    write_sheets(tmp_path, bare, labels)
    text = text_of(tmp_path / "sheets/SI.html")
    assert "Share of the costs, euros a year not measured" in text
    assert "Answers in time (≤ 10 s) not measured" in text


def test_a_node_of_others_is_named_as_one(full, summary, labels, tmp_path):
    theirs = summary | made_policy(full, foreign=["SI"])
    write_sheets(tmp_path, theirs, labels)
    assert labels["en"]["foreign"] in text_of(tmp_path / "sheets/SI.html")
    assert labels["en"]["node"] not in text_of(tmp_path / "sheets/SI.html")


def test_pages_for_ministries_are_small_and_their_links_lead_somewhere(sheets):
    for path in [*sheets.glob("*.html"), *sheets.parent.glob("[!i]*.html")]:
        assert path.stat().st_size < 300_000
    for path in sheets.glob("*.html"):
        for target in re.findall(r'<a href="([^"]+)"', path.read_text()):
            name, _, anchor = target.partition("#")
            page = (path.parent / name).resolve() if name else path
            assert page.is_file(), target
            assert not anchor or f'id="{anchor}"' in page.read_text(), target


def test_the_index_has_twelve_topics_and_every_sheet(sheets):
    text = (sheets / "topics.html").read_text()
    assert text.count('<th scope="row">') == 12
    assert all(f'href="{code}.html"' in text for code in CODES)
    assert "../stories/rare.html" in text
    assert "../costs.html" in text


def test_the_index_links_to_nothing_that_a_run_does_not_have(full, summary, labels, tmp_path):
    write_report(tmp_path, summary, replace(full, stories=[]))
    write_sheets(tmp_path, summary, labels)
    text = (tmp_path / "sheets/topics.html").read_text()
    assert "../stories" not in text
    assert "../index.html#privacy" not in text  # the made-up run was not attacked
    assert "../index.html#nodes" in text


def test_the_tutorial_names_every_figure_of_a_sheet(full, summary, labels, tmp_path):
    needs = dict(summary["survey"]["SI"]["legal_basis"], **{"no, but re-consenting is possible": 3})
    survey = summary["survey"] | {"SI": summary["survey"]["SI"] | {"legal_basis": needs}}
    write_sheets(tmp_path, summary | {"survey": survey}, labels)
    sheet = (tmp_path / "sheets/SI.html").read_text()
    named = re.findall(r"<(?:th|dt|h2|li)\b[^>]*>(.+?)</(?:th|dt|h2|li)>", sheet)
    named += [labels["en"][group] for group in GROUPS]
    assert len(named) > 40
    tutorial = " ".join((ROOT / "docs/tutorials/read-a-sheet.md").read_text().split())
    for name in named:  # without what stands behind a colon or in brackets
        words = re.sub(r":.*| \((?!5 to|to fill).*\)", "", html.unescape(name)).strip()
        assert words.lower() in tutorial.lower(), words


def test_numbers_are_written_as_readers_of_a_language_do():
    assert in_language(1234567, "en") == "1,234,567"
    assert in_language(1234.5, "de", 1) == "1\u202f234,5"


def full_sheets(summary, labels):
    """The sheets of all countries in all their languages, with long numbers and every line."""
    costs, maturity = summary["costs"], summary["maturity"]
    counts = {"questions": 1234, "answered": 1234, "refused": 1234}
    facts = summary["sheets"]["FI"] | {"asked": dict.fromkeys(GROUPS, counts), "people": 123456}
    facts |= {"left": {"query_bytes": 1e9, "story_answers": 1234, "analyses": 12}}
    answers = dict.fromkeys(ANSWERS, 123456)
    node = maturity["nodes"]["FI"]
    node |= {"indicators": dict.fromkeys(node["indicators"], "failed")}
    size = costs["sizes"][-1] | {
        "countries": dict.fromkeys(COUNTRIES, dict.fromkeys(DESIGNS, COST))
    }
    everybody = {
        "sheets": {code: facts | {"name": name} for code, name in COUNTRIES.items()},
        "survey": dict.fromkeys(COUNTRIES, dict.fromkeys(summary["survey"]["FI"], answers)),
        "maturity": maturity | {"nodes": dict.fromkeys(COUNTRIES, node)},
        "costs": costs
        | {"sizes": [size], "gdp": dict.fromkeys(COUNTRIES), "gdp_from_memory": ["FI"]},
    }
    pages = [one for code in COUNTRIES for one in sheet_pages(summary | everybody, code, labels)]
    css, template = package_text("sheet.css"), page_template("sheet.html")
    return len(pages), template.render(pages=pages, code="FI", css=css)


DRAWN = {"0.05": 12.3e6, "0.5": 45.6e6, "0.95": 78.9e6}
COST = dict.fromkeys(("equal", "by_gdp"), DRAWN)


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed")
def test_the_sheets_of_all_countries_fit_on_one_a4_page_per_language(summary, labels, tmp_path):
    """All in one document, because Chromium takes seconds to start: a page more is one too long."""
    number, document = full_sheets(summary, labels)
    assert number > len(COUNTRIES) == 28
    path, pdf = tmp_path / "sheets.html", tmp_path / "sheets.pdf"
    path.write_text(document)
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run(
        ["chromium", *flags, f"--print-to-pdf={pdf}", f"file://{path}"],
        check=True,
        capture_output=True,
        timeout=120,
    )
    content = pdf.read_bytes()
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == number
    boxes = re.findall(rb"/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)", content)
    assert {(round(float(w)), round(float(h))) for w, h in boxes} <= {(595, 842), (596, 842)}


def test_the_sheet_of_one_country_is_printed_alone(tmp_path):
    folder = tmp_path / "report/sheets"
    folder.mkdir(parents=True)
    for code in ("BE", "FI"):
        (folder / f"{code}.html").write_text("")
    printed = tmp_path / "printed"
    asked = f"RESULTS={tmp_path}", f"CHROMIUM=echo >>{printed}"

    def make(*more):
        command = ["make", "sheets", *asked, *more]
        return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert make("COUNTRY=BE").returncode == 0
    assert "BE.html" in printed.read_text() and "FI.html" not in printed.read_text()
    assert make().returncode == 0 and "FI.html" in printed.read_text()
    said = make("COUNTRY=XX")
    assert said.returncode != 0 and "XX.html: expected the sheet of a finished run" in said.stderr


def test_printing_the_sheets_works_as_root():
    """Chromium refuses to start as root with its sandbox."""
    said = subprocess.run(
        ["make", "--dry-run", "sheets"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert ("--no-sandbox" in said) == (os.geteuid() == 0)
