"""Damages of files."""

import pytest

from rehearsal.loadtest.faults.fault_injection import DAMAGES


@pytest.mark.parametrize("damage", sorted(DAMAGES))
def test_damages_change_a_file(damage, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    DAMAGES[damage](path)
    assert path.read_bytes() != bytes(range(100))
