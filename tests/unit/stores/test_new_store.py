"""A new store is a whole file or none, and its writer does not wait for the disk."""

import pytest

from rehearsal.stores.new_store import new_store
from rehearsal.stores.store_checksum import verify_checksum


def test_a_new_store_is_whole_and_has_its_checksum(tmp_path):
    with new_store(tmp_path / "one.sqlite") as connection:
        connection.execute("CREATE TABLE numbers (n INTEGER)")
        connection.execute("INSERT INTO numbers VALUES (1)")
    verify_checksum(tmp_path / "one.sqlite")
    assert [path.name for path in tmp_path.iterdir()] == ["one.sqlite"]


def test_a_failure_leaves_the_old_store(tmp_path):
    (tmp_path / "one.sqlite").write_text("old")
    with pytest.raises(KeyError), new_store(tmp_path / "one.sqlite") as connection:
        connection.execute("CREATE TABLE numbers (n INTEGER)")
        raise KeyError
    assert (tmp_path / "one.sqlite").read_text() == "old"
    assert len(list(tmp_path.iterdir())) == 1


def test_statements_do_not_wait_for_the_disk(tmp_path):
    with new_store(tmp_path / "one.sqlite") as connection:
        connection.execute("CREATE TABLE numbers (n INTEGER)")
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        (journal,) = connection.execute("PRAGMA journal_mode").fetchone()
    assert (synchronous, journal) == (0, "off")
