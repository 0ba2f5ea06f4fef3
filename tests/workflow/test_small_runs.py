"""Whatever a run has little of, it ends with its page and its verdict."""

import re
import socket
import sys
from contextlib import contextmanager, nullcontext

import pytest
import yaml

from rehearsal.network.launcher import running_nodes
from rehearsal.node.runtime_files import served_copy

from .processes import made_once
from .small_runs import (
    ROOT,
    check_failed,
    check_passed,
    copy_of,
    run,
    settings,
)

STUB = ROOT / "tests/system/foreign_stub.py"
MAKEFILE = (ROOT / "Makefile").read_text()
pytestmark = [pytest.mark.workflow, pytest.mark.timeout(600)]


# --- few countries, people and kinds of data ---


@pytest.mark.parametrize("country", ["FI", "CY", "MT"])
def test_a_run_of_one_country_passes(tmp_path, country):
    # analyses know nothing of one country that they do not know of another
    others = {} if country == "FI" else {"analyses": None}
    ended = run(tmp_path / "run", settings(countries=[country], **others))
    check_passed(ended)
    assert ended.summary["cohort"]["countries"] == 1
    assert f"network.asker: BE is left out, so {country} asks" in ended.said


def test_a_run_of_two_countries_with_x_and_a_variant_of_ones_own_passes(tmp_path):
    folder = tmp_path / "run"
    folder.mkdir()
    own = ("DGCR8", "own", "chr22", 20_100_001, "A", "G", "dose", "mine", "*=0.2", 0, "", "")
    table = (ROOT / "config/variants.tsv").read_text() + "\t".join(map(str, own)) + "\n"
    (folder / "variants.tsv").write_text(table)
    regions = ["chr22:20000000-20200000", "chrX:12800000-12900000"]
    config = settings(countries=["FI", "EE"], regions=regions, variants="variants.tsv")
    ended = run(folder, config)
    check_passed(ended)
    assert ended.summary["cohort"]["countries"] == 2
    assert re.search(r"DGCR8 own.*chr22:20,100,001 A&gt;G.*\*=0\.2", ended.page, re.DOTALL)


def test_a_run_of_five_people_a_country_passes(tmp_path):
    config = settings(countries=["BE", "ES", "IT"], cohort={"people_per_country": 5})
    ended = run(tmp_path / "run", config)
    check_passed(ended)
    assert ended.summary["cohort"]["individuals"] == 15


def test_a_run_without_autosomes_passes(tmp_path):
    config = settings(countries=["BE", "FI"], regions=["chrX:12800000-12900000"])
    check_passed(run(tmp_path / "run", config))


def test_a_run_without_cases_passes(tmp_path):
    """No planted variants, and no disease."""
    folder = tmp_path / "run"
    folder.mkdir()
    header = (ROOT / "config/variants.tsv").read_text().splitlines()[0]
    (folder / "variants.tsv").write_text(header + "\n")
    traits = yaml.safe_load((ROOT / "config/traits.yaml").read_text())
    for disease in traits["diseases"].values():
        disease.pop("genes", None)
        disease.pop("cumulative_risk", None)
    (folder / "traits.yaml").write_text(yaml.safe_dump(traits, sort_keys=False))
    config = settings(countries=["FI", "SE"], variants="variants.tsv", traits="traits.yaml")
    check_passed(run(folder, config))


# --- nodes of others ---


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A finished run of three countries, one for all processes of the tests."""
    config = settings(countries=["EE", "FI", "SE"])
    return made_once(tmp_path_factory, "small-run", lambda folder: run(folder, config))


def test_a_run_of_three_countries_passes(finished):
    check_passed(finished)
    assert "Planted variants" in finished.page
    assert "BRCA1 c.5266dup" in finished.page


def test_snakemakes_own_report_is_made_of_a_finished_run(finished, tmp_path):
    """By the command of ``make report``."""
    command = re.search(r"^report:.*\n\t\$\(BIN\)/snakemake (.+)$", MAKEFILE, re.MULTILINE)
    folder = copy_of(finished, tmp_path / "run")
    ended = run(
        folder, settings(countries=["EE", "FI", "SE"]), *command[1].replace("$(ARGS)", "").split()
    )
    assert ended.status == 0, ended.said[-3000:]
    html = (folder / "results/report/snakemake.html").read_text()
    rules = "".join(file.read_text() for file in (ROOT / "workflow/rules").glob("[!b]*.smk"))
    labels = re.findall(r'labels={"figure": "([^"]+)"}', rules)
    assert len(labels) > 8
    assert [label for label in labels if label not in html] == []


@contextmanager
def foreign_node(finished, folder, manner):
    """A node of somebody else for Finland: ours behind one that looks foreign."""
    copy = served_copy(finished.folder / "results/nodes/FI", folder / "theirs")
    with running_nodes({"FI": copy}, folder / "log") as (node,):

        def command(launch):
            return [sys.executable, str(STUB), node.url, str(launch.endpoint), manner]

        with running_nodes({"FI": folder}, folder / "front", 60, command) as (front,):
            yield front.url


def closed_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return nullcontext(f"http://127.0.0.1:{server.getsockname()[1]}")


def ask_with(finished, tmp_path, foreign, deadline_s=10, names=None, **others):
    """Ask the suite again, with a foreign node in place of Finland's."""
    folder = copy_of(finished, tmp_path / "run")
    with foreign as url:
        nodes = {"nodes": {"FI": {"url": url, "forward_token": True}}}
        (folder / "nodes.yaml").write_text(yaml.safe_dump(nodes))
        network = {"nodes": "nodes.yaml", "deadline_s": deadline_s}
        config = settings(countries=["EE", "FI", "SE"], network=network, **others)
        return run(folder, config, names=names)


def test_a_run_whose_foreign_node_is_down_fails_and_says_why(finished, tmp_path):
    ended = ask_with(finished, tmp_path, closed_port())
    check_failed(ended, r"FI did not answer: .*(refused|[Cc]annot connect).* \(\d+ queries\)")
    assert ended.summary["federation"]["nodes_expected"] == 3


def test_a_run_whose_foreign_node_is_slow_fails_and_says_why(finished, tmp_path):
    names = ("presence-common", "count-site", "individuals-sex")
    slow = foreign_node(finished, tmp_path / "node", "slow")
    ended = ask_with(finished, tmp_path, slow, deadline_s=3, names=names, analyses=None)
    check_failed(ended, r"FI was late: .* \(3 queries\)")


def test_a_run_whose_foreign_node_is_wrong_fails_and_says_why(finished, tmp_path):
    wrong = foreign_node(finished, tmp_path / "node", "lying")
    ended = ask_with(finished, tmp_path, wrong, analyses=None)
    check_failed(ended, r"FI gave a wrong answer: .*exists.* \(\d+ queries\)")


def test_a_run_whose_foreign_node_gives_less_passes(finished, tmp_path):
    names = ("presence-common", "frequency-common", "count-site", "individuals-sex", "range-1000")
    less = foreign_node(finished, tmp_path / "node", "honest")
    ended = ask_with(finished, tmp_path, less, names=names)
    check_passed(ended)
    assert ended.summary["federation"]["verdicts"]["incomplete"] > 0


# --- a table of one's own ---


def own_table(folder, number):
    """A table of countries: ours, and others near them with codes of their own."""
    folder.mkdir()
    header, *rows = (ROOT / "config/countries.tsv").read_text().splitlines()
    taken = {row.split("\t")[0] for row in rows}
    free = (f"{a}{b}" for a in "QXZYVWUJKO" for b in "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
    codes = [code for code in free if code not in taken][: number - len(rows)]
    more = [
        "\t".join([code, f"Land {code}", *rows[i % len(rows)].split("\t")[2:]])
        for i, code in enumerate(codes)
    ]
    (folder / "countries.tsv").write_text("\n".join([header, *rows, *more]) + "\n")
    return "countries.tsv"


@pytest.mark.parametrize("number", [60, 200])
def test_a_run_of_many_countries_of_ones_own_is_planned(tmp_path, number):
    table = own_table(tmp_path / "run", number)
    planned = run(tmp_path / "run", settings(countries=table), "--dry-run")
    assert planned.status == 0, planned.said[-3000:]
    assert re.search(rf"^build_variant_store +{number}$", planned.said, re.MULTILINE)


def test_the_default_configuration_with_few_countries_or_one_contig_is_planned(tmp_path):
    config = {"countries": ["ES", "IT", "DE"], "regions": ["chrX"]}
    planned = run(tmp_path / "run", config, "--dry-run")
    assert planned.status == 0, planned.said[-3000:]
    notes = [line for line in planned.said.splitlines() if line.startswith("Note: ")]
    assert len({note.split(":")[1] for note in notes}) == len(notes)
    assert any("stories: left out are cancer, common, rare" in note for note in notes)
    assert re.search(r"^ +\d+ min +[\d.]+ GB  .*simulate_block", planned.said, re.MULTILINE)
