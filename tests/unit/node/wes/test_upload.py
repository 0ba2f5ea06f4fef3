"""Bodies come in pieces, and those that nobody completes are dropped."""

import pytest

from rehearsal.node.wes.upload import Uploads
from rehearsal.web.problem import Problem


def test_pieces_that_nobody_completes_are_bounded_together(monkeypatch):
    monkeypatch.setattr("rehearsal.node.wes.upload.MOST_BYTES", 250)
    uploads = Uploads()
    for name in ("first", "second", "third"):
        assert uploads.add(name, "bytes 0-99/200", bytes(100), 1000) is None
    with pytest.raises(Problem, match="expected a piece from byte 0 on"):
        uploads.add("first", "bytes 100-199/200", bytes(100), 1000)
    assert uploads.add("second", "bytes 100-199/200", bytes(100), 1000) == bytes(200)
    assert uploads.add("third", "bytes 100-199/200", bytes(100), 1000) == bytes(200)
