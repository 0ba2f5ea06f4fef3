"""Each question has one key."""

from rehearsal.node.privacy.question_keys import question_key


def test_keys_of_questions_depend_on_the_boundaries_of_parts():
    assert question_key("a", "bc") != question_key("ab", "c")
    assert question_key("a", b"bc") == question_key(b"a", "bc")
