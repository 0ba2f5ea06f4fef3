"""What the main process has read is what its jobs get, as long as nothing has changed."""

import copy
import logging
import os
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from rehearsal import logs
from rehearsal.config.inputs import Inputs
from rehearsal.config.kept_inputs import MOST, keep_inputs, kept_inputs

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [ROOT / "config/config.yaml"]
INPUTS = Inputs([], {"AT": 5}, *([] for _ in range(9)), {}, Path("countries.tsv"), None, [])


@pytest.fixture
def config(tmp_path):
    config = yaml.safe_load(SOURCES[0].read_text())
    config["genome"]["recombination_map"] = f"{tmp_path}/{{contig}}.txt"
    (tmp_path / "chr22.txt").write_text("a map")
    (tmp_path / "stories").mkdir()
    config["stories"] = f"{tmp_path}/stories"
    return config


def test_inputs_are_kept_until_a_file_or_the_configuration_changes(config, tmp_path):
    path = tmp_path / "hidden/kept.pickle"
    assert kept_inputs(config, SOURCES, path=path) is None
    keep_inputs(INPUTS, config, SOURCES, path=path)
    assert kept_inputs(copy.deepcopy(config), SOURCES, path=path) == INPUTS
    assert kept_inputs(config | {"seed": 1}, SOURCES, path=path) is None
    (tmp_path / "chr22.txt").write_text("a longer map")
    assert kept_inputs(config, SOURCES, path=path) is None
    keep_inputs(INPUTS, config, SOURCES, path=path)
    (tmp_path / "stories/mine.yaml").write_text("")
    assert kept_inputs(config, SOURCES, path=path) is None
    path.write_text("something else")
    assert kept_inputs(config, SOURCES, path=path) is None


def test_another_text_of_equal_size_and_time_counts_as_changed(config, tmp_path):
    path, file = tmp_path / "kept.pickle", tmp_path / "chr22.txt"
    before = file.stat()
    keep_inputs(INPUTS, config, SOURCES, path=path)
    time.sleep(0.02)  # the clock of a file system has steps of some milliseconds
    file.write_text("b map")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert kept_inputs(config, SOURCES, path=path) is None


def test_the_inputs_of_several_modules_are_kept_side_by_side(config, tmp_path):
    path, seeds = tmp_path / "kept.pickle", range(MOST + 1)
    for seed in seeds:
        inputs = replace(INPUTS, numbers={"AT": seed})
        keep_inputs(inputs, config | {"seed": seed}, SOURCES, path=path)
    found = [kept_inputs(config | {"seed": seed}, SOURCES, path=path) for seed in seeds]
    assert found[0] is None  # the file does not grow
    assert [one.numbers["AT"] for one in found[1:]] == [*seeds[1:]]


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write_is_not_read(config, tmp_path, mode):
    path = tmp_path / "kept.pickle"
    keep_inputs(INPUTS, config, SOURCES, path=path)
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(mode)
    assert kept_inputs(config, SOURCES, path=path) is None


def test_a_folder_that_cannot_be_written_is_no_error(config, tmp_path):
    (tmp_path / "file").write_text("")
    keep_inputs(INPUTS, config, SOURCES, path=tmp_path / "file/kept.pickle")
    assert kept_inputs(config, SOURCES, path=tmp_path / "file/kept.pickle") is None


def test_inputs_that_other_code_accepted_are_read_again(config, tmp_path):
    path = tmp_path / "kept.pickle"
    keep_inputs(INPUTS, config, SOURCES, "1.0", path)
    assert kept_inputs(config, SOURCES, "1.0", path) == INPUTS
    assert kept_inputs(config, SOURCES, "1.1", path) is None


def test_notes_about_kept_inputs_are_given_again(config, tmp_path, monkeypatch, capsys):
    path = tmp_path / "kept.pickle"
    monkeypatch.setattr(logs, "_NOTED", [])
    monkeypatch.setattr(logs._NOTES, "handlers", [logging.NullHandler()])  # not an earlier test's
    logs.note("a gene without a stop codon")
    keep_inputs(INPUTS, config, SOURCES, path=path)
    monkeypatch.setattr(logs, "_NOTED", [])
    logs.show_notes()
    kept_inputs(config, SOURCES, path=path)
    assert capsys.readouterr().err == "Note: a gene without a stop codon\n"
