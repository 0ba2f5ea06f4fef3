"""Who may play the network's part at a node, and with whom the node adds masked sums.

Each attack is first seen to succeed without its guard, then to fail.
"""

from dataclasses import replace

import numpy as np
import pytest

from rehearsal.analyses.exchange import pack_arrays
from rehearsal.masked_sums.partners import JoinedNode
from rehearsal.masked_sums.signed_messages import AddressedRun, SignedKey
from rehearsal.node.wes.coordinators import Coordinators
from rehearsal.node.wes.masked_rounds import MaskedRounds

from ...node_algorithms import ANYTHING
from ..conftest import individuals
from .conftest import numbers, of_coordinator
from .test_masks import MASKED, ROUND, Play, joined

FI_ALONE = {"all": 10, "carriers": [4, 1, 0], "total": [0.5, 0.25, 0.0]}  # what MASKED sums at FI


@pytest.fixture
def any_keys(monkeypatch):
    """A node without the guard: it takes keys that nobody signed."""
    monkeypatch.setattr(JoinedNode, "check_all", lambda self, keys: None)


class Attack(Play):
    """A network, with a coordinator's key, that plays the other nodes itself: their sums are 0."""

    def __init__(self, node):
        super().__init__(node)
        self.others = {name: MaskedRounds("study", name, 1) for name in self.others}
        empty = {"all": np.array(0), "carriers": np.zeros(3, int), "total": np.zeros(3)}
        self.sums = {name: replace(one, arrays=empty) for name, one in self.sums.items()}

    def hand_over_its_own(self, sign):
        """Hand over keys of its own under the names of others; ``sign`` signs as it can."""
        keys = self.join()
        keys |= {name: sign(name, other) for name, other in self.others.items()}
        for other in self.others.values():
            other.meet({name: one.public_key for name, one in keys.items()})
        return self.hand_over(keys)


def not_signed(_, rounds):
    return SignedKey(rounds.public_key, bytes(64))


def signed_for_another_analysis(name, rounds):
    return joined(name, rounds, "earlier", b"task").key


def signed_for_another_task(name, rounds):
    """A partner that was asked for something else, of which it has nobody: its sums are 0."""
    return joined(name, rounds, "study", b"another task").key


def test_without_the_guard_a_network_that_plays_the_others_sees_a_node_alone(
    node, quick, any_keys, monkeypatch
):
    hide = "rehearsal.node.wes.masked_rounds.hide_small_totals"
    monkeypatch.setattr(hide, lambda totals, sums, least: totals)  # the network's own opener
    attack = Attack(node)
    assert attack.hand_over_its_own(not_signed) == (200, {})
    seen = attack.opened_by_another()
    assert {name: one.tolist() for name, one in seen.items()} == FI_ALONE


@pytest.mark.parametrize("sign", [not_signed, signed_for_another_analysis, signed_for_another_task])
def test_keys_that_no_partner_signed_for_this_analysis_are_refused(node, quick, sign):
    status, told = Attack(node).hand_over_its_own(sign)
    assert (status, told["msg"]) == (
        403,
        "masked sums: keys: EE: expected a key that EE signed for this analysis, with its identity "
        "key, found another signature",
    )


def test_nodes_that_are_no_partners_are_refused_by_name(node, quick):
    play = Play(node)
    keys = play.join()
    keys["XX"] = joined("XX", MaskedRounds("study", "XX", 1), "study", b"").key
    assert play.hand_over(keys)[0] == 403
    assert play.hand_over(keys)[1]["msg"] == (
        "masked sums: keys: XX: expected a partner that analyses.partners in node.yaml lists, "
        "found another node"
    )


def test_a_node_without_partners_or_of_another_mode_plays_no_masked_rounds(node, quick):
    play = Play(node, partners={})
    assert play.send("/masks", analysis="study") == (
        403,
        {
            "msg": "This node plays no masked rounds: its node.yaml lists no analyses.partners.",
            "status_code": 403,
        },
    )


def test_lists_of_keys_and_attempts_need_the_signature_of_a_coordinator(node, quick):
    play = Play(node)
    keys, other_run = play.join(), AddressedRun("FI", "another")
    for more in ({"signed_by": "somebody"}, {"to": other_run}):
        status, told = play.hand_over(keys, **more)
        assert (status, told["msg"]) == (
            403,
            "signature: expected one by a coordinator that analyses.coordinators in node.yaml "
            "lists, found another one",
        )
    assert play.hand_over(keys)[0] == 200
    assert play.ask_mask(signed_by="somebody")[0] == 403
    assert play.ask_mask()[0] == 200


# a state names whom to add up, as coefficients and directions of components can
WEIGHED = {
    "weighed": {
        "script": """
save("round-0", {"total": ([float(number)], "sum", {})}, folder="outbox", round=0)
weight = wait_for("round-0")["weight"]
total = [(weight[:number] * np.array(table["age"])).sum()]
save("round-1", {"total": (total, "sum", {})}, folder="outbox", round=1)
wait_for("round-1")
""",
        "schema": {"type": "object", "properties": {"of": {"format": "variable"}}},
        "rounds": True,
        "outputs": [],
        "arrays": {"total": "sum"},
    }
}
ONE_PERSON = pack_arrays({"weight": np.eye(100)[2]})


class Weighed:
    """A run whose second round adds up whom a state names."""

    def __init__(self, node, **limits):
        self.node = node(WEIGHED, **limits)
        asked = {"workflow_url": "weighed", "workflow_params": {"of": "age"}}
        self.round = f"/runs/{self.node.run(**asked)[1]['run_id']}/rounds/0"
        assert self.node.send(self.round, wait_s=20)[0] == 200

    def send(self, content=ONE_PERSON, headers=()):
        return self.node.send(self.round, content, headers=headers, method="PUT")

    def next_sums(self):
        return numbers(self.node.send(self.round[:-1] + "1", wait_s=20)[1])


def test_without_the_guard_a_caller_reads_one_persons_age(node, quick, monkeypatch):
    monkeypatch.setattr(Coordinators, "check", lambda self, signature, message: None)
    run = Weighed(node)
    assert run.send()[0] == 200
    (age,) = run.next_sums()["total"]
    assert age in (2025 - individuals()["birth_year"]).tolist()


def test_a_state_needs_the_signature_of_a_coordinator_for_this_run_and_round(node, quick):
    run = Weighed(node)
    path, other = run.round, pack_arrays({"weight": np.ones(100)})
    for headers in (
        (),
        [(b"x-rehearsal-signature", b"no base64")],
        of_coordinator(path, ONE_PERSON, who="somebody"),
        of_coordinator(path, ONE_PERSON, who="EE"),  # a partner is no coordinator
        of_coordinator(path, other),  # what the coordinator said was another state
        of_coordinator(path, ONE_PERSON, node="EE"),
        of_coordinator("/runs/another/rounds/0", ONE_PERSON),
        of_coordinator(path[:-1] + "1", ONE_PERSON),
    ):
        status, told = run.send(headers=headers)
        assert (status, "expected one by a coordinator" in told["msg"]) == (403, True), told
    assert run.send(other, of_coordinator(path, other))[0] == 200


def test_a_node_without_coordinators_takes_no_states_and_gives_a_first_round(node, quick):
    run = Weighed(node, coordinators=())
    status, told = run.send(headers=of_coordinator(run.round, ONE_PERSON))
    assert (status, told["msg"]) == (
        403,
        "This node takes nothing from a network: its node.yaml lists no analyses.coordinators.",
    )


# in clear a node hides what fewer than 3 people carry, under masks it does not
BOTH = MASKED.replace(
    'save("round-0"',
    """
if not parameters["masked"]:
    sums["carriers"][0][1], sums["total"][0][1] = 0, 0.0
save("round-0\"""",
).replace("masked=True", 'masked=parameters["masked"]')
IN_BOTH = {"masked": {**ROUND["masked"], "script": BOTH, "schema": ANYTHING}}


class Modes(Play):
    """One analysis under masks; three of six others carry the second variant, in both modes."""

    def __init__(self, node, **limits):
        super().__init__(node, IN_BOTH, {"masked": True}, **limits)
        for name, one in self.sums.items():
            self.sums[name] = replace(one, arrays={**one.arrays, "carriers": np.array([3, 3, 0])})

    def in_clear(self):
        _, told = self.node.run(workflow_url="masked", workflow_params={"masked": False})
        return self.node.send(f"/runs/{told['run_id']}/rounds/0", wait_s=20)


def test_both_modes_of_the_same_people_tell_of_one_of_them(node, quick):
    play = Modes(node, modes=("clear", "masked"))
    play.meet()
    masked = play.opened_by_another()
    status, clear = play.in_clear()
    assert status == 200
    of_others = {name: sum(one.arrays[name] for one in play.sums.values()) for name in masked}
    for name, of_one_carrier in (("carriers", [0, 1, 0]), ("total", [0.0, 0.25, 0.0])):
        told = masked[name] - of_others[name] - np.array(numbers(clear)[name])
        assert told.tolist() == of_one_carrier


@pytest.mark.parametrize(
    ("modes", "asked", "only"),
    [(("masked",), "in clear", "masked"), (("clear",), "under masks", "clear")],
)
def test_a_node_plays_its_own_modes_only(node, quick, modes, asked, only):
    play = Modes(node, modes=modes)
    status, told = play.in_clear() if only == "masked" else play.send("/masks", analysis="study")
    assert (status, told["msg"]) == (
        403,
        f"Sums do not leave this node {asked}: analyses.modes is {only}.",
    )


def test_an_algorithm_that_has_outputs_in_clear_is_refused_where_sums_are_masked(node, sandboxes):
    status, told = node(modes=("masked",)).run(
        workflow_url="counting", workflow_params={"disease": "ICD10:E11"}
    )
    assert (status, "do not leave this node in clear" in told["msg"]) == (403, True), told


def test_modes_decide_by_the_class_of_arrays_whatever_the_header_says(node, quick):
    """A header that calls sums not additive does not let them out in clear."""
    header = IN_BOTH["masked"]["script"].replace(
        'masked=parameters["masked"]', "masked=False, additive=False"
    )
    asked = node({"masked": {**IN_BOTH["masked"], "script": header}}, modes=("masked",))
    _, told = asked.run(workflow_url="masked", workflow_params={"masked": False})
    status, told = asked.send(f"/runs/{told['run_id']}/rounds/0", wait_s=20)
    assert (status, "do not leave this node in clear" in told["msg"]) == (403, True), told
