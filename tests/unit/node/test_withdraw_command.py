"""The operator's command for withdrawals."""

import json
import shutil
from dataclasses import replace

import pytest

from rehearsal.cli import main
from rehearsal.node.access.withdrawals import FILE_NAME, read_withdrawals
from rehearsal.node.runtime_files import served_copy
from rehearsal.node.settings.node_settings import NodeSettings

from .conftest import NAMES


@pytest.fixture
def folder(node_folder, tmp_path):
    folder = tmp_path / "FI"
    folder.mkdir()
    shutil.copy(node_folder / "people.sqlite", folder)
    NodeSettings.read(node_folder).write(folder)
    return folder


def test_the_command_tells_who_withdrew_now_and_before(folder, capsys):
    main(["node", "withdraw", str(folder), NAMES[0], NAMES[1]])
    main(["node", "withdraw", str(folder), NAMES[1], NAMES[2]])
    assert capsys.readouterr().out.splitlines() == [
        *(f"{NAMES[0]}: withdrawn", f"{NAMES[1]}: withdrawn"),
        *(f"{NAMES[1]}: withdrawn before", f"{NAMES[2]}: withdrawn"),
    ]
    assert read_withdrawals(folder / FILE_NAME) == set(NAMES[:3])


@pytest.mark.parametrize("unknown", ["FI-999999", "", "../FI-000001", "fi-000001"])
def test_an_unknown_person_is_an_error_and_records_nobody(folder, capsys, unknown):
    with pytest.raises(SystemExit):
        main(["node", "withdraw", str(folder), NAMES[0], unknown])
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{folder}: PERSON: expected people of this node, found" in line
    assert not (folder / FILE_NAME).exists()


def test_a_withdrawal_is_kept_where_the_node_keeps_its_state(folder, capsys):
    settings = NodeSettings.read(folder)
    replace(settings, access=replace(settings.access, state="../state/FI")).write(folder)
    main(["node", "withdraw", str(folder), NAMES[0]])
    assert read_withdrawals(folder.parent / "state" / "FI" / FILE_NAME) == {NAMES[0]}
    assert not (folder / FILE_NAME).exists()


def test_a_copy_that_is_served_knows_who_withdrew(folder, tmp_path, capsys):
    for state in (None, "../state/FI"):
        settings = NodeSettings.read(folder)
        replace(settings, access=replace(settings.access, state=state)).write(folder)
        main(["node", "withdraw", str(folder), NAMES[0]])
        copy = served_copy(folder, tmp_path / f"copy-{state is None}")
        assert read_withdrawals(copy / FILE_NAME) == {NAMES[0]}


def test_a_patient_who_was_added_may_withdraw(folder, capsys):
    (folder / "arrivals" / "taken").mkdir(parents=True)
    (folder / "arrivals" / "taken" / "FI-A1.json").write_text(json.dumps({}))
    main(["node", "withdraw", str(folder), "FI-A1"])
    assert read_withdrawals(folder / FILE_NAME) == {"FI-A1"}


def test_a_folder_that_is_no_node_is_an_error(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main(["node", "withdraw", str(tmp_path), NAMES[0]])
    assert "expected a node folder with a node.yaml" in capsys.readouterr().err
