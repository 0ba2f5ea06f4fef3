"""What ``rehearsal check`` cannot ask is told in one line. Its answers: tests/system."""

import pytest

from rehearsal.cli import main

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
        ([NOBODY, "--place", "SE"], "--place: expected one of ES, FI, pooled, found 'SE'"),
        (
            [NOBODY, "--token-variable", "NOT_THERE"],
            "NOT_THERE: expected a bearer token for pooled, found nothing",
        ),
    ],
)
def test_what_cannot_be_asked_is_one_line(dataset, capfd, options, message):
    assert message in refusal(capfd, *options, "--truth", dataset / "truth")


def test_a_folder_without_the_truth_is_one_line(tmp_path, capfd):
    line = refusal(capfd, NOBODY, "--truth", tmp_path)
    assert "queries.json: file: expected the known answers of a dataset" in line
