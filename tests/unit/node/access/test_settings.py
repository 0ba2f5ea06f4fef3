"""What ``access:`` in node.yaml says survives the file; what cannot be meant is one line."""

from dataclasses import replace

import pytest

from rehearsal.errors import InputError
from rehearsal.network.issuer import make_issuer
from rehearsal.node.access.settings import (
    CLINICAL_CARE,
    AccessSettings,
    DatasetAccess,
    IssuerSettings,
    Veto,
    access_settings,
    as_yaml,
)
from rehearsal.node.privacy.protection import UNPROTECTED, Protection
from rehearsal.node.settings.node_settings import NodeSettings

PEOPLE = "GDI-FI-REHEARSAL-1"
HMB = "DUO:0000006"
JWKS = {"keys": []}


def test_settings_survive_the_file(tmp_path):
    access = AccessSettings(
        audience=("https://network.rehearsal.example",),
        purpose=HMB,
        issuers=(
            make_issuer(tmp_path / "issuer").trusted(),
            IssuerSettings("https://b.example", jwks_url="https://b.example/k", visas=()),
        ),
        datasets={PEOPLE: DatasetAccess("registered", "registered", "controlled", ("https://g",))},
        vetoes=(Veto("no", dataset=PEOPLE, country="SE"),),
        protection={"public": Protection(20, 5, 1), "registered": UNPROTECTED},
    )
    replace(NodeSettings.for_country("FI", "Finland"), access=access).write(tmp_path)
    assert NodeSettings.read(tmp_path).access == access
    assert access_settings("node.yaml", as_yaml(AccessSettings())) == AccessSettings()


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ([], "access: a mapping"),
        ({"tiers": {}}, "access: a mapping with the keys"),
        ({"issuers": {}}, "access.issuers: a list"),
        ({"issuers": [{"issuer": "https://a"}]}, "one of jwks, jwks_file, jwks_url"),
        ({"issuers": [{"jwks": JWKS}]}, "issuers[0].issuer"),
        ({"issuers": [{"issuer": True, "jwks": JWKS}]}, "issuers[0].issuer: str, not True"),
        ({"issuers": [{"issuer": "a", "jwks_url": "http://a.example/k"}]}, "https, or http on"),
        ({"issuers": [{"issuer": "a", "jwks_url": "file:///etc/passwd"}]}, "https, or http on"),
        ({"issuers": [{"issuer": "a", "jwks": JWKS, "visas": ["All"]}]}, "some of Controlled"),
        ({"issuers": [{"issuer": "a", "jwks": JWKS}] * 2}, "each issuer once"),
        ({"datasets": {PEOPLE: {"record": "everybody"}}}, "tiers among public"),
        ({"datasets": {PEOPLE: {"count": "controlled", "record": "public"}}}, "finer granularity"),
        ({"datasets": {PEOPLE: {"recrod": "public"}}}, "the keys boolean, count, record"),
        ({"datasets": {PEOPLE: {"grants": "x"}}}, "grants: a list"),
        ({"protection": {"controlled": {}}}, "public, registered"),
        ({"protection": {"public": {"threshold": "10"}}}, "threshold: a whole number"),
        ({"protection": {"public": {"threshold": 0}}}, "at least 1"),
        ({"vetoes": [{"dataset": "x"}]}, "vetoes[0].name"),
        ({"vetoes": [{"name": "n", "country": False}]}, "country: str, not False"),
        ({"without_consent": "maybe"}, "exclude or include"),
        ({"require_audience": "yes"}, "require_audience: bool"),
        ({"max_token_age_s": 0}, "more than 0"),
        ({"roles": {CLINICAL_CARE: "clinician"}}, "a list"),
    ],
)
def test_settings_that_cannot_be_meant_are_one_line(values, complaint):
    with pytest.raises(InputError) as caught:
        access_settings("node.yaml", values)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_dataset_that_the_node_does_not_have_is_refused(tmp_path):
    access = AccessSettings(datasets={"GDI-SE-REHEARSAL-1": DatasetAccess()})
    replace(NodeSettings.for_country("FI", "Finland"), access=access).write(tmp_path)
    with pytest.raises(InputError, match=r"access\.datasets"):
        NodeSettings.read(tmp_path)
