"""Tokens: valid ones are accepted, bad ones are not, and no foreign address is fetched."""

import asyncio
import json
import socket
import time
from dataclasses import replace

import jwt
import pytest

from rehearsal.network.issuer import make_issuer
from rehearsal.network.tokens import linked_identities, sign_tokens, sign_visas
from rehearsal.node.access.issuer_keys import MAX_ANSWER, REFETCH_S, TRUSTED_S
from rehearsal.node.access.settings import VISA_TYPES, IssuerSettings
from rehearsal.node.access.token_format import PASSPORT, TokenRefused
from rehearsal.node.access.tokens import TokenVerifier

from ..hostile_tokens import AUDIENCE, DATASET, HOSTILE, SIZES, TOKENS, VISAS, Forge


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    folder = tmp_path_factory.mktemp("issuers")
    mine = make_issuer(folder / "mine")
    return Forge(mine, make_issuer(folder / "evil", "https://evil.example"))


class Clock:
    def __init__(self):
        self.ahead = 0.0

    def __call__(self):
        return time.time() + self.ahead


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def verifier(forge, clock):
    async def fetch(url, bearer):
        raise AssertionError(f"the node asked {url}")

    return TokenVerifier([forge.mine.trusted()], [AUDIENCE], fetch=fetch, clock=clock)


def verify(verifier, token):
    return asyncio.run(verifier.verify(token))


def grants(caller):
    return [visa.value for visa in caller.visas_of_type("ControlledAccessGrants")]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_a_valid_passport_is_accepted(forge, verifier, algorithm):
    caller = verify(
        verifier, sign_tokens(forge.mine, forge.good, AUDIENCE, algorithm=algorithm).passport
    )
    assert (caller.issuer, caller.subject) == (forge.mine.url, "researcher-fi")
    assert grants(caller) == [f"https://datasets.rehearsal.example/{DATASET}"]
    assert caller.dropped == ()


def test_an_access_token_identifies_and_carries_no_visas(forge, verifier):
    caller = verify(verifier, sign_tokens(forge.mine, forge.good, AUDIENCE).access)
    assert caller.subject == "researcher-fi"
    assert caller.visas == ()


def test_one_audience_among_several_is_enough(forge, verifier):
    token = sign_tokens(forge.mine, forge.good, ["https://other.example", AUDIENCE]).passport
    assert verify(verifier, token).visas


def test_there_are_at_least_forty_hostile_tokens():
    assert len(HOSTILE) >= 40


@pytest.mark.parametrize("name", TOKENS | SIZES)
def test_a_bad_token_is_refused(forge, verifier, name):
    with pytest.raises(TokenRefused):
        verify(verifier, (TOKENS | SIZES)[name](forge))


@pytest.mark.parametrize("name", VISAS)
def test_a_bad_visa_gives_nothing(forge, verifier, name):
    caller = verify(verifier, VISAS[name](forge))
    counting = [v for v in caller.visas_of_type("ControlledAccessGrants") if v.by == "dac"]
    assert f"https://datasets.rehearsal.example/{DATASET}" not in [v.value for v in counting]


def test_a_bad_visa_does_not_affect_valid_ones(forge, verifier):
    good = sign_visas(forge.mine, forge.good)
    bad = forge.visa(said={"conditions": ["x"]})
    caller = verify(verifier, forge.passport(**{PASSPORT: [bad, *good]}))
    assert grants(caller)
    assert caller.dropped == ("visa with conditions",)


def test_visas_of_two_subjects_count_when_a_trusted_link_joins_them(forge, verifier):
    other = replace(forge.good, subject="the-same-person")
    tie = linked_identities((forge.mine.url, forge.good.subject), (forge.mine.url, other.subject))
    tie = replace(forge.good, visas=(tie,))
    visas = [*sign_visas(forge.mine, other), *sign_visas(forge.mine, tie)]
    assert grants(verify(verifier, forge.passport(**{PASSPORT: visas})))


def test_an_issuer_links_identities_only_where_the_settings_say_so(forge, clock):
    other = replace(forge.good, subject="the-same-person")
    tie = linked_identities((forge.mine.url, forge.good.subject), (forge.mine.url, other.subject))
    tie = replace(forge.good, visas=(tie,))
    visas = [*sign_visas(forge.mine, other), *sign_visas(forge.mine, tie)]
    trusted = IssuerSettings(forge.mine.url, jwks=forge.mine.jwks(), jku=forge.mine.jku)
    verifier = TokenVerifier([trusted], [AUDIENCE], clock=clock)
    caller = verify(verifier, forge.passport(**{PASSPORT: visas}))
    assert grants(caller) == []
    assert "visa of a type that its issuer may not sign" in caller.dropped


def test_an_issuer_may_sign_only_its_types_of_visas(forge, clock):
    trusted = replace(forge.mine.trusted(), visas=("ResearcherStatus",))
    caller = verify(TokenVerifier([trusted], [AUDIENCE], clock=clock), forge.passport())
    assert {visa.type for visa in caller.visas} == {"ResearcherStatus"}


def test_an_issuer_of_visas_only_identifies_nobody(forge, clock):
    trusted = replace(forge.mine.trusted(), identifies=False)
    with pytest.raises(TokenRefused, match="identify"):
        verify(TokenVerifier([trusted], [AUDIENCE], clock=clock), forge.passport())


def test_no_issuer_is_trusted_by_default(forge):
    with pytest.raises(TokenRefused, match="unknown issuer"):
        verify(TokenVerifier([], [AUDIENCE]), forge.passport())


def test_a_verified_token_is_kept_until_it_expires(forge, verifier, clock, monkeypatch):
    token = forge.passport()
    caller = verify(verifier, token)
    monkeypatch.setattr(jwt, "decode", None)  # a second verification would fail
    assert verify(verifier, token) is verifier.cached(token) is caller
    clock.ahead = 3601
    assert verifier.cached(token) is None
    monkeypatch.undo()
    with pytest.raises(TokenRefused, match="expired"):
        verify(verifier, token)


def test_a_token_is_verified_again_when_its_first_visa_expires(forge, verifier, clock):
    short = forge.visa(exp=int(time.time()) + 60)
    token = forge.with_visa(short)
    assert grants(verify(verifier, token))
    clock.ahead = 61
    assert verifier.cached(token) is None
    assert grants(verify(verifier, token)) == []


# --- keys and visas that are asked for ---


def fetching(forge, answers, clock=time.time, **settings):
    """A verifier whose keys are at a URL, and the addresses that it fetched."""
    asked = []

    async def fetch(url, bearer):
        asked.append((url, bearer))
        answer = answers[url]
        if isinstance(answer, Exception):
            raise answer
        return answer

    trusted = IssuerSettings(forge.mine.url, jwks_url=forge.mine.jku, **settings)
    return TokenVerifier([trusted], [AUDIENCE], fetch=fetch, clock=clock), asked


def test_keys_are_fetched_once_from_the_configured_address(forge):
    verifier, asked = fetching(forge, {forge.mine.jku: forge.mine.jwks()})
    for _ in range(3):
        assert verify(verifier, forge.passport(jti=str(time.monotonic()))).visas
    assert asked == [(forge.mine.jku, None)]


@pytest.mark.parametrize("name", HOSTILE)
def test_no_hostile_token_makes_the_node_fetch_from_another_address(forge, name, monkeypatch):
    def trap(*_):
        raise AssertionError("a socket was opened")

    verifier, asked = fetching(forge, {forge.mine.jku: forge.mine.jwks()})
    token = HOSTILE[name](forge)
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(socket.socket, "connect", trap)
    monkeypatch.setattr(socket, "getaddrinfo", trap)
    try:
        loop.run_until_complete(verifier.verify(token))
    except TokenRefused:
        pass
    finally:
        loop.close()
    assert {url for url, _ in asked} <= {forge.mine.jku}


def test_a_withdrawn_key_is_trusted_for_at_most_an_hour(forge):
    answers = {forge.mine.jku: forge.mine.jwks()}
    now = Clock()
    verifier, asked = fetching(forge, answers, now)
    lasting = {"exp": int(now() + 3 * TRUSTED_S)}
    assert verify(verifier, forge.passport(jti="1", **lasting)).visas
    answers[forge.mine.jku] = {"keys": []}
    now.ahead += TRUSTED_S - 1
    assert verify(verifier, forge.passport(jti="2", **lasting))
    assert len(asked) == 1
    now.ahead += 1
    for _ in range(2):
        with pytest.raises(TokenRefused, match="unknown key"):
            verify(verifier, forge.passport(jti="3", **lasting))
    assert len(asked) == 2


def test_a_verified_token_is_believed_no_longer_than_its_key(forge):
    answers = {forge.mine.jku: forge.mine.jwks()}
    now = Clock()
    verifier, asked = fetching(forge, answers, now)
    token = forge.passport(exp=int(now() + 20 * TRUSTED_S))
    assert verify(verifier, token).visas
    answers[forge.mine.jku] = {"keys": []}
    now.ahead += TRUSTED_S - 1
    assert verifier.cached(token)
    now.ahead += 1
    assert verifier.cached(token) is None
    for _ in range(2):
        with pytest.raises(TokenRefused, match="unknown key"):
            verify(verifier, token)
    assert len(asked) == 2


def test_a_withdrawal_that_is_noticed_early_ends_cached_tokens(forge):
    answers = {forge.mine.jku: forge.mine.jwks()}
    now = Clock()
    verifier, _ = fetching(forge, answers, now)
    by_ec, by_rsa = (
        sign_tokens(forge.mine, forge.good, AUDIENCE, algorithm=one).passport
        for one in ("ES256", "RS256")
    )
    assert verify(verifier, by_ec) and verify(verifier, by_rsa)
    kept = [key for key in answers[forge.mine.jku]["keys"] if key["kty"] == "RSA"]
    answers[forge.mine.jku] = {"keys": kept}
    now.ahead += REFETCH_S
    with pytest.raises(TokenRefused):  # an unknown kid makes the node fetch the keys
        verify(verifier, forge.passport(headers={"kid": "guess"}))
    assert verifier.cached(by_ec) is None
    assert verifier.cached(by_rsa)


def test_a_visa_is_believed_no_longer_than_its_key(forge, tmp_path):
    """The caller's own issuer keeps its key, the committee's issuer withdraws its."""
    committee = make_issuer(tmp_path / "committee", "https://dac.example")
    answers = {forge.mine.jku: forge.mine.jwks(), committee.jku: committee.jwks()}
    now = Clock()

    async def fetch(url, bearer):
        return answers[url]

    both = [
        IssuerSettings(one.url, jwks_url=one.jku, visas=VISA_TYPES)
        for one in (forge.mine, committee)
    ]
    verifier = TokenVerifier(both, [AUDIENCE], fetch=fetch, clock=now)
    mine = (forge.mine.url, forge.good.subject)
    tie = linked_identities(mine, (committee.url, forge.good.subject))
    visas = sign_visas(committee, forge.good)
    visas += sign_visas(forge.mine, replace(forge.good, visas=(tie,)))
    token = forge.passport(exp=int(now() + 20 * TRUSTED_S), **{PASSPORT: visas})
    assert grants(verify(verifier, token))
    answers[committee.jku] = {"keys": []}
    now.ahead += TRUSTED_S
    assert grants(verify(verifier, token)) == []


def test_unchanged_keys_verify_a_token_once(forge, monkeypatch):
    now = Clock()
    verifier, asked = fetching(forge, {forge.mine.jku: forge.mine.jwks()}, now)
    token = forge.passport(exp=int(now() + 3 * TRUSTED_S))
    caller = verify(verifier, token)
    visas_end = min(visa.expires for visa in caller.visas)
    assert visas_end > now() + TRUSTED_S - 60
    now.ahead += REFETCH_S
    with pytest.raises(TokenRefused):
        verify(verifier, forge.passport(headers={"kid": "guess"}))
    assert len(asked) == 2
    monkeypatch.setattr(jwt, "decode", None)  # a second verification would fail
    assert verify(verifier, token) is caller


def test_old_keys_are_not_trusted_when_fetching_fails(forge):
    answers = {forge.mine.jku: forge.mine.jwks()}
    now = Clock()
    verifier, _ = fetching(forge, answers, now)
    lasting = {"exp": int(now() + 3 * TRUSTED_S)}
    assert verify(verifier, forge.passport(jti="1", **lasting)).visas
    answers[forge.mine.jku] = OSError("gone")
    now.ahead += TRUSTED_S
    for _ in range(2):
        with pytest.raises(TokenRefused):
            verify(verifier, forge.passport(jti="2", **lasting))


def test_an_unknown_kid_does_not_cause_repeated_fetches(forge):
    verifier, asked = fetching(forge, {forge.mine.jku: forge.mine.jwks()})
    for number in range(20):
        with pytest.raises(TokenRefused, match="unknown key"):
            verify(verifier, forge.passport(headers={"kid": f"guess-{number}"}))
    assert len(asked) == 1
    assert REFETCH_S >= 30


@pytest.mark.parametrize("answer", [OSError("gone"), {"keys": "x"}, {}, TimeoutError()])
def test_unavailable_keys_are_a_refusal(forge, answer):
    verifier, _ = fetching(forge, {forge.mine.jku: answer})
    with pytest.raises(TokenRefused, match="keys of the issuer unavailable"):
        verify(verifier, forge.passport())


def test_visas_of_an_access_token_come_from_userinfo(forge):
    where = f"{forge.mine.url}/userinfo"
    said = {"sub": forge.good.subject, PASSPORT: sign_visas(forge.mine, forge.good)}
    verifier, asked = fetching(
        forge, {forge.mine.jku: forge.mine.jwks(), where: said}, userinfo_url=where
    )
    token = sign_tokens(forge.mine, forge.good, AUDIENCE).access
    assert grants(verify(verifier, token))
    assert verify(verifier, token)
    assert asked == [(forge.mine.jku, None), (where, token)]


def with_visas(forge, number):
    """A person with a number of visas, each a grant of another dataset."""
    (grant,) = [one for one in forge.good.visas if one.type == "ControlledAccessGrants"]
    others = (replace(grant, value=f"{grant.value}-{i}") for i in range(number - 1))
    return replace(forge.good, visas=(grant, *others))


def test_two_hundred_visas_from_userinfo_all_count(forge):
    where = f"{forge.mine.url}/userinfo"
    who = with_visas(forge, 200)
    said = {"sub": who.subject, PASSPORT: sign_visas(forge.mine, who)}
    assert len(json.dumps(said)) < MAX_ANSWER
    verifier, _ = fetching(
        forge, {forge.mine.jku: forge.mine.jwks(), where: said}, userinfo_url=where
    )
    caller = verify(verifier, sign_tokens(forge.mine, who, AUDIENCE).access)
    assert (len(caller.visas), caller.dropped) == (200, ())


def test_one_visa_more_is_refused_with_the_number(forge):
    where = f"{forge.mine.url}/userinfo"
    said = {"sub": forge.good.subject, PASSPORT: sign_visas(forge.mine, forge.good)[:1] * 201}
    verifier, _ = fetching(
        forge, {forge.mine.jku: forge.mine.jwks(), where: said}, userinfo_url=where
    )
    with pytest.raises(TokenRefused, match="too many visas") as refused:
        verify(verifier, sign_tokens(forge.mine, forge.good, AUDIENCE).access)
    assert refused.value.message == f"{PASSPORT}: expected at most 200 visas, found 201"


def test_a_passport_of_nearly_64_kb_is_accepted(forge):
    who = with_visas(forge, 56)
    verifier, _ = fetching(forge, {forge.mine.jku: forge.mine.jwks()})
    passport = sign_tokens(forge.mine, who, AUDIENCE).passport
    assert 50_000 < len(passport) <= 64 * 1024
    assert len(verify(verifier, passport).visas) == 56


@pytest.mark.parametrize(
    "said", [{"sub": "somebody-else", PASSPORT: []}, {PASSPORT: []}, OSError("down")]
)
def test_userinfo_of_somebody_else_or_none_is_a_refusal(forge, said):
    where = f"{forge.mine.url}/userinfo"
    answers = {forge.mine.jku: forge.mine.jwks(), where: said}
    verifier, _ = fetching(forge, answers, userinfo_url=where)
    with pytest.raises(TokenRefused, match="userinfo"):
        verify(verifier, sign_tokens(forge.mine, forge.good, AUDIENCE).access)


# --- keys that can be used ---
