"""A question for matching patients: reading the question, and answers that must fail."""

import copy

import pytest

from rehearsal.errors import InputError
from rehearsal.model import Answer
from rehearsal.stories.match_reply import MatchReply, same_matches
from rehearsal.stories.question_types import match
from rehearsal.stories.story_reader import read_stories

MATCH = """
    kind: match
    about: anna
    variants: [PHGDH c.2T>C]
    expected:
      first: {country: ES, variant: PHGDH c.2T>C, copies: 2}
      withheld: [decoy-fi-1]
"""
VARIANT = "chr1-119712024-T-C"
TOLD = {
    "score": 0.81,
    "features": ["HP:0000252"],
    "genes": ["PHGDH"],
    "variants": [[VARIANT, 2]],
}
OTHER = {"score": 0.5, "features": ["HP:0000252"], "genes": ["PSAT1"], "variants": []}
TRUTH = {
    "refused": False,
    "countries": {"ES": [TOLD], "FI": [OTHER]},
    "withheld": {"decoy-fi-1": {**OTHER, "score": 0.9, "country": "FI"}},
}


@pytest.fixture
def story(fifth):
    """The fifth story with a match question in the place of its own."""
    path = fifth / "fifth.yaml"
    head, _, _ = path.read_text().partition("    kind: beacon")
    path.write_text(head + MATCH.lstrip("\n"))
    return fifth


@pytest.fixture
def question(story, references):
    ((one,),) = (found.questions for found in read_stories(story, references))
    return one


def result(node, token, score, gene, variant=None):
    genomic = {"gene": {"id": gene}}
    if variant:
        place = {"assembly": "GRCh38", "referenceName": "1", "start": 119_712_023}
        bases = {"referenceBases": "T", "alternateBases": "C"}
        genomic |= {"variant": place | bases, "zygosity": variant}
    patient = {
        "id": token,
        "contact": {"name": "a matchmaking service", "href": "mailto:a@example.org"},
    }
    patient |= {"features": [{"id": "HP:0000252"}], "genomicFeatures": [genomic]}
    return {"score": {"patient": score}, "patient": patient, "_node": node}


def body():
    well = {"state": "answered", "httpStatus": 200, "latencyMs": 1.0}
    nodes = [{"node": one} | well for one in ("ES", "FI")]
    found = [result("ES", "a" * 32, 0.81, "PHGDH", 2), result("FI", "b" * 32, 0.5, "PSAT1")]
    return {"results": found, "info": {"nodes": nodes}}


def test_a_foreign_node_need_not_match_patients(question):
    """Then neither the best match nor a withheld one is expected of it."""
    content = body()
    content["info"]["nodes"][0] |= {"state": "refused", "httpStatus": 405}
    del content["results"][0]
    assert judged(question, content, foreign=["ES"]) == set()
    assert {"every country answered", "the best match"} <= judged(question, content)


WITHHELD = "decoy-fi-1: similar, but must not be in the answer"


def judged(question, content, truth=TRUTH, foreign=()):
    """Names of the checks that fail."""
    answer = Answer("q", "network", "answered", 200, content, 0.01, 100)
    reply = MatchReply({}, answer, ("ES-000001",))
    return {one.name for one in match.judge(question, truth, reply, foreign) if not one.passed}


def test_the_right_answer_passes(question):
    assert question.story == "fifth"
    assert judged(question, body()) == set()


def leak_an_identifier(content):
    content["results"][0]["patient"]["contact"]["name"] = "ES-000001"


def tell_a_birth_date(content):
    content["results"][0]["patient"]["birthDate"] = "2012"


def give_two_people_one_token(content):
    content["results"][1]["patient"]["id"] = "a" * 32


def turn_the_order(content):
    content["results"].reverse()


def miss_a_match(content):
    del content["results"][0]


def say_one_copy(content):
    content["results"][0]["patient"]["genomicFeatures"][0]["zygosity"] = 1


def score_otherwise(content):
    content["results"][1]["score"]["patient"] = 0.6


def be_late(content):
    content["info"]["nodes"][1]["state"] = "late"
    del content["results"][1]


def tell_of_who_is_withheld(content):
    content["results"].insert(0, result("FI", "c" * 32, 0.9, "PSAT1"))


@pytest.mark.parametrize(
    ("spoil", "fails"),
    [
        (leak_an_identifier, {"facts in a match that the two patients do not share"}),
        (tell_a_birth_date, {"facts in a match that the two patients do not share"}),
        (give_two_people_one_token, {"facts in a match that the two patients do not share"}),
        (turn_the_order, {"matches are sorted by score, then by country", "the best match"}),
        (miss_a_match, {"the matches of each country equal the truth", "the best match"}),
        (say_one_copy, {"the matches of each country equal the truth", "the best match"}),
        (score_otherwise, {"the matches of each country equal the truth"}),
        (be_late, {"every country answered", "the matches of each country equal the truth"}),
        (
            tell_of_who_is_withheld,
            {"the matches of each country equal the truth", "the best match", WITHHELD},
        ),
    ],
)
def test_a_wrong_answer_fails(question, spoil, fails):
    content = body()
    spoil(content)
    assert judged(question, content) == fails


def test_a_withheld_patient_who_does_not_match_fails_the_check(question):
    assert judged(question, body(), {**TRUTH, "withheld": {}}) == {WITHHELD}


def test_any_of_equal_matches_beyond_the_limit_of_a_node_is_right():
    many = [{**OTHER, "genes": [f"G{i}"]} for i in range(60)]
    assert same_matches(many, many[5:55])
    assert not same_matches(many, many[5:54])
    stranger = copy.deepcopy(many[:50])
    stranger[0]["genes"] = ["ELSE"]
    assert not same_matches(many, stranger)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("about: anna\n", "\n", "the key about"),
        (
            "variants: [",
            "genes: [",
            "one of the keys variants, expected, found the unknown key 'genes'",
        ),
        ("variants: [PHGDH c.2T>C]", "variants: [PHGDH c.9T>C]", "a planted variant"),
        (
            "{country: ES,",
            "{country: FR,",
            r"a country of this run \(.*; a run of fewer countries needs .*\), found 'FR'",
        ),
        ("[decoy-fi-1]", "[decoy-fi-9]", r"a patient of this story \(.*\), found 'decoy-fi-9'"),
        ("copies: 2", "copies: 3", "a whole number from 1 to 2"),
    ],
)
def test_an_unusable_question_is_refused_with_file_and_line(story, references, old, new, complaint):
    path = story / "fifth.yaml"
    head, kind, rest = path.read_text().partition("    kind: match")
    assert old in rest
    path.write_text(head + kind + rest.replace(old, new, 1))
    with pytest.raises(InputError, match=complaint) as error:
        read_stories(story, references)
    assert "fifth.yaml: line " in str(error.value)
