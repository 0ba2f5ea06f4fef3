"""Allele frequencies elsewhere, by question."""

import numpy as np
import pytest
from rehearsal.node.privacy.public_frequencies import PublicFrequencies
from rehearsal.node.privacy.question_keys import question_key

from rehearsal.errors import InputError


def test_public_frequencies_are_found_by_question_and_small_where_unknown(tmp_path):
    questions = [question_key(f"chr1-{i}-A-T") for i in range(50)]
    keys = np.array([PublicFrequencies.key(one) for one in questions], np.uint64)
    PublicFrequencies(keys, np.arange(50) / 50, 500).write(tmp_path / "shares.npz")
    read = PublicFrequencies.open(tmp_path / "shares.npz")
    assert [read.frequency(one) for one in questions[1:]] == [i / 50 for i in range(1, 50)]
    assert read.frequency(questions[0]) == read.frequency(question_key("new")) == 0.5 / 501


def test_a_file_without_public_frequencies_is_refused(tmp_path):
    (tmp_path / "shares.npz").write_text("nothing")
    with pytest.raises(InputError, match=r"shares\.npz: file"):
        PublicFrequencies.open(tmp_path / "shares.npz")
