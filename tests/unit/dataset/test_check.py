"""``rehearsal check``: what is wrong or missing in a Beacon's answers, and what it cannot ask."""

import re
import socket

import pytest

from rehearsal.cli import main
from rehearsal.evaluation.known_answers import read_queries
from rehearsal.logs import Progress

from ..foreign_beacon import foreign_beacon

NOBODY = "http://127.0.0.1:9"  # the discard service, which nobody runs


def refusal(capfd, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["check", *map(str, arguments)])
    assert ended.value.code == 2
    said = capfd.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([NOBODY], f"URL: expected a Beacon that answers, found no answer from {NOBODY} ("),
        (
            ["localhost"],
            "URL: expected a URL http(s)://HOST/... without user, password and query, found 'lo",
        ),
        ([NOBODY, "--people-url", "ftp://x"], "--people-url: expected a URL http(s)://HOST/..."),
        ([NOBODY, "--place", "SE"], "--place: expected one of ES, FI, pooled, found 'SE'"),
        (
            [NOBODY, "--token-variable", "NOT_THERE"],
            "NOT_THERE: expected a bearer token for pooled, found nothing",
        ),
        (
            [NOBODY, "--purpose", "health"],
            "--purpose: expected a purpose as in the header X-Rehearsal-Purpose, like DUO:0000006, "
            "found 'health'",
        ),
    ],
)
def test_what_cannot_be_asked_is_one_line(dataset, capfd, options, message):
    assert message in refusal(capfd, *options, "--truth", dataset / "truth")


def test_a_folder_without_the_truth_is_one_line(tmp_path, capfd):
    line = refusal(capfd, NOBODY, "--truth", tmp_path)
    assert "queries.json: file: expected the known answers of a dataset" in line


# --- Beacons of others, on real sockets ---


@pytest.fixture
def check(dataset, capfd):
    """Runs the command on a Beacon that answers for Finland; returns exit status and lines."""
    known = [(query, expected["FI"]) for query, expected in read_queries(dataset / "truth")]

    def run(*options, **manners):
        with (
            foreign_beacon(known, **manners) as beacon,
            foreign_beacon(known, serves=("individuals",)) as people,
        ):
            options = [people.url if one == "PEOPLE" else one for one in options]
            arguments = ["--truth", str(dataset / "truth"), "--place", "FI", *options]
            with pytest.raises(SystemExit) as ended:
                main(["check", beacon.url, *arguments])
        return ended.value.code, capfd.readouterr().out.splitlines()

    return run


def test_a_beacon_that_gives_everything_is_right(check):
    status, lines = check()
    assert status == 0
    assert re.match(r"(\d+) right of \1; judged ", lines[-1]), lines[-1]


@pytest.mark.parametrize(
    ("manners", "missing"),
    [
        ({"populations": {"_M": "M"}}, ["frequencies of all people", "frequencies of women"]),
        ({"fields": ("alleleFrequency",)}, ["numbers of alleles", "numbers by zygosity"]),
        ({"granularity": "boolean"}, ["count (numTotalResults)", "records"]),
        ({"populations": {"": "FI", "_F": "F", "_M": "M"}}, []),
        ({"methods": ("POST",)}, []),
        ({"methods": ("GET",)}, []),
    ],
)
def test_what_a_beacon_does_not_give_is_named_and_passes(check, manners, missing):
    status, lines = check(**manners)
    assert status == 0
    assert (" incomplete of " in lines[-1] or " incomplete, " in lines[-1]) == bool(missing)
    named = "\n".join(lines)
    for part in missing:
        assert f": {part} [" in named


@pytest.mark.parametrize(
    ("manners", "cause"),
    [
        ({"shift": 1}, "The positions in its records are 1-based, where Beacon counts from 0."),
        ({"missed": 1}, "Its numbers of alleles are wrong (alleleCount)."),
        (
            {"counts_datasets": True},
            "It counts its datasets instead of the entries in them (numTotalResults).",
        ),
        ({"serves": ("g_variants",)}, "It refuses: HTTP 404: no such entries"),
    ],
)
def test_answers_with_one_cause_are_told_together_in_a_sentence(check, manners, cause):
    status, lines = check(**manners)
    assert status == 1
    told = [line for line in lines if f": {cause} [" in line]
    assert len(told) == 1
    assert re.match(r"  \d+ answers?: ", told[0])


def test_people_may_have_an_address_of_their_own(check):
    status, lines = check("--people-url", "PEOPLE", serves=("g_variants",))
    assert status == 0, "\n".join(lines)


def test_a_hung_beacon_costs_a_deadline_for_each_query(dataset, capfd, monkeypatch):
    monkeypatch.setattr(Progress.__init__, "__defaults__", (0.0,))  # a line for each query
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = ["--truth", str(dataset / "truth"), "--place", "FI", "--deadline-s", "0.01"]
        with pytest.raises(SystemExit) as ended:
            main(["check", url, *options])
    assert ended.value.code == 2
    said = capfd.readouterr()
    assert "no answer from" in said.err
    assert re.match(r"Progress: 1 of \d+ queries, .*, about ", said.out)
