"""What the main process has read is what its jobs get, as long as nothing has changed."""

import copy
from pathlib import Path

import pytest
import yaml

from rehearsal.config.kept_inputs import keep_inputs, kept_inputs
from rehearsal.config.loader import Inputs

ROOT = Path(__file__).resolve().parents[3]
SOURCES = [ROOT / "config/config.yaml"]


@pytest.fixture
def config(tmp_path):
    config = yaml.safe_load(SOURCES[0].read_text())
    config["genome"]["recombination_map"] = f"{tmp_path}/{{contig}}.txt"
    (tmp_path / "chr22.txt").write_text("a map")
    (tmp_path / "stories").mkdir()
    config["stories"] = f"{tmp_path}/stories"
    return config


def test_inputs_are_kept_until_a_file_or_the_configuration_changes(config, tmp_path):
    inputs = Inputs([], {"AT": 5}, *([] for _ in range(9)))
    path = tmp_path / "hidden/kept.pickle"
    assert kept_inputs(config, SOURCES, path) is None
    keep_inputs(inputs, config, SOURCES, path)
    assert kept_inputs(copy.deepcopy(config), SOURCES, path) == inputs
    assert kept_inputs(config | {"seed": 1}, SOURCES, path) is None
    (tmp_path / "chr22.txt").write_text("a longer map")
    assert kept_inputs(config, SOURCES, path) is None
    keep_inputs(inputs, config, SOURCES, path)
    (tmp_path / "stories/mine.yaml").write_text("")
    assert kept_inputs(config, SOURCES, path) is None
    path.write_text("something else")
    assert kept_inputs(config, SOURCES, path) is None
