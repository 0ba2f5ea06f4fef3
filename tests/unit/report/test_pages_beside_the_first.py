"""The pages of countries, stories and datasets, and the files for machines."""

import html
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from rehearsal.policy.labels import read_labels
from rehearsal.policy.node_checks import CHECKS
from rehearsal.report.data_protection_page import data_protection_page
from rehearsal.report.figures.tornado import tornado_svg
from rehearsal.report.html_report import write_report
from rehearsal.report.junit import write_junit
from rehearsal.report.maturity_page import NOT_TRIED
from rehearsal.report.page_elements import expected_and_observed
from rehearsal.report.sheet_files import write_sheets
from rehearsal.report.story_pages import check_table

from ..simulated_blocks import CODES
from .conftest import LABELS, made_policy


def words(path: Path) -> str:
    """What a page says below its list of sections."""
    _, _, body = path.read_text().partition("<body>")
    unread = re.compile(r"<nav.*?</nav>|<script.*?</script>|<[^>]+>", re.S)
    return " ".join(html.unescape(unread.sub(" ", body)).split())


def test_every_link_leads_to_a_page_that_is_there(report):
    for page in report.rglob("*.html"):
        for target in re.findall(r'<a href="([^"#]+)', page.read_text()):
            if target.startswith("https://"):  # sources of what others publish
                assert page.name == "synthetic_datasets.html"
                continue
            file = (page.parent / target).resolve()
            assert file.is_file() and file.is_relative_to(report), (page, target)


def bare_run(full, summary):
    """The tables and the summary of a run without stories, bench, analyses and attacks."""
    bare = replace(full, stories=[], bench=None, analyses=None)
    return bare, summary | {"stories": {}, "privacy": {}} | made_policy(bare)


def ids_and_anchors(page: Path):
    text = page.read_text()
    return set(re.findall(r' id="([^"]+)"', text)), re.findall(r'<a href="([^"]*)#([^"]+)"', text)


@pytest.mark.parametrize("is_bare", [False, True])
def test_every_link_to_a_section_leads_to_one_that_is_there(full, summary, tmp_path, is_bare):
    tables, shown = bare_run(full, summary) if is_bare else (full, summary)
    write_report(tmp_path, shown, tables)
    write_sheets(tmp_path, shown, read_labels(LABELS))
    for page in tmp_path.rglob("*.html"):
        for target, section in ids_and_anchors(page)[1]:
            there = (page.parent / target) if target else page
            assert section in ids_and_anchors(there)[0], (page, target, section)


def test_what_a_run_did_not_do_is_not_measured_with_the_reason_and_no_cell_is_empty(
    full, summary, tmp_path
):
    tables, shown = bare_run(full, summary)
    write_report(tmp_path, shown, tables)
    write_sheets(tmp_path, shown, read_labels(LABELS))
    country = words(tmp_path / "countries/FI.html")
    for check, why in (
        ("matching", "the run has no stories"),
        ("faults", "the run has no bench"),
        ("attacks", "this node was not attacked"),
    ):
        assert f"{check} not measured {why}" in country
    assert "0 of 0" not in words(tmp_path / "maturity.html")
    assert "Not assessed: faults" in words(tmp_path / "data_protection.html")
    sheet = words(tmp_path / "sheets/SI.html")
    assert "Answers to doctors in other countries not asked in this run" in sheet
    topics = words(tmp_path / "sheets/topics.html")
    assert "Rare disease Not in this run: the part that shows it was left out." in topics
    for page in ("maturity", "data_protection", "costs", "economics", "catalogue", "countries/FI"):
        text = (tmp_path / f"{page}.html").read_text()
        assert not re.search(r"<t[dh](?: [^>]*)?>\s*</t[dh]>", text), page


def test_the_technical_files_of_evidence_are_named_and_where_they_are(report):
    for page in (report / "maturity.html", report / "countries/FI.html"):
        text = words(page)
        assert "in the folder of the results, beside that of the report." in text
        assert all(check.file in text for check in CHECKS.values())


def test_evidence_of_a_node_links_to_the_sections_that_show_it(report):
    html = (report / "countries/FI.html").read_text()
    sections = re.findall(r'href="#(\w+)"', html.partition('id="maturity"')[2])
    assert set(sections) >= {"answers", "stories", "datasets", "faults"}
    assert all(f'id="{section}"' in html for section in sections)


def test_the_evidence_sheet_gives_no_score_and_says_whose_node_it_is(
    full, summary, report, tmp_path
):
    text = words(report / "countries/FI.html")
    assert "the run's own synthetic node" in text
    assert "This is no score and says nothing of a real country." in text
    assert "Metadata of datasets 5 held metadata" in text
    others = summary | made_policy(full, foreign=["FI"])
    write_report(tmp_path / "others", others, full)
    text = words(tmp_path / "others/countries/FI.html")
    assert "a node that somebody else runs" in text
    assert f"Metadata of datasets 5 {NOT_TRIED} metadata" in text


def test_the_page_of_maturity_names_all_indicators_and_how_many_nodes_have_the_evidence(report):
    text = words(report / "maturity.html")
    assert "49 indicators" in text
    # the made-up run has one dataset, of Finland
    assert re.search(r"Metadata of datasets .* 5 1 of 1 ", text)
    assert "Careers are not software." in text


def test_uses_of_a_dataset_are_called_expected_shares_because_no_person_is_counted(report):
    page = words(report / "countries/FI.html")
    assert "Term Use Expected share of people" in page
    assert "so are these shares" in page
    catalogue = words(report / "catalogue.html")
    assert "Permitted uses (expected share of people)" in catalogue
    assert "only shares of exports are counted" in catalogue


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
    # five countries with 80, 15 and 5 people each
    assert "Usable for future research? 400 – 75 25" in text


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


def test_the_page_of_costs_says_what_is_from_memory(full, summary, tmp_path):
    costs = summary["costs"]
    write_report(tmp_path, summary, full)
    text = words(tmp_path / "costs.html")
    assert "13 of 19 prices and assumptions are from memory." in text  # in the headline
    assert "Gross domestic products of" not in text
    guessed = summary | {"costs": costs | {"gdp_from_memory": ["BE", "FI"], "from_memory": []}}
    write_report(tmp_path / "guessed", guessed, full)
    text = words(tmp_path / "guessed/costs.html")
    assert "products of 2 of 5 countries are from memory" in text
    assert "prices and assumptions are from memory" not in text


def test_the_chart_of_costs_reads_in_greyscale():
    drawing = tornado_svg([("reads", 1.0, 9.0), ("copies", 3.9, 4.1)], 4.0)
    greys = sorted(int(one[:2], 16) for one in set(re.findall(r"fill='#(\w{6})'", drawing)))
    assert all(f"#{grey:02x}{grey:02x}{grey:02x}" in drawing for grey in greys)
    assert len(greys) == 2 and greys[1] - greys[0] > 100
    labels = re.findall(r"<text [^>]*>([^<]+)</text>", drawing)
    assert labels == ["reads", "copies", "4 €", "1 €", "9 €"]
    near = re.findall(r"<text [^>]*>([^<]+)</text>", tornado_svg([("reads", 3.5, 9.0)], 4.0))
    assert near == ["reads", "4 €", "9 €"]  # no room for 3.5


def test_the_draft_on_data_protection_counts_subjects_and_shows_the_checks_of_measures(
    full, summary, tmp_path
):
    audit = {"name": "audit logs: all", "expected": 5, "observed": 4, "passed": False}
    attack = {"name": "membership: bound", "expected": "0.1", "observed": 0.07, "passed": True}
    shown = summary | {"checks": [audit, *summary["checks"]], "privacy": {}}
    write_report(tmp_path, shown, full)
    text = words(tmp_path / "data_protection.html")
    assert "A draft to edit." in text
    assert "Future research 400 500" in text  # 80 of 100 subjects in each of five countries
    assert "audit logs: all 5 4 failed" in text
    assert "planted carriers" not in text  # a check that protects nobody
    page = data_protection_page(shown | {"privacy": {"checks": [attack]}})
    table, *_ = next(one for one in page.sections if one.id == "measures").parts
    assert table.rows[0] == ("membership: bound", "0.1", "0.07", "passed")


def test_an_indicator_has_one_label_on_the_page_of_a_country_and_on_its_sheet(report, summary):
    assert "not measured" in summary["maturity"]["nodes"]["FI"]["indicators"].values()
    section = words(report / "countries/FI.html").partition("indicators have no evidence")[2]
    indicators = section.partition("What the checks found")[0]
    assert NOT_TRIED in indicators and "not measured" not in indicators
    assert read_labels(LABELS)["en"]["not_tried"] == NOT_TRIED


def test_only_a_passed_check_is_shown_with_few_digits():
    close = {"expected": 74.28947725175706, "observed": 74.28947725175745}
    assert expected_and_observed({**close, "passed": True}) == ("74.2895", "74.2895")
    assert expected_and_observed({**close, "passed": False}) == tuple(map(str, close.values()))
    whole = {"expected": 1234567, "observed": "held", "passed": True}
    assert expected_and_observed(whole) == ("1234567", "held")


def test_items_that_change_nothing_after_rounding_are_left_out_of_the_tables_of_costs(report):
    rows = re.findall(
        r"<tr><th scope=\"row\">[^<]*</th><td class=\"number\">([^<]*€)</td>"
        r"<td class=\"number\">([^<]*€)</td></tr>",
        re.sub(r"\s*(<[^>]+>)\s*", r"\1", (report / "costs.html").read_text()),
    )
    assert len(rows) > 5
    assert all(low != high for low, high in rows)
