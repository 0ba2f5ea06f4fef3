"""What a terminal and a file see of the stages of a dataset, and the progress within long ones."""

import io
import os
import re
from functools import partial

import pytest

from rehearsal import logs
from rehearsal.compiled_code import compilations_told_to
from rehearsal.dataset import progress
from rehearsal.dataset.progress import StageProgress
from rehearsal.export import genotypes
from rehearsal.genomes.carriers import carrier_chunks
from rehearsal.truth import decoded_genotypes


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def stages(stream, clock):
    stage = StageProgress(stream)
    stage("simulate")
    for number in range(8):
        clock[0] += 3
        stage.tell(f"{number} of 8 blocks")
    stage.end()
    return stream.getvalue()


def test_a_file_gets_a_line_in_ten_seconds(clock):
    assert stages(io.StringIO(), clock).splitlines() == [
        "simulate: 3 of 8 blocks",
        "simulate: 7 of 8 blocks",
        "simulate: 24.0 s",
    ]


def test_a_terminal_shows_the_last_line_in_place(clock):
    seen = stages(Terminal(), clock)
    assert "\n" not in seen[:-1]
    assert seen.split("\r\x1b[K")[-2:] == ["simulate: 7 of 8 blocks ...", "simulate: 24.0 s\n"]


def test_simulation_exports_and_truth_say_how_far_they_are(made, tmp_path, monkeypatch):
    heard = []
    regions = ["chr22:20000000-20010000", "chr21:20000000-20010000"]
    monkeypatch.setattr(decoded_genotypes, "COPIES_AT_A_TIME", 6 * 20)  # for 20 sites
    monkeypatch.setattr(genotypes, "carrier_chunks", partial(carrier_chunks, max_sites=20))
    monkeypatch.setattr(logs.Progress.__init__, "__defaults__", (0.0,))
    with logs.progress_told_to(heard.append):
        made(tmp_path / "OUT", people={"FI": 6}, regions=regions, plant={}, formats=["vcf"])
    assert any(line.startswith("10,000 of 20,000 bases, ") for line in heard)
    first = [line for line in heard if re.match(r"20 of \d+ sites.* left$", line)]
    assert sum(" sites of chr22, " in line for line in first) == 1  # the truth
    assert sum(" sites, " in line for line in first) >= 1  # the VCF


def test_a_live_line_is_no_wider_than_the_terminal_and_notes_have_their_own(clock, monkeypatch):
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: os.terminal_size((60, 24)))
    monkeypatch.setattr(logs, "_NOTED", [])
    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setattr(logs._NOTES, "handlers", [])
    logs.show_notes()
    stage = StageProgress(stream)
    with logs.notes_begin_with(stage.end_line):
        stage("simulate chr7:117400000-117600000 (1 of 1)")
        stage.tell("ancestry of chr7:117400000-117600000, 44 edges; next: mutations")
        logs.note("a note")
        logs.note("a note")  # said once
    shown = stream.getvalue().split("\r\x1b[K")
    assert max(map(len, shown)) <= 59
    assert shown[-1] == "Note: a note\n"
    assert shown[-2].endswith("...")


def test_a_stage_says_that_it_compiles(clock):
    numba = pytest.importorskip("numba")
    stream = Terminal()
    stage = StageProgress(stream)
    with compilations_told_to(stage.tell_compiling):
        stage("simulate")
        numba.njit(lambda one: one + 1)(1)
        stage("truth")
    stage.end()
    lines = stream.getvalue().split("\r\x1b[K")
    assert "simulate: compiling <lambda> ..." in lines
    assert "simulate: 0.0 s, compiling included\n" in lines and lines[-1] == "truth: 0.0 s\n"
