"""Contact tokens, which stand for a person between a caller and a node."""

import pytest

from rehearsal.cli import main
from rehearsal.errors import InputError
from rehearsal.network.issuer import URL
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.matchmaker.contact_tokens import find_person_of_token

from ..access.test_access import PEOPLE
from ..conftest import NAMES
from ..hostile_tokens import AUDIENCE
from .conftest import patient


def test_there_is_one_contact_token_per_person_and_caller(node, clinician, forge):
    def ids(token):
        return [one["patient"]["id"] for one in node.post(patient(), token)[1]["results"]]

    other = sign_tokens(forge.mine, create_person("clinician", "SE", [PEOPLE]), AUDIENCE).passport
    again = sign_tokens(forge.mine, create_person("clinician", "IE", [PEOPLE]), AUDIENCE).passport
    assert ids(clinician) == ids(again)
    assert set(ids(clinician)).isdisjoint(ids(other))
    assert len(set(ids(clinician))) == 3


def test_the_operator_finds_the_person_of_a_token(node, clinician, capsys):
    token = node.post(patient(), clinician)[1]["results"][0]["patient"]["id"]
    folder = node.log.parent
    main(["node", "contact", str(folder), token, "--matched-for", "clinician-ie"])
    assert capsys.readouterr().out == f"{NAMES[11]}\n"
    with pytest.raises(
        InputError, match="token: expected a contact token that this node gave to clinician-se"
    ):
        find_person_of_token(folder, URL, "clinician-se", token)


def test_another_nodes_secret_gives_other_tokens(node, clinician, make_node):
    first, second = (
        one.post(patient(), clinician)[1]["results"][0]["patient"]["id"]
        for one in (node, make_node())
    )
    assert first != second


def test_a_patient_id_that_is_a_token_of_the_node_does_not_match_its_person(node, clinician):
    before = [one["patient"]["id"] for one in node.post(patient(), clinician)[1]["results"]]
    after = node.post(patient(id=before[0]), clinician)[1]["results"]
    assert [one["patient"]["id"] for one in after] == before[1:]
