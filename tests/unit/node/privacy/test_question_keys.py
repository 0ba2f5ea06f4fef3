"""Each question has one key."""

from rehearsal.node.privacy.question_keys import question_key


def test_a_question_has_one_key_and_its_parts_cannot_be_shifted():
    assert question_key("a", "bc") != question_key("ab", "c")
    assert question_key("a", b"bc") == question_key(b"a", "bc")
