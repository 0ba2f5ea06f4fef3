"""A node's masked rounds: its sums leave under masks only, and totals are opened for all."""

from base64 import b64decode, b64encode

import numpy as np
import orjson
import pytest

from rehearsal.analyses.exchange import pack_arrays, unpack_arrays
from rehearsal.masked_sums.partners import JoinedNode
from rehearsal.masked_sums.signed_messages import (
    AddressedRun,
    SignedKey,
    attempt_message,
    keys_message,
)
from rehearsal.node.wes.masked_rounds import MaskedRounds, Sums

from ...node_algorithms import ANYTHING
from ...signing_keys import COORDINATOR, public_keys, signing_key
from .conftest import K, sign

MASKED = """
sums = {
    "all": (number, "count", {}),
    "carriers": ([4, 1, 0], "count", {}),
    "total": ([0.5, 0.25, 0.0], "sum", {"counts": ["carriers"], "bound": [4e6]}),
}
save("round-0", sums, folder="outbox", round=0, masked=True)
wait_for("round-0")
"""
ROUND = {
    "masked": {
        "script": MASKED,
        "schema": ANYTHING,
        "rounds": True,
        "outputs": [],
        "arrays": {"all": "count", "carriers": "count", "total": "sum"},
    }
}
BOUNDS = {"total": np.array([4e6])}  # which all nodes know
OTHERS = {  # the sums of two other nodes
    "EE": {"all": np.array(9), "carriers": np.array([3, 1, 0]), "total": np.array([1.0, 2.0, 0.0])},
    "SE": {"all": np.array(8), "carriers": np.array([0, 0, 5]), "total": np.array([0.0, 0.0, 3.0])},
}


def sums_of(name):
    counted, counts = frozenset({"all", "carriers"}), {"total": ["carriers"]}
    return Sums(OTHERS[name], counted, counts, BOUNDS)


def text(content):
    return b64encode(content).decode()


def joined(name, rounds, run, task):
    """What another node of the same analysis says of itself."""
    partners = {code: b64decode(one) for code, one in public_keys("FI", *OTHERS).items()}
    return JoinedNode.signed(signing_key(name), name, run, task, rounds.public_key, partners)


class Play:
    """One node (FI) that is asked by HTTP, and two others in this process."""

    def __init__(self, node, algorithms=ROUND, parameters=None, others_least=K, **limits):
        self.node = node(algorithms, **limits)
        _, told = self.node.run(workflow_url="masked", workflow_params=parameters or {})
        self.to = AddressedRun("FI", told["run_id"])
        self.run = f"/runs/{told['run_id']}"
        self.others = {name: MaskedRounds("study", name, others_least) for name in OTHERS}
        self.sums = {name: sums_of(name) for name in OTHERS}

    def send(self, path, method="POST", **body):
        return self.node.send(self.run + path, orjson.dumps(body), method=method)

    def post(self, path, method="POST", **body):
        status, told = self.send(path, method, **body)
        assert status == 200, told
        return told

    def join(self):
        """The keys of all nodes, signed by each."""
        told = self.post("/masks", analysis="study")
        own = SignedKey(*(b64decode(told[name]) for name in ("public_key", "signature")))
        task = b64decode(told["task"])
        others = {name: joined(name, one, "study", task) for name, one in self.others.items()}
        return {told["node"]: own, **{name: one.key for name, one in others.items()}}

    def hand_over(self, keys, signed_by=COORDINATOR, to=None):
        message = keys_message(to or self.to, "study", keys)
        return self.send(
            "/masks",
            "PUT",
            public_keys={name: text(one.public_key) for name, one in keys.items()},
            key_signatures={name: text(one.signature) for name, one in keys.items()},
            signature=sign(message, signed_by),
        )

    def meet(self):
        keys = self.join()
        assert self.hand_over(keys) == (200, {})
        for other in self.others.values():
            other.meet({name: one.public_key for name, one in keys.items()})

    def ask_mask(self, attempt=0, nodes=("EE", "FI", "SE"), signed_by=COORDINATOR):
        signature = sign(attempt_message(self.to, 0, attempt, nodes), signed_by)
        body = {"attempt": attempt, "nodes": nodes, "signature": signature}
        while (answer := self.send("/rounds/0/mask", **body))[0] == 202:
            pass  # the algorithm has not written its sums: a slow machine
        return answer

    def mask(self, attempt=0):
        nodes = ["EE", "FI", "SE"]
        status, own = self.ask_mask(attempt, nodes)
        assert status == 200, own
        vectors = {"FI": own}
        for name, other in self.others.items():
            vectors[name] = other.mask(attempt, self.sums[name], nodes)
        return vectors

    def confirm(self, present, attempt=0):
        sent = {name: self.others[name].confirm(attempt, present) for name in self.others}
        told = self.post("/rounds/0/confirm", attempt=attempt, present=present)["confirmations"]
        sent["FI"] = {name: b64decode(one) for name, one in told.items()}
        return {name: {p: sent[p][name] for p in present if p != name} for name in present}

    def opened_by_another(self):
        """The total, opened by SE."""
        vectors = self.mask()
        received = self.confirm(["EE", "FI", "SE"])
        own = {name: text(one) for name, one in received["FI"].items()}
        told = self.post("/rounds/0/reveal", attempt=0, confirmations=own, opener="SE")
        sealed = {
            "FI": b64decode(told["sealed"]),
            "EE": self.others["EE"].reveal(0, received["EE"], "SE"),
        }
        total = np.sum([np.frombuffer(one, "<u8") for one in vectors.values()], axis=0, dtype="<u8")
        opener = self.others["SE"]
        return opener.open(0, self.sums["SE"], total.tobytes(), received["SE"], sealed)

    def opened_here(self, added=None):
        """The answer to the total of all, with what the network adds to some of its words."""
        vectors = self.mask()
        received = self.confirm(["EE", "FI", "SE"])
        sealed = {name: self.others[name].reveal(0, received[name], "FI") for name in OTHERS}
        total = np.sum([np.frombuffer(one, "<u8") for one in vectors.values()], axis=0, dtype="<u8")
        for word, number in (added or {}).items():
            total[word : word + 1] += np.uint64(number)
        body = {"attempt": np.array(0), "total": total}
        for name in OTHERS:
            body[f"confirmation.{name}"] = np.frombuffer(received["FI"][name], np.uint8)
            body[f"sealed.{name}"] = np.frombuffer(sealed[name], np.uint8)
        headers = [(b"content-type", b"application/octet-stream")]
        return self.node.send(f"{self.run}/rounds/0/open", pack_arrays(body), headers=headers)


@pytest.fixture
def play(node, quick):
    return Play(node)


def test_sums_of_a_masked_round_do_not_leave_in_clear(play):
    play.meet()
    play.mask()
    status, problem = play.node.send(f"{play.run}/rounds/0", wait_s=10)
    assert (status, problem["msg"]) == (409, "The numbers of this round leave under masks only.")


def test_the_node_opens_the_total_of_all_without_small_counts(play):
    play.meet()
    status, content = play.opened_here()
    assert status == 200, content
    opened = unpack_arrays(content, "answer")
    assert {name: one.tolist() for name, one in opened.items()} == {
        "all": 27,  # 10 + 9 + 8
        "carriers": [7, 0, 5],  # 2 are below the smallest count
        "total": [1.5, 0.0, 3.0],
    }


def test_the_rule_is_that_of_the_node_with_the_largest_smallest_count(node, quick):
    play = Play(node, others_least=6)
    play.meet()
    status, content = play.opened_here()
    assert status == 200, content
    opened = unpack_arrays(content, "answer")
    assert (opened["carriers"].tolist(), opened["total"].tolist()) == ([7, 0, 0], [1.5, 0.0, 0.0])


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (1000, "total: expected the sum of the values of the nodes on the list"),
        (1 << 63, "expected "),  # found by the check words, or as a count that cannot be
    ],
)
def test_a_network_that_adds_to_counts_before_the_rule_gets_nothing(play, added, message):
    """Then it would take off what it added: 2 carriers, and the sum of their values."""
    play.meet()
    status, told = play.opened_here(added={2: added})  # the second number of carriers
    assert (status, message in told["msg"]) == (409, True), told
    assert "\n" not in told["msg"]


def test_another_node_opens_with_what_this_one_reveals(play):
    play.meet()
    assert play.opened_by_another()["carriers"].tolist() == [7, 0, 5]


def test_a_sum_above_its_bound_is_refused_in_a_line_that_does_not_tell_it(node, quick):
    """The bound of 0.4 and three nodes leave room for 0.7."""
    low = MASKED.replace('"bound": [4e6]', '"bound": [0.4]').replace("0.5, 0.25", "0.8125, 0.25")
    play = Play(node, {"masked": {**ROUND["masked"], "script": low}})
    play.meet()
    status, told = play.ask_mask()
    assert status == 409
    assert told["msg"] == (
        "sums: total: expected finite numbers of at most 0.667, as 3 are added, found others"
    )


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (["EE", "FI", "XX"], "found XX"),
        (["EE", "FI"], "participants: expected at least 3, found 2"),
    ],
)
def test_an_attempt_of_fewer_than_three_partners_is_refused(play, nodes, message):
    play.meet()
    status, told = play.ask_mask(nodes=nodes)
    assert (status, message in told["msg"]) == (409, True), told


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/masks", {"analysis": "again"}, 409, "masks: expected one analysis for a run"),
        ("/masks", {}, 400, "the body: expected an object with analysis, found another"),
        (
            "/rounds/0/mask",
            {"attempt": "0", "nodes": [], "signature": ""},
            400,
            "attempt: expected a value of JSON's",
        ),
        ("/rounds/0/confirm", {"attempt": 7, "present": ["FI"]}, 409, "found an unknown one"),
        ("/rounds/0/open", b"no arrays", 409, "expected arrays of finite numbers, found others"),
    ],
)
def test_messages_off_the_protocol_are_refused_in_one_line(play, path, body, status, message):
    play.meet()
    assert play.node.send(f"{play.run}/rounds/0", wait_s=20)[0] == 409  # the sums are there
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    found, told = play.node.send(play.run + path, sent)
    assert (found, message in told["msg"]) == (status, True), told
    assert "\n" not in told["msg"]
