"""Access settings survive a round trip through node.yaml; wrong ones give one clear line."""

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


def test_settings_survive_a_round_trip(tmp_path):
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
        ([], "access: expected a mapping with the keys audience, "),
        ([], ", found [] (a list)"),
        ({"tiers": {}}, "access.tiers: expected one of the keys audience, "),
        ({"issuers": {}}, "access.issuers: expected a list, found {} (a mapping)"),
        (
            {"issuers": [{"issuer": "https://a"}]},
            "issuers[0]: expected exactly one of jwks, jwks_file, jwks_url, found none of them",
        ),
        (
            {"issuers": [{"issuer": "a", "jwks": JWKS, "jwks_file": "k"}]},
            "jwks_url, found jwks and jwks_file",
        ),
        ({"issuers": [{"jwks": JWKS}]}, "issuers[0].issuer: expected a text, found nothing"),
        (
            {"issuers": [{"issuer": True, "jwks": JWKS}]},
            "issuers[0].issuer: expected a text, found true (put a text like NO or ON in quotes)",
        ),
        (
            {"issuers": [{"issuer": "a", "jwks_url": "http://a.example/k"}]},
            "issuers[0].jwks_url: expected an https address, or an http address of this machine, "
            "found 'http://a.example/k'",
        ),
        ({"issuers": [{"issuer": "a", "jwks_url": "file:///etc/passwd"}]}, "an https address"),
        (
            {"issuers": [{"issuer": "a", "jwks": JWKS, "visas": ["All"]}]},
            "issuers[0].visas: expected visa types among ControlledAccessGrants, ",
        ),
        (
            {"issuers": [{"issuer": "a", "jwks": JWKS}] * 2},
            "issuers[1].issuer: expected each issuer once, found 'a' a second time",
        ),
        (
            {"datasets": {PEOPLE: {"record": "everybody"}}},
            f"{PEOPLE}.record: expected a tier: public, registered, controlled, found 'everybody'",
        ),
        (
            {"datasets": {PEOPLE: {"count": "controlled", "record": "public"}}},
            "from boolean to count to record, "
            "found boolean public, count controlled, record public",
        ),
        (
            {"datasets": {PEOPLE: {"recrod": "public"}}},
            f"{PEOPLE}.recrod: expected one of the keys boolean, count, record, grants, found an",
        ),
        ({"datasets": {PEOPLE: {"grants": "x"}}}, "grants: expected a list, found 'x' (text)"),
        ({"datasets": {1: {}}}, "datasets: expected keys that are texts, found 1 (put it in"),
        (
            {"protection": {"controlled": {}}},
            "protection.controlled: expected one of the keys public, registered, found an unknown",
        ),
        (
            {"protection": {"public": {"threshold": "10"}}},
            "public.threshold: expected a whole number, found '10' (text)",
        ),
        (
            {"protection": {"public": {"threshold": 0}}},
            "node.yaml: access.protection.public.threshold: expected a whole number of at least 1, "
            "found 0",
        ),
        (
            {"protection": {"public": {"noise": 0}}},
            "public.noise: expected a number above 0, as without noise no budget can pay for an "
            "answer, found 0",
        ),
        (
            {"protection": {"public": {"budget": "1e-8"}}},
            "public.budget: expected a number, or .inf, found '1e-8' (text)",
        ),
        ({"vetoes": [{"dataset": "x"}]}, "vetoes[0].name: expected a text, found nothing"),
        ({"vetoes": [{"name": "n", "country": False}]}, "country: expected a text, found false"),
        (
            {"without_consent": "maybe"},
            "without_consent: expected exclude or include, found 'maybe'",
        ),
        ({"require_audience": "yes"}, "require_audience: expected true or false, found 'yes'"),
        ({"max_token_age_s": 0}, "expected a whole number of seconds above 0, found 0"),
        ({"terms": ["a", 3]}, "access.terms[1]: expected a text that is not empty, found 3 (a nu"),
        ({"roles": {CLINICAL_CARE: "clinician"}}, "expected a list, found 'clinician' (text)"),
    ],
)
def test_wrong_settings_give_one_line(values, complaint):
    with pytest.raises(InputError) as caught:
        access_settings("node.yaml", values)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_dataset_that_the_node_does_not_have_is_refused(tmp_path):
    access = AccessSettings(datasets={"GDI-SE-REHEARSAL-1": DatasetAccess()})
    replace(NodeSettings.for_country("FI", "Finland"), access=access).write(tmp_path)
    with pytest.raises(InputError, match=r"access\.datasets\.GDI-SE-REHEARSAL-1: "):
        NodeSettings.read(tmp_path)


@pytest.mark.parametrize(
    ("access", "complaint"),
    [
        (
            {"vetoes": (Veto("v", country="Finland"),)},
            r"access\.vetoes\[0\]\.country: expected a code of ISO 3166 .* FI, found 'Finland'",
        ),
        ({"vetoes": (Veto("v", country="fi"),)}, r"country: .*, found 'fi'"),
        ({"vetoes": (Veto("v", country="UK"),)}, r"country: .* GB, found 'UK'"),
        (
            {"vetoes": (Veto("v", country="SE"), Veto("w", dataset="GDI-SE-REHEARSAL-1"))},
            r"access\.vetoes\[1\]\.dataset: expected one of the node's datasets: GOE-FI-",
        ),
        ({"vetoes": (Veto("v", purpose="nonsense"),)}, r"purpose: expected one of DUO:0000042, "),
        (
            {"vetoes": (Veto("v", purpose="duo:0000006"),)},
            r"purpose: expected one of DUO:0000042, ",
        ),
        ({"vetoes": (Veto("v"),)}, r"vetoes\[0\]: expected at least one of the keys dataset, "),
        ({"vetoes": (Veto("v", subject=""),)}, r"subject: expected a text that is not empty"),
        ({"roles": {"DUO:43": ("clinician",)}}, r"access\.roles\.DUO:43: expected one of DUO:"),
        ({"purpose": "research"}, r"access\.purpose: expected a purpose as in the header"),
    ],
)
def test_a_name_that_stands_for_nothing_is_refused(tmp_path, access, complaint):
    node = NodeSettings.for_country("FI", "Finland", access=AccessSettings(**access))
    path = node.write(tmp_path)
    with pytest.raises(InputError, match=complaint) as caught:
        NodeSettings.read(tmp_path)
    assert str(caught.value).startswith(f"{path}: ") and "\n" not in str(caught.value)
