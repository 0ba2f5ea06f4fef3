"""What a terminal and a file see of the stages of a dataset, and the progress within long ones."""

import io
from functools import partial

import pytest

from rehearsal import logs
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
    first = [line for line in heard if line.startswith("20 of ") and " sites of chr22, " in line]
    assert len(first) == 2 and all(line.endswith(" left") for line in first)  # VCF and truth
