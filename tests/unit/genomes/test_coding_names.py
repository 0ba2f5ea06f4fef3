"""Numbers of bases in a transcript: every base has one name, and the name leads back to it."""

import pytest

from rehearsal.genomes.coding_names import find_position, position_name
from tests.unit.genomes.gene_model import two_genes


@pytest.mark.parametrize("transcript", two_genes(), ids=["forward", "reverse"])
def test_the_name_of_a_base_leads_back_to_it(transcript):
    names = {}
    for position in range(transcript.start, transcript.end):
        name = position_name(transcript, position)
        assert find_position(transcript, name) == position, name
        names[name] = position
    assert len(names) == transcript.end - transcript.start


@pytest.mark.parametrize(
    ("name", "position"),
    # coding bases 151-200, 301-400 and 501-602 of the contig, counted from 1
    [("1", 150), ("-1", 149), ("50", 199), ("50+1", 200), ("51-1", 299), ("51", 300), ("*1", 602)],
)
def test_names_by_hand(name, position):
    assert find_position(two_genes()[0], name) == position


@pytest.mark.parametrize("name", ["0", "-51", "*49", "50+51", "51-51", "49+1", "05", "1+0", "x"])
def test_a_number_that_no_base_has_is_none(name):
    assert find_position(two_genes()[0], name) is None
