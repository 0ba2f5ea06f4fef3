"""The command ``rehearsal``: what it makes, and its one line for what it cannot use."""

import os
import subprocess
import sys

import pysam
import pytest

from rehearsal.cli import main
from rehearsal.errors import InputError
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.server import open_node
from rehearsal.node.vcf_import import read_individuals

VCF = """##fileformat=VCFv4.3
##contig=<ID=chr22,length=50818468>
##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">
#CHROM POS ID REF ALT QUAL FILTER INFO FORMAT A B
chr22 20000001 . A G . . . GT 0/1 1/1
chr22 20000005 . C T . . . GT 0/1 0/0
"""
PEOPLE = "id\tsex\tbirth_year\nA\tfemale\t1950\nB\tmale\t1990\n"


@pytest.fixture
def mine(tmp_path):
    """A folder with somebody's own VCF and the table of its people."""
    lines = [line if "##" in line else line.replace(" ", "\t") for line in VCF.splitlines()]
    (tmp_path / "mine.vcf").write_text("\n".join(lines) + "\n")
    (tmp_path / "people.tsv").write_text(PEOPLE)
    return tmp_path


def build(mine, *more):
    files = ["--vcf", mine / "mine.vcf", "--individuals", mine / "people.tsv"]
    options = ["--country", "FI", "--name", "Finland", "--out", mine / "node", *more]
    main(["node", "build", *map(str, [*files, *options])])


def refusal(capfd, call, *arguments):
    """The one line on stderr with which a command ends, its exit status being 2."""
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


def test_a_vcf_that_cannot_be_read_is_one_line(mine, capfd):
    (mine / "mine.vcf").write_text("this is no VCF\n")
    (line,) = refusal(capfd, build, mine)
    assert line.startswith("rehearsal: ")
    assert "mine.vcf: file: a readable VCF" in line
    assert not (mine / "node" / "node.yaml").exists()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sex", "gender", "people.tsv: sex: a column with this name"),
        ("\tmale", "\tM", "row 2: sex: female or male, not 'M'"),
        ("B\t", "\t", "row 2: id: text, not ''"),
        ("B\t", "A\t", "id: each person once, but A stands there twice"),
        ("1990", "", "row 2: birth_year: a year like 1970, not ''"),
        ("A\tfemale\t1950\nB\tmale\t1990\n", "", "id: at least one person"),
        ("B\t", "C\t", "sample B: an id of the individuals table"),
    ],
)
def test_a_wrong_table_of_people_is_one_line(mine, capfd, old, new, message):
    assert old in PEOPLE
    (mine / "people.tsv").write_text(PEOPLE.replace(old, new, 1))
    (line,) = refusal(capfd, build, mine)
    assert message in line


@pytest.mark.parametrize(
    ("name", "content"), [("no.tsv", None), ("a.tsv", b"\xff"), ("a.tsv", b"")]
)
def test_a_table_of_people_that_cannot_be_read_is_named(tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=rf"{name}: file: a readable Parquet or TSV"):
        read_individuals(tmp_path / name)


def test_people_are_read_from_parquet_as_from_a_table(mine):
    from_tsv = read_individuals(mine / "people.tsv")
    from_tsv.to_parquet(mine / "people.parquet")
    assert read_individuals(mine / "people.parquet").equals(from_tsv)
    (mine / "people.parquet").write_text(PEOPLE)
    with pytest.raises(InputError, match="file: a readable Parquet"):
        read_individuals(mine / "people.parquet")


@pytest.mark.parametrize("country", ["fi", "FIN", "../FI", ""])
def test_a_country_is_a_code_of_two_letters(mine, capfd, country):
    (line,) = refusal(capfd, build, mine, "--country", country)
    assert "--country: an ISO code like FI" in line


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
    assert f"argument {option}: expected" in line
    assert f"found {value}" in line


@pytest.mark.parametrize("arguments", [[], ["node"], ["node", "fly"], ["node", "build"]])
def test_a_command_that_is_not_whole_is_refused_in_one_line(capfd, arguments):
    (line,) = refusal(capfd, main, arguments)
    assert "--help" in line


def test_an_issuer_is_made_once_and_its_keys_are_never_replaced(tmp_path, capfd):
    folder = tmp_path / "issuer"
    folder.mkdir()
    main(["issuer", "init", str(folder)])
    made = {path.name: path.read_bytes() for path in folder.iterdir()}
    again = ["issuer", "init", str(folder), "--url", "https://other.example"]
    (line,) = refusal(capfd, main, again)
    assert "a new or an empty folder" in line
    (folder / "issuer.json").unlink(missing_ok=True)
    refusal(capfd, main, again)
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert kept.items() <= made.items()
    (tmp_path / "file").touch()
    refusal(capfd, main, ["issuer", "init", str(tmp_path / "file")])


def test_a_reader_that_has_enough_is_no_traceback(mine):
    """As with ``rehearsal ... | head``: the pipe is closed before anything is printed."""
    command = [sys.executable, "-m", "rehearsal", "audit", "verify", str(mine / "audit.jsonl")]
    AuditLog(mine / "audit.jsonl").close()
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")
