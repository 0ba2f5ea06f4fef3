"""Published frequencies are those of the other countries."""

import pytest
from rehearsal.node.privacy.public_frequencies import PublicFrequencies
from rehearsal.node.privacy.question_keys import question_key

from rehearsal.model import Variant


def test_public_frequencies_are_of_the_other_countries(folders):
    paths = (folders[code] / "public_frequencies.npz" for code in ("AT", "BE"))
    at, be = map(PublicFrequencies.open, paths)
    shared, only_be = (
        question_key(str(Variant("chr1", start, "A", alt))) for start, alt in ((5, "T"), (7, "G"))
    )
    assert (at.people, be.people) == (22, 22)
    assert at.frequency(shared) == pytest.approx(1 / 22)
    assert be.frequency(shared) == pytest.approx(2 / 22)
    assert be.frequency(only_be) == 0.5 / 23, "its own carriers are not public"
    assert at.frequency(only_be) == 3 / 22, (
        "what is common elsewhere is priced also where nobody has it"
    )
