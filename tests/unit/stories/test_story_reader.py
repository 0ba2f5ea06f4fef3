"""What a story may contain, and how a story that cannot be used is refused."""

from dataclasses import replace

import pytest

from rehearsal.errors import InputError
from rehearsal.model import Variant
from rehearsal.stories.story_reader import read_stories

PHGDH = Variant("chr1", 119_712_023, "T", "C")


def test_a_fifth_story_is_a_file(fifth, references):
    (story,) = read_stories(fifth, references)
    assert (story.name, story.title, story.evidence) == ("fifth", "A fifth story", ("invented",))
    by_handle = {patient.handle: patient for patient in story.patients}
    assert list(by_handle) == [
        *("anna", "mother", "decoy-es-1", "decoy-es-2", "decoy-fi-1", "decoy-fi-2"),
    ]
    anna = by_handle["anna"]
    assert anna.carries == {PHGDH: 2}
    assert {variant.contig for variant in anna.lacks} == {"chr17"}
    assert anna.diseases == {"phgdh_deficiency": (0, 0)}
    assert anna.treatments == ()
    assert by_handle["mother"].diseases is None
    assert by_handle["decoy-fi-2"].born == (2010, 2020)
    (eldest,) = story.choices
    assert (eldest.country, eldest.order) == ("ES", "birth_year")
    (question,) = story.questions
    assert question.parameters["parameters"]["start"] == [PHGDH.start]


def test_no_folder_is_no_story(references, tmp_path):
    assert read_stories(None, references) == []
    assert read_stories(tmp_path, references) == []


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("country: FI\n    sex", "country: SE\n    sex", "line 8: patients.anna.country: expected"),
        ("carries: {PHGDH c.2T>C: 2}", "carries: {PHGDH c.3T>C: 2}", "line 12: "),
        ("lacks: [BRCA1]", "lacks: [BRCA9]", "line 13: patients.anna.lacks[0]"),
        ("{phgdh_deficiency: 0}", "{measles: 0}", "line 14: patients.anna.diseases.measles"),
        (
            "{phgdh_deficiency: 0}",
            "{severe_covid_19: 0}",
            "line 14: patients.anna.diseases.severe_covid_19: expected an age that a patient born "
            "in 2019 has in 2020 or later, found 0",
        ),
        ("HP:0000252", "HP:00002", "line 16: patients.anna.features[0].code"),
        ("{height: 98}", "{hight: 98}", "line 19: patients.anna.measurements.hight"),
        (
            "kind: beacon",
            "kind: oracle",
            "line 29: questions[0].kind: expected one of alert",
        ),
        (
            "about: anna",
            "about: hanna",
            "line 30: questions[0].about: expected a patient of this story (anna, decoy-es-1, "
            "decoy-es-2, decoy-fi-1, decoy-fi-2, eldest, mother), found 'hanna'",
        ),
        (
            "variant: PHGDH",
            "gene: TP53\n    #",
            "line 32: questions[0].gene: expected a gene of genes.tsv",
        ),
        (
            "mother: mother",
            "mother: anna",
            "line 7: patients.anna: expected a parent born at least 14 years before 2019, "
            "found anna, born in 2019",
        ),
        ("title: A fifth story", "titel: A", "line 1: top level: expected the key title"),
        ("born: 2019", "born: [2019", "line "),
    ],
)
def test_what_the_run_lacks_is_named_with_file_and_line(fifth, references, old, new, complaint):
    text = (fifth / "fifth.yaml").read_text()
    assert old in text
    (fifth / "fifth.yaml").write_text(text.replace(old, new, 1))
    with pytest.raises(InputError) as caught:
        read_stories(fifth, references)
    assert "fifth.yaml: " + complaint in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("code", ["MONDO:0005012", "MONDO:0005105", "MONDO:0004992", "ICD10:C43"])
def test_a_story_may_ask_for_a_disease_or_a_more_general_one(fifth, references, code):
    """Melanoma of skin is a kind of melanoma, and of cancer."""
    asked = f'    filters: [{{id: "{code}", label: x}}]\n    granularity: count'
    text = (fifth / "fifth.yaml").read_text().replace("    granularity: count", asked)
    text = text.replace("find: variants", "find: people")
    (fifth / "fifth.yaml").write_text(text)
    (story,) = read_stories(fifth, references)
    assert code in str(story.questions[0].parameters)
    (fifth / "fifth.yaml").write_text(text.replace(code, "MONDO:0005301"))  # multiple sclerosis
    with pytest.raises(InputError, match=r"expected a code of .*traits.yaml or an HPO term"):
        read_stories(fifth, references)


def test_a_term_that_hpo_lacks_is_refused(fifth, references):
    text = (fifth / "fifth.yaml").read_text().replace("HP:0001250", "HP:9999999")
    (fifth / "fifth.yaml").write_text(text)
    read_stories(fifth, references)
    with pytest.raises(InputError, match=r"line 18: .*expected a term of HPO, found 'HP:9999999'"):
        read_stories(fifth, replace(references, has_ontology=True))
