"""Lists of carriers as a matrix: the same people as in the decoded lists."""

import numpy as np
import pytest

from rehearsal.stores.carrier_lists import decode
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.carrier_matrix import carrier_matrix


@pytest.mark.parametrize("people", [5, 100, 70_000])
def test_every_form_is_read_as_one_by_one(people):
    random = np.random.default_rng(1)
    shares = [0, 1 / people, 0.02, 0.5, 1]
    members = [np.flatnonzero(random.random(people) < share) for share in shares]
    lists = [as_list(one) for one in members]
    matrix = carrier_matrix(lists, people)
    for row, data in zip(matrix, lists, strict=True):
        assert np.flatnonzero(row).tolist() == list(decode(data))
    assert matrix[-1].all()


def as_list(members):
    return encode(members.astype(np.uint32))


def test_no_lists_are_no_rows():
    assert carrier_matrix([], 7).shape == (0, 7)


def test_an_unknown_form_is_refused():
    with pytest.raises(ValueError, match="expected a first byte from 1 to 3, found 9"):
        carrier_matrix([b"\x09\x00"], 5)
