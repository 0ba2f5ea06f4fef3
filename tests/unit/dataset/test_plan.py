"""Orders for datasets that cannot be met end in one line before any work; sharing out carriers."""

import os
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.cli import main
from rehearsal.dataset import build
from rehearsal.dataset.carriers import apportion
from rehearsal.logs import note

TINY = ["--country", "FI=6", "--region", "chr22:20000000-20050000"]


def refusal(capfd, *arguments):
    with pytest.raises(SystemExit) as ended:
        main(["dataset", *map(str, arguments)])
    assert ended.value.code == 2
    (line,) = capfd.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--country", "XX=5"], "--country: expected a country of the configuration (AT, "),
        (
            ["--country", "FI"],
            "rehearsal dataset: --country: expected CODE=PEOPLE, found 'FI'; see ",
        ),
        (["--country", "FI=0"], "--country FI: expected at least 1 person, found 0"),
        (
            ["--country", "FI=5", "--country", "FI=6"],
            "--country FI: expected this option once for each name, found it twice",
        ),
        (
            ["--region", "chr22"],
            "--country: expected CODE=PEOPLE, or the option --preset, found nothing",
        ),
        ([*TINY, "--formats", "vcf,word"], "--formats: expected one of bcf, vcf"),
        ([*TINY, "--formats", ","], "--formats: expected at least one format, found nothing"),
        ([*TINY, "--formats", "reads"], "found 'reads' (a format that only a run makes)"),
        ([*TINY, "--trait", "luck"], "rehearsal dataset: --trait: expected some of height, bmi"),
        (
            [*TINY, "--plant", "BRCA1=1"],
            "--plant: expected a planted variant of the configuration (BRCA1:c.68_69del",
        ),
        ([*TINY, "--plant", "BRCA1:c.181C>G=1"], "expected T at c.181 of NM_007294.4, found C"),
        ([*TINY, "--plant", "BRCA1:p.Gly61Cys=1"], "expected C at 61 of NP_009225.1, found "),
        ([*TINY, "--plant", "chr99-5-A-C=1"], "expected a contig of GRCh38, found 'chr99'"),
        ([*TINY, "--plant", "chr22-99999999-A-C=1"], "expected a position from 1 to 50818468"),
        (
            [*TINY, "--plant", "chrM-3243-A-G/chrM-3243-A-G=1"],
            "expected a variant with two copies, found one on chrM",
        ),
        (
            [*TINY, "--plant-family", "chr22-20001000-A-C=2"],
            "--plant-family chr22-20001000-A-C: expected at most 1 family of 4",
        ),
        ([*TINY, "--plant-age", "1"], "--plant-age: expected at least 10 generations, found 1"),
        (
            [*TINY, "--trait", "ldl", "--formats", "scores"],
            "--formats: expected a disease with a polygenic part among --trait",
        ),
        (
            [*TINY, "--plant", "BRCA1:c.5266dup=7"],
            "expected at most 6 carriers, the number of people left, found 7",
        ),
        ([*TINY, "--plant", "BRCA1:c.5266dup=0"], "expected at least 1 carrier, found 0"),
        (
            ["--country", "FI=6", "--region", "chr22:50000000-60000000"],
            "--region: chr22:50000000-60000000: expected an end of at most 50818468",
        ),
        (["--country", "FI=6", "--region", "chr99"], "--region: chr99: expected a contig"),
        (
            ["--country", "FI=1", "--region", "chrY:10000000-10050000"],
            "--region: expected no chrY, because nobody is a man (another --seed or more people",
        ),
        (
            [*TINY, "--recipient", "nobody.pub"],
            "--recipient: expected a Crypt4GH public key file, found 'nobody.pub'",
        ),
        ([*TINY, "--reference", "no.fa"], "--reference: expected an existing FASTA"),
    ],
)
def test_what_cannot_be_is_one_line_and_leaves_nothing(tmp_path, capfd, options, message):
    assert message in refusal(capfd, *options, tmp_path / "OUT")
    assert list(tmp_path.iterdir()) == []


def test_all_complaints_come_together_one_line_each(tmp_path, capfd):
    options = ["--country", "XX=5", "--country", "FI=0", "--region", "chr99", "--formats", "word"]
    options += ["--plant", "BRCA1=1", "--trait", "luck", "--plant-age", "0"]
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        main(["dataset", *options, str(tmp_path / "file" / "OUT")])
    lines = capfd.readouterr().err.splitlines()
    named = [line.split(": ")[1].split()[0] for line in lines]
    assert sorted(named) == [
        *("--country", "--country", "--formats", "--plant", "--plant-age"),
        *("--region", "--trait", "OUT"),
    ]


def test_a_negative_number_does_not_hide_other_complaints(tmp_path, capfd):
    options = ["--country", "NO=-1", "--country", "XX=3", "--region", "chr7:5-3", "--trait", "zzz"]
    with pytest.raises(SystemExit):
        main(["dataset", *options, "--formats", "plink", "--plant", "foo=2", str(tmp_path / "OUT")])
    lines = capfd.readouterr().err.splitlines()
    named = [line.split(": ")[1].split()[0] for line in lines]
    assert sorted(named) == [
        "--country",
        "--country",
        "--formats",
        "--plant",
        "--region",
        "--trait",
    ]
    assert any("--country NO: expected at least 1 person, found -1" in line for line in lines)


def test_a_folder_that_is_not_empty_is_refused(tmp_path, capfd):
    (tmp_path / "mine").touch()
    line = refusal(capfd, *TINY, tmp_path)
    assert (
        f"OUT: expected a new or empty folder, because no file is replaced, found {tmp_path}"
        in line
    )


def test_a_variant_that_the_reference_contradicts_is_refused(tmp_path, capfd):
    fasta = tmp_path / "chr17.fa"
    fasta.write_text(">chr17\n" + "A" * 83_257_441 + "\n")
    (tmp_path / "chr17.fa.fai").write_text("chr17\t83257441\t7\t83257441\t83257442\n")
    options = ["--country", "FI=6", "--region", "chr17:43040000-43158000"]
    options += ["--plant", "BRCA1:c.5266dup=1", "--reference", fasta]
    line = refusal(capfd, *options, tmp_path / "OUT")
    assert "BRCA1 c.5266dup" in line
    assert "expected the bases of the reference at this position, A, as REF, found T" in line
    assert not (tmp_path / "OUT").exists()


def test_no_room_on_the_disk_is_known_before_the_work(tmp_path, capfd, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(100, 99, 1))
    line = refusal(capfd, *TINY, tmp_path / "OUT")
    assert "OUT: expected about 0.0 GB of free disk space" in line


def test_what_is_no_folder_cannot_hold_one(tmp_path, capfd):
    (tmp_path / "file").touch()
    line = refusal(capfd, *TINY, tmp_path / "file" / "OUT")
    assert "OUT: expected a folder that can be made, found" in line
    assert f"in {tmp_path / 'file'}, where nothing can be written" in line


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc")
def test_a_folder_without_a_disk_is_known_before_the_work(capfd):
    """Root may write anywhere, but /proc keeps no files."""
    line = refusal(capfd, *TINY, "/proc/OUT")
    assert (
        "OUT: expected a folder that can be made, found /proc/OUT in /proc, where nothing" in line
    )


def test_a_loop_of_links_and_a_long_name_are_known_before_the_work(tmp_path, capfd):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    for name in ("loop", "loop/OUT", "x" * 250, "x" * 300):
        line = refusal(capfd, *TINY, tmp_path / name)
        assert "OUT: expected a folder that can be made, found" in line


def test_a_disk_that_fills_up_on_the_way_is_one_line_and_leaves_nothing(
    tmp_path, capfd, monkeypatch
):
    def fail(plan, folder):
        raise OSError("no space left")

    monkeypatch.setattr(build, "write_metadata", fail)
    with pytest.raises(SystemExit) as ended:
        main(["dataset", *TINY, str(tmp_path / "OUT")])
    assert ended.value.code == 2
    line = capfd.readouterr().err
    assert "rehearsal dataset: OUT: expected a folder that can be written, found" in line
    assert "where writing failed and all was removed (no space left)" in line
    assert os.listdir(tmp_path) == []  # noqa: PTH208 - hidden ones too


@given(st.dictionaries(st.text(min_size=1), st.integers(0, 50), min_size=1), st.data())
def test_carriers_are_dealt_out_whole_and_within_the_room(room, data):
    if not sum(room.values()):
        return
    total = data.draw(st.integers(1, sum(room.values())))
    dealt = apportion(total, room)
    assert sum(dealt.values()) == total
    assert all(0 <= dealt[code] <= room[code] for code in room)


def test_notes_about_inputs_are_shown_once(monkeypatch, capsys):
    def command(order, out, is_compiled):
        note("contig 22 is read as chr22")
        note("contig 22 is read as chr22")

    monkeypatch.setattr("rehearsal.dataset.build.dataset_command", command)
    monkeypatch.setattr("rehearsal.compiled_code.has_compiled_code", lambda: True)
    main(["dataset", "--preset", "tiny", "OUT"])
    assert capsys.readouterr().err == "Note: contig 22 is read as chr22\n"


def test_the_first_call_says_that_it_compiles(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr("rehearsal.dataset.build.make_dataset", lambda plan, out, _: out.mkdir())
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    main(["dataset", "--preset", "tiny", str(tmp_path / "one")])
    assert capsys.readouterr().err.startswith("Note: this first call compiles code")
    (tmp_path / "draw.nbi").touch()
    main(["dataset", "--preset", "tiny", str(tmp_path / "two")])
    assert "compiles" not in capsys.readouterr().err


def test_a_refused_order_says_nothing_of_compiling(tmp_path, capfd, monkeypatch):
    monkeypatch.setattr("rehearsal.compiled_code.has_compiled_code", lambda: False)
    line = refusal(capfd, *TINY, "--formats", "mini-node", tmp_path / "OUT")
    assert line.endswith("beacon, tables, omop, scores, gwas, found 'mini-node'")
