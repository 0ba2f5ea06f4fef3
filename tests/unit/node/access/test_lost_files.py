"""A ledger or public facts that got lost are noticed, and a node's first start is no loss."""

import logging
import shutil
import sqlite3
from dataclasses import replace

import pytest

from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.privacy.public_facts_writer import write_size_facts


@pytest.fixture
def settings(node_folder, node_data, tmp_path):
    for name in ("people.sqlite", "variants.sqlite"):
        (tmp_path / name).symlink_to(node_folder / name)
    settings = replace(node_data.settings, access=AccessSettings())
    settings.write(tmp_path)
    write_size_facts(tmp_path)
    return settings


@pytest.fixture
def warned(settings, node_data, tmp_path, caplog):
    """Starts a node and ends it; returns its warnings."""

    def start(settings=settings):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            Authorizer.open(settings, node_data.people, tmp_path).close()
        return caplog.messages

    return start


def test_a_lost_ledger_is_one_warning_and_a_first_start_is_none(warned, tmp_path):
    assert warned() == []
    assert warned() == []
    (tmp_path / "ledger.sqlite").unlink()
    (line,) = warned()
    assert line.startswith(f"WARNING: {tmp_path / 'ledger.sqlite'}: expected the ledger")
    assert line.endswith("the privacy budget starts anew")
    assert warned() == []


def test_lost_public_facts_are_one_warning_unless_all_answers_are_exact(warned, settings, tmp_path):
    (tmp_path / "public_facts.sqlite").unlink()
    (line,) = warned()
    assert line.startswith(f"WARNING: {tmp_path / 'public_facts.sqlite'}: expected the public f")
    assert warned(settings.opened()) == []


def test_a_copy_of_the_one_file_of_a_closed_ledger_is_whole(settings, node_data, tmp_path):
    authorizer = Authorizer.open(settings, node_data.people, tmp_path)
    door = authorizer._doors["public"]
    door.ledger.pay("public", "somebody", bytes(32), 0.005, door.protection, lambda: 7)
    authorizer.close()
    assert not (tmp_path / "ledger.sqlite-wal").exists()
    copy = shutil.copyfile(tmp_path / "ledger.sqlite", tmp_path / "copy.sqlite")
    with sqlite3.connect(copy) as connection:
        assert connection.execute("SELECT answer, nats FROM charges").fetchall() == [(7, 0.005)]
    connection.close()
