"""The command ``rehearsal``: what it makes, and the one form of its errors."""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

import pysam
import pytest

from rehearsal.cli import build_parser, main
from rehearsal.errors import InputError
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.intake.people_table import read_individuals
from rehearsal.node.server import open_node

VCF = """##fileformat=VCFv4.3
##contig=<ID=chr22,length=50818468>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT A B
chr22 20000001 . A G . . . GT 0/1 1/1
chr22 20000005 . C T . . . GT 0/1 0/0
"""
UNDEFAULTED = {"help", "version", "target", "part"}  # --target, --part: required without faults
PEOPLE = "id\tsex\tbirth_year\nA\tfemale\t1950\nB\tmale\t1990\n"


@pytest.fixture
def mine(tmp_path):
    """A folder with a user's own VCF and the table of its people."""
    lines = [line if "##" in line else line.replace(" ", "\t") for line in VCF.splitlines()]
    (tmp_path / "mine.vcf").write_text("\n".join(lines) + "\n")
    (tmp_path / "people.tsv").write_text(PEOPLE)
    return tmp_path


def build(mine, *more):
    files = ["--vcf", mine / "mine.vcf", "--individuals", mine / "people.tsv"]
    options = ["--country", "FI", "--name", "Finland", "--out", mine / "node", *more]
    main(["node", "build", *map(str, [*files, *options])])


def refusal(capfd, call, *arguments):
    """Call a command that must end with exit status 2, and return its lines on stderr."""
    with pytest.raises(SystemExit) as ended:
        call(*arguments)
    assert ended.value.code == 2
    lines = capfd.readouterr().err.splitlines()
    assert not any("Traceback" in line for line in lines)
    return lines


def test_a_folder_built_from_a_vcf_can_be_served(mine, capfd):
    build(mine)
    assert "node: 2 variants of 2 people" in capfd.readouterr().out
    node = open_node(mine / "node")
    assert (node.settings.country_code, node.settings.country_name) == ("FI", "Finland")
    assert [(row.start, row.total.ac) for row in node.variants] == [
        (20_000_000, 3),
        (20_000_004, 1),
    ]
    assert node.people.record(0)["birth_year"] == 1950
    assert node.people.record(1)["sex"] == "male"


def test_an_open_node_shows_everything_and_is_made_on_demand_only(mine, capfd):
    build(mine)
    access = open_node(mine / "node").settings.access
    assert access.without_consent == "exclude"
    assert set(access.protected_tiers()) == {"public", "registered"}
    shutil.rmtree(mine / "node")
    build(mine, "--access", "open")
    assert "for synthetic people only" in capfd.readouterr().out
    node = open_node(mine / "node")
    assert node.settings.access.protected_tiers() == {}
    assert node.settings.access.without_consent == "include"
    assert {one.record for one in node.settings.access.datasets.values()} == {"public"}


def test_a_vcf_that_cannot_be_read_is_one_line(mine, capfd):
    (mine / "mine.vcf").write_text("this is no VCF\n")
    (line,) = refusal(capfd, build, mine)
    assert "mine.vcf: file: " in line
    assert "a readable VCF" in line
    assert not (mine / "node" / "node.yaml").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "sex",
            "gender",
            "people.tsv: columns: expected a column sex, found id, gender, birth_year",
        ),
        ("\tmale", "\tM", "row 2: sex: expected female or male, found 'M'"),
        ("B\t", "\t", "row 2: id: expected a text that is not empty, found ''"),
        ("B\t", "A\t", "id: expected each id once, found 'A' twice"),
        ("1990", "", "row 2: birth_year: expected a year like 1970, found ''"),
        ("A\tfemale\t1950\nB\tmale\t1990\n", "", "rows: expected at least one person, found none"),
        (
            "B\t",
            "C\t",
            "expected samples that are ids of the individuals table, found the unknown sample 'B'",
        ),
    ],
)
def test_a_wrong_table_of_people_is_one_line(mine, capfd, old, new, message):
    assert old in PEOPLE
    (mine / "people.tsv").write_text(PEOPLE.replace(old, new, 1))
    (line,) = refusal(capfd, build, mine)
    assert message in line


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.tsv", None, "file: expected a readable Parquet or TSV file, found"),
        ("a.tsv", b"\xff", "file: expected a readable Parquet or TSV file, found"),
        ("a.tsv", b"", "columns: expected a column id, found no columns"),
    ],
)
def test_a_table_of_people_that_cannot_be_read_is_named(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: {message}"):
        read_individuals(tmp_path / name)


def test_people_are_read_from_parquet_as_from_a_table(mine):
    from_tsv = read_individuals(mine / "people.tsv")
    from_tsv.to_parquet(mine / "people.parquet")
    assert read_individuals(mine / "people.parquet").equals(from_tsv)
    (mine / "people.parquet").write_text(PEOPLE)
    with pytest.raises(InputError, match="file: expected a readable Parquet"):
        read_individuals(mine / "people.parquet")


@pytest.mark.parametrize("country", ["fi", "FIN", "../FI", ""])
def test_a_country_is_a_code_of_two_letters(mine, capfd, country):
    (line,) = refusal(capfd, build, mine, "--country", country)
    expected = "rehearsal node build: --country: expected a country code of two capital letters"
    assert line == f"{expected}, found {country!r}"


def test_a_compressed_vcf_needs_no_index_and_htslib_keeps_quiet(mine, capfd):
    pysam.tabix_compress(str(mine / "mine.vcf"), str(mine / "mine.vcf.gz"))
    build(mine, "--vcf", mine / "mine.vcf.gz")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [
        *[
            ("node serve here", option, value)
            for option in ("--delay-ms", "--bandwidth-mbps")
            for value in ("-1", "nan", "inf", "far")
        ],
        ("node serve here", "--bandwidth-mbps", "0"),
        *[
            (command, "--port", value)
            for command in ("node serve here", "network serve --nodes here", "issuer serve here")
            for value in ("-1", "65536", "http")
        ],
        ("query http://localhost g_variants", "--deadline-s", "0"),
    ],
)
def test_numbers_that_cannot_be_are_refused_in_one_line(capfd, command, option, value):
    (line,) = refusal(capfd, main, [*command.split(), f"{option}={value}"])
    (command,) = re.findall(r"^(node serve|network serve|issuer serve|query)", command)
    assert line.startswith(f"rehearsal {command}: {option}: expected a ")
    assert line.endswith(f", found '{value}'; see rehearsal {command} --help")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "rehearsal: COMMAND: expected one of node, network"),
        ("fly", "rehearsal: COMMAND: expected one of node, network"),
        (
            "node",
            "node: COMMAND: expected one of build, serve, admit, withdraw, contact, digest, "
            "identity, airlock, found nothing",
        ),
        (
            "node fly",
            "node: COMMAND: expected one of build, serve, admit, withdraw, contact, digest, "
            "identity, airlock, found 'fly'",
        ),
        (
            "node build",
            "rehearsal node build: --vcf, --individuals, --country, --out: expected values",
        ),
        ("node serve", "rehearsal node serve: FOLDER: expected a value, found nothing"),
        ("node serve . --prt 5", "rehearsal node serve: --prt: expected an option of this command"),
        ("node serve . 5", "rehearsal node serve: 5: expected an argument of this command, found"),
        ("node serve . --port", "rehearsal node serve: --port: expected a value, found nothing"),
        (
            "node serve . --port 99999",
            "--port: expected a whole number from 0 to 65535, found '99999'",
        ),
        ("dataset", "rehearsal dataset: OUT: expected a value, found nothing"),
        ("dataset . --preset big", "--preset: expected one of tiny, small, chr22, found 'big'"),
        ("dataset . --seed x", "rehearsal dataset: --seed: expected a whole number, found 'x'"),
        ("query u p --json=1", "rehearsal query: --json: expected no value, found '1'"),
        ("query u p --p 1", "rehearsal query: --p: expected one of --partial, --purpose, found"),
        ("token f --country FI --lifetime-s 0", "expected a whole number of at least 1, found '0'"),
        ("token f --country ßß", "--country: expected a country code of two letters, found 'ßß'"),
        (
            "query nourl info",
            "rehearsal query: URL: expected a URL http(s)://HOST/... without user",
        ),
        ("token f --country FIN", "rehearsal token: --country: expected a country code of two"),
        ("token f --country FI --grant=", "--grant: expected a text that is not empty, found ''"),
        ("token f --country FI --audience=", "token: --audience: expected a text that is not"),
        (
            "issuer init /none --url=no_url",
            "rehearsal issuer init: --url: expected a URL http(s)://HOST/... without user",
        ),
        (
            "query http://localhost p --body f a=b",
            "rehearsal query: --body: expected a body or parameters KEY=VALUE, because each",
        ),
        ("bench", "rehearsal bench: --target: expected a value, or the command rehearsal bench f"),
    ],
)
def test_a_wrong_command_line_is_refused_in_one_line(capfd, arguments, message):
    (line,) = refusal(capfd, main, arguments.split())
    assert message in line
    assert line.count(": expected ") == 1
    assert line.count(", found ") == 1


def test_output_that_cannot_be_written_is_refused_in_one_line(mine, capfd):
    (mine / "file").write_text("")
    for out in ("file/node", "loop"):
        (mine / "loop").unlink(missing_ok=True)
        (mine / "loop").symlink_to(mine / "loop")
        (line,) = refusal(capfd, build, mine, "--out", str(mine / out))
        expected = "rehearsal node build: --out: expected a folder that can be made, found"
        assert line.startswith(f"{expected} {mine / out}")
    (line,) = refusal(capfd, main, ["issuer", "init", str(mine / "file" / "issuer")])
    expected = "rehearsal issuer init: FOLDER: expected a folder that can be made, found"
    assert line.startswith(f"{expected} {mine / 'file' / 'issuer'}")


def test_an_error_of_the_system_names_the_command(mine, capfd, monkeypatch):
    def fail(*_):
        raise PermissionError(13, "Permission denied", str(mine / "node"))

    monkeypatch.setattr("rehearsal.node.vcf_import.build_node", fail)
    (line,) = refusal(capfd, build, mine)
    expected = "expected a file or folder that can be read and written"
    found = "found an error (Permission denied)"
    assert line == f"rehearsal node build: {mine / 'node'}: {expected}, {found}"


def test_a_node_is_not_built_over_files(mine, capfd):
    (mine / "node").mkdir()
    build(mine)  # an empty folder is no obstacle
    (line,) = refusal(capfd, build, mine)
    expected = "rehearsal node build: --out: expected a new or empty folder"
    assert line.startswith(expected)
    assert line.endswith(f"found {mine / 'node'}, a folder with files in it")


def test_a_folder_that_could_not_be_built_leaves_nothing(mine, capfd):
    (mine / "mine.vcf").write_text((mine / "mine.vcf").read_text().replace("1/1", "7/1"))
    refusal(capfd, build, mine, "--out", str(mine / "new" / "node"))
    assert not (mine / "new").exists()


def test_an_endpoint_file_that_cannot_be_written_ends_the_server(mine, capfd):
    main(["issuer", "init", str(mine / "issuer")])
    (mine / "file").write_text("")
    endpoint = mine / "file" / "endpoint.json"
    command = [sys.executable, "-m", "rehearsal", "issuer", "serve", str(mine / "issuer")]
    ended = subprocess.run(
        [*command, "--endpoint-file", str(endpoint)], capture_output=True, text=True, timeout=60
    )
    assert ended.returncode == 2
    assert f"{endpoint}: file: expected a file that can be written, found an error" in ended.stderr
    assert "Traceback" not in ended.stderr


def all_parsers(parser):
    """A parser and the parsers of all its sub-commands."""
    yield parser
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                yield from all_parsers(below)


def test_every_command_and_every_argument_explains_itself():
    for parser in all_parsers(build_parser()):
        assert parser.description, parser.prog
        for action in parser._actions:
            is_commands = isinstance(action, argparse._SubParsersAction)
            assert is_commands or action.help, f"{parser.prog} {action.dest}"
            if action.option_strings and not action.required and action.dest not in UNDEFAULTED:
                assert "default" in action.help, f"{parser.prog} {action.dest}"
        assert parser.format_help().isascii()


def test_an_issuer_is_made_once_and_its_keys_are_never_replaced(tmp_path, capfd):
    folder = tmp_path / "issuer"
    folder.mkdir()
    main(["issuer", "init", str(folder)])
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = ["issuer", "init", str(folder), "--url", "https://other.example"]
    (line,) = refusal(capfd, main, again)
    assert (
        f"FOLDER: expected a new or empty folder, because no file is replaced, found {folder}"
        in line
    )
    (folder / "issuer.json").unlink(missing_ok=True)
    refusal(capfd, main, again)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert kept.items() <= made.items()
    (tmp_path / "file").touch()
    refusal(capfd, main, ["issuer", "init", str(tmp_path / "file")])


def test_a_reader_that_has_enough_is_no_traceback(mine):
    """The pipe is closed before anything is printed, as in ``rehearsal ... | head``."""
    command = [sys.executable, "-m", "rehearsal", "audit", "verify", str(mine / "audit.jsonl")]
    AuditLog(mine / "audit.jsonl").close()
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_the_fit_of_the_model_has_packaged_defaults_in_any_folder(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr("rehearsal.demography.fit.fit_command", lambda *given: asked.append(given))
    monkeypatch.chdir(tmp_path)
    main(["europe", "fit", "--fst", "fst.tsv", "--pca", "pca.tsv", "--out", "fitted.yaml"])
    countries, start = asked[0][:2]
    assert len(countries) == 28
    assert start.is_file()


def test_the_check_of_a_log_says_which_lines_are_elsewhere(tmp_path, capsys):
    log = AuditLog(tmp_path / "audit.jsonl", segment_size=300)
    for _ in range(3):
        log.append({"rule": "x" * 200}, {"rule": "y" * 200})
    oldest = min(tmp_path.glob("audit-*.jsonl"))
    *_, end = oldest.read_text().splitlines()
    oldest.rename(tmp_path / "archived")
    main(["audit", "verify", str(tmp_path / "audit.jsonl")])
    whole, part = capsys.readouterr().out.splitlines()
    assert whole.startswith(f"{tmp_path / 'audit.jsonl'}: 8 lines, head ")
    before = json.loads(end)["hash"]
    assert part.endswith(
        f": lines 3 to 8 were verified; lines 1 to 2, elsewhere, must end with {before}"
    )
