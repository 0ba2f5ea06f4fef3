"""The pages of countries, stories and datasets, and the files for machines."""

import html
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rehearsal.report.html_report import write_report
from rehearsal.report.junit import write_junit
from rehearsal.report.story_pages import check_table

from ..simulated_blocks import CODES


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
    assert "A node with 12 synthetic people. It answered every query correctly." in text
    assert "GDI-FI-REHEARSAL-1" in text
    assert "general research use" in text
    assert "Rare disease" in text  # a story that asked its node
    assert "killed" in text  # the fault that was caused there
    assert "stopped" not in text


def test_a_country_with_wrong_answers_lists_them(full, summary, tmp_path):
    answers = full.answers.copy()
    row = answers.index[(answers["query"] == "presence-001") & (answers["node"] == "FI")][0]
    answers.loc[row, ["verdict", "observed"]] = ["wrong", "4"]
    write_report(tmp_path, summary, replace(full, answers=answers))
    assert "It gave 1 wrong or missing answer." in words(tmp_path / "countries/FI.html")
    assert "presence-001" in words(tmp_path / "countries/FI.html")
    assert "presence-001" not in words(tmp_path / "countries/ES.html")


def in_order(text, parts):
    """Whether the parts stand in a text in this order."""
    places = [text.find(part) for part in parts]
    assert -1 not in places, parts[places.index(-1)]
    return places == sorted(places)


def test_a_story_says_how_many_people_of_each_kind_it_added(report):
    text = words(report / "stories/rare.html")
    told = "2 invented patients without a name were added for comparison"
    assert in_order(text, [told, "Kind of patient", "psat1-deficiency", "psph-deficiency"])
    cancer = words(report / "stories/cancer.html")
    assert "low-score-endocrine 2 " in cancer


def test_a_match_is_told_in_sentences_and_tables(report):
    text = words(report / "stories/rare.html")
    assert in_order(
        text,
        [
            "3 questions in",
            "Every answer agrees with the known truth.",
            "Martin was born in Dublin",
            "Martin's clinical geneticist",
            "clinical care use (DUO:0000043)",
            "Is there a patient like Martin in another country?",
            "It described the patient by microcephaly, small face, global developmental delay, "
            "seizure and hyposerinemia, without thin corpus callosum, and by 16 candidate genes",
            "112 patients match. The best match is in Spain, with a score of 0.81 out of 1.",
            "chr1:119,712,024 T>C (2 copies)",
            "5 nodes answered.",
            "Features in common Genes in common",
            "What stayed in the countries All records, identifiers and genomes",
            "Comparison with the truth 6 of 6 checks passed.",
            "every country answered Belgium, Spain, Finland, ",
            "the best match country: Spain, variant: chr1:119,712,024 T>C, copies: 2",
            "microcephaly (m)",
        ],
    )


@pytest.mark.parametrize(
    ("story", "parts"),
    [
        (
            "cancer",
            [
                "asked for variants in the gene BRCA1. A node answers with yes or no only.",
                "Allele count Allele number Allele frequency",
                "asked for women with onset of breast cancer at an age of at least 35 years,",
                "Every node was asked 32 queries",
                "With the treatment",
                "The interval is below zero. Fewer people had the outcome with the treatment.",
                "No. None of the countries that answered has a match.",
                "people whose tumour carries the variant chr7:140,753,336 A>T (GRCh38) and who "
                "have melanoma (MONDO:0005105).",
                "and who have a treatment with BRAF inhibitors (ATC:L01EC)",
            ],
        ),
        (
            "common",
            [
                "The patient's score is 3.08, in standard deviations",
                "In Poland, between 98.95% and 100.00% of the people have a lower score.",
                "In all countries together, between 99.89% and 99.96% of the people",
                "Score, standard deviations People",
                "Each additional standard deviation of the score multiplies the risk of "
                "the disease at any age by 1.71.",
                "The 99% confidence interval is 1.30 to 2.24.",
                "Simvastatin should be avoided.",
                "SLCO1B1",
                "drugs to avoid simvastatin (ATC:C10AA01)",
            ],
        ),
        (
            "infectious",
            [
                "who carry the variant chrX:12,886,152 A>G",
                "4 people match",
                "male, 18 to 50 years old, severe COVID-19 (HP:0033141) and a variant in the gene "
                "TLR7 with an allele frequency of at most 2%",
                "4 patients arrived after the subscription. 1 alert was sent. It came 0.",
                "An alert holds only the node, the time and a token",
                "New patient Country Sex Age, years",
                "patients with an alert a third patient like the brothers",
            ],
        ),
    ],
)
def test_every_kind_of_question_is_told_in_sentences(report, story, parts):
    assert in_order(words(report / f"stories/{story}.html"), parts)


def test_no_cell_is_a_dump_of_fields(report):
    for path in report.glob("stories/*.html"):
        cells = re.findall(r"<td[^>]*>(.*?)</td>", path.read_text())
        assert not [cell for cell in cells if re.search(r"[{}\[\]]|contact: |alleleCount", cell)]
        assert max(map(len, cells)) < 250, path


def test_a_failed_check_shows_the_countries_that_differ():
    counts = {f"C{letter}": 7 for letter in "ABCDEFGHIJKLMNOPQRST"}
    check = {"name": "counts", "expected": counts, "observed": counts | {"CH": 8}, "passed": False}
    table = check_table("Checks.", [check, check | {"observed": counts, "passed": True}], {})
    assert table.rows == [
        ("counts", "CH: 7", "CH: 8", "FAILED"),
        ("counts", "20 countries", "20 countries", "passed"),
    ]


def test_a_question_that_failed_and_a_node_that_refused_are_told(full, summary, tmp_path):
    (story,) = (one for one in full.stories if one["name"] == "rare")
    refused = {"state": "refused", "latency_ms": 40.1, "reason": "no right to ask"}
    match, variant, gene = story["questions"]
    check = {"name": "the question was asked", "expected": "an answer", "observed": "no"}
    nothing = {"request": None, "countries": {}, "joined": {}, "stayed_home": ""}
    changed = story | {
        "passed": False,
        "checks": [check | {"passed": False}],
        "questions": [
            match | nothing | {"checks": [check | {"passed": False}]},
            variant | {"countries": variant["countries"] | {"FI": refused}},
            gene | {"kind": "a kind of somebody else"},
        ],
    }
    write_report(tmp_path, summary, replace(full, stories=[changed]))
    text = words(tmp_path / "stories/rare.html")
    assert "1 check failed." in text
    assert "Nothing came back." in text
    assert "4 nodes answered, 1 refused." in text
    assert "refused: no right to ask" in text
    assert "exists: yes, count: 145" in text


def test_load_growth_and_faults_are_on_the_first_page(report):
    text = words(report / "index.html")
    assert "The network met its objective up to 16 queries per second to all nodes." in text
    assert "with the exponent 0.50" in text
    assert "this machine has no /dev/net/tun" in text
    assert "killed nothing is lost yes" in text


def test_the_catalogue_lists_datasets_and_the_survey(report):
    text = words(report / "catalogue.html")
    assert "GDI-FI-REHEARSAL-1" in text
    assert "GDI-EU-EXPORT-1 several countries" in text
    assert "about 100 people" in text  # exported copies are not counted again
    assert "Purpose of collection other: a simulation" in text


def test_junit_has_a_case_for_every_query_and_check(full, summary, tmp_path):
    answers = full.answers.copy()
    row = answers.index[(answers["query"] == "presence-001") & (answers["node"] == "FI")][0]
    answers.loc[row, ["verdict", "observed"]] = ["wrong", "4"]
    write_junit(tmp_path / "junit.xml", summary, answers, CODES)
    root = ElementTree.parse(tmp_path / "junit.xml").getroot()
    suites = {suite.get("name"): suite for suite in root}
    assert suites["federation"].get("tests") == "6"
    assert suites["federation"].get("failures") == "1"
    failure = suites["federation"].find("testcase[@name='presence-001']/failure")
    assert failure.get("message") == "FI gave a wrong answer: 4 instead of 3 (query presence-001)"
    assert "FI: wrong; expected 3, observed 4" in failure.text
    assert suites["qs02"].get("failures") == "0"
    assert suites["story.rare"].get("tests") == "13"
    assert suites["checks"].find("testcase/failure").text == "expected 4, observed 5"


def test_the_page_of_a_node_of_others_says_what_it_lacks_and_that_no_delay_was_added(
    full, summary, tmp_path
):
    answers = full.answers.copy()
    row = answers.index[(answers["query"] == "presence-001") & (answers["node"] == "FI")][0]
    answers.loc[row, ["verdict", "missing"]] = ["incomplete", "frequencies of women"]
    tables = replace(full, answers=answers, foreign=["FI"])
    write_report(tmp_path, summary, tables)
    text = words(tmp_path / "countries/FI.html")
    assert "no delay was added: someone else runs this node" in text
    assert "It answered every query correctly." in text
    assert "frequencies of women 1" in text
    assert "no delay was added" not in words(tmp_path / "countries/ES.html")
    assert "no delay: run by others" in words(tmp_path / "index.html")
