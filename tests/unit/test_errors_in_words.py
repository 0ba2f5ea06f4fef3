"""Reasons of errors are words, without names of Python."""

import pytest

from rehearsal.errors import cause


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (FileNotFoundError(2, "No such file or directory", "x"), "No such file or directory"),
        (ValueError("invalid file `b'x'` (mode=`b'r'`)"), "another format"),
        (TypeError("Query() argument after ** must be a mapping, not str"), "another structure"),
        (KeyError("url"), "no 'url'"),
        (OSError("truncated file"), "truncated file"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "not UTF-8 text"),
        (ValueError(), "no reason given"),
    ],
)
def test_a_cause_is_told_in_words(error, words):
    assert cause(error) == words
