"""Names of insertions and deletions in repeats, compared with all edits of a short sequence."""

from types import SimpleNamespace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from rehearsal.genomes import genomic_names
from rehearsal.genomes.indel_shifts import shift_right
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.base_codes import Spelling
from rehearsal.node.beacon.indels import indel_described, indel_of_bases
from rehearsal.node.beacon.variant_search import described

SEQUENCES = st.text("AC", min_size=4, max_size=14)


def edits(sequence, deletion, length, bases=None):
    """All deletions, or all insertions of some bases: {(place, bases): what comes out}."""
    if deletion:
        return {
            (at, sequence[at : at + length]): sequence[:at] + sequence[at + length :]
            for at in range(1, len(sequence) - length + 1)
        }
    return {
        (at, one): sequence[:at] + one + sequence[at:]
        for at in range(1, len(sequence) + 1)
        for one in bases
    }


def row_of(sequence, at, bases, deletion):
    """The row of an indel at its first place, as a store has it."""
    anchor = sequence[at - 1]
    ref, alt = (anchor + bases, anchor) if deletion else (anchor, anchor + bases)
    shift = shift_right(sequence, at, bases, deletion)
    return SimpleNamespace(contig="chr22", start=at - 1, ref=ref, alt=alt, svlen=0, shift=shift)


def as_vcf(sequence, at, bases, deletion):
    anchor = sequence[at - 1]
    pair = (anchor + bases, anchor) if deletion else (anchor, anchor + bases)
    return indel_of_bases("chr22", at - 1, *pair)


@settings(max_examples=150, deadline=None)
@given(sequence=SEQUENCES, deletion=st.booleans(), length=st.integers(1, 3), data=st.data())
def test_an_allele_is_found_by_all_its_notations_and_no_other(sequence, deletion, length, data):
    letters = {"".join(one) for one in _words(length)}
    found = edits(sequence, deletion, length, sorted(letters))
    at, bases = data.draw(st.sampled_from(sorted(found)))
    same = sorted(key for key, result in found.items() if result == found[at, bases])
    assume(same[0][0] > 1)  # the first base cannot be an anchor
    row = row_of(sequence, *same[0], deletion)
    assert row.shift == same[-1][0] - same[0][0]
    for key, result in found.items():
        assert as_vcf(sequence, *key, deletion).is_named_by(row) == (result == found[at, bases])
    last, at_last = same[-1]
    name = described(row)
    if deletion:
        expected = f"{last + 1}" if length == 1 else f"{last + 1}_{last + length}"
        assert name.endswith(f":g.{expected}del")
    elif last >= length and sequence[last - length : last] == at_last and row.shift >= length:
        expected = f"{last}" if length == 1 else f"{last - length + 1}_{last}"
        assert name.endswith(f":g.{expected}dup")
    else:
        assert name.endswith(f":g.{last}_{last + 1}ins{at_last}")
    assert indel_described(hgvs.parse(name)).is_named_by(row)


def _words(length):
    return [""] if not length else [a + word for a in "AC" for word in _words(length - 1)]


@pytest.mark.parametrize(
    ("sequence", "start", "ref", "alt", "name"),
    [
        ("TGGGA", 43_057_061, "T", "TG", "NC_000017.11:g.43057065dup"),
        ("ACTCTGG", 43_124_026, "ACT", "A", "NC_000017.11:g.43124030_43124031del"),
    ],
)
def test_planted_variants_have_the_names_that_their_repeats_imply(sequence, start, ref, alt, name):
    """The sequence begins at the anchor base."""
    bases = ref[1:] or alt[1:]
    shift = shift_right(sequence, 1, bases, len(ref) > len(alt))
    assert genomic_names.describe("chr17", start, ref, alt, shift) == name


@settings(max_examples=150, deadline=None)
@given(sequence=SEQUENCES, deletion=st.booleans(), length=st.integers(1, 3), data=st.data())
def test_codes_find_an_indel_where_some_reading_of_them_gives_the_same(
    sequence, deletion, length, data
):
    found = edits(sequence, deletion, length, sorted(_words(length)))
    one = data.draw(st.sampled_from(sorted(found.values())))
    same = sorted(key for key, result in found.items() if result == one)
    assume(same[0][0] > 1)
    row = row_of(sequence, *same[0], deletion)
    first = data.draw(st.integers(0, len(sequence) - 1))
    last = data.draw(st.integers(first + 1, len(sequence)))
    changed = last + (-length if deletion else length)
    assume(changed >= first)
    size = changed - first
    right = st.sampled_from([one[first:changed], "N" * size])
    alt = data.draw(right | st.text("ACMNG", min_size=size, max_size=size))
    outside = (one[:first], one[changed:]) == (sequence[:first], sequence[last:])
    readable = all(a == b or b in "MN" for a, b in zip(one[first:changed], alt, strict=True))
    spelling = Spelling.of(first, sequence[first:last], alt)
    assert spelling.is_of(row) == (outside and readable)
