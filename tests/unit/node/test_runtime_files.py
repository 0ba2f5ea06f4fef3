"""Serving a copy changes neither the node's folder nor its state folder."""

import shutil

import pytest
import yaml

from rehearsal.node.runtime_files import served_copies, served_copy
from rehearsal.node.settings.node_settings import NodeSettings


@pytest.fixture
def folder(node_folder, tmp_path):
    copy = tmp_path / "FI"
    shutil.copytree(node_folder, copy)
    (copy / "audit.jsonl").write_text("of somebody who serves this folder")
    return copy


def test_a_copy_has_the_files_and_no_state(folder, tmp_path):
    copy = served_copy(folder, tmp_path / "copy")
    assert (copy / "people.sqlite").resolve() == folder / "people.sqlite"
    assert not (copy / "audit.jsonl").exists()
    assert (folder / "audit.jsonl").exists()


@pytest.mark.parametrize("place", ["kept", "absolute"])
def test_a_copy_has_its_own_state_when_the_node_has_a_state_folder(folder, tmp_path, place):
    state = folder / "kept" if place == "kept" else tmp_path / "far"
    state.mkdir()
    settings = yaml.safe_load((folder / "node.yaml").read_text())
    settings.setdefault("access", {})["state"] = "kept" if place == "kept" else str(state)
    (folder / "node.yaml").write_text(yaml.safe_dump(settings))
    copy = served_copy(folder, tmp_path / "copy")
    assert NodeSettings.read(copy).access.state_folder(copy) == copy
    assert not (copy / "kept").exists()
    assert NodeSettings.read(folder).access.state_folder(folder) == state


def test_copies_are_removed_at_the_end(folder, tmp_path):
    with served_copies({"FI": folder}, tmp_path / "logs") as copies:
        assert (copies["FI"] / "node.yaml").exists()
        (copies["FI"] / "audit.jsonl").write_text("of the copy")
    assert list((tmp_path / "logs").iterdir()) == []
    assert (folder / "audit.jsonl").read_text() == "of somebody who serves this folder"
