"""A node's masked rounds: its sums leave under masks only, and totals are opened for all."""

from base64 import b64decode, b64encode

import numpy as np
import orjson
import pytest

from rehearsal.analyses.exchange import pack_arrays, unpack_arrays
from rehearsal.node.wes.masked_rounds import MaskedRounds, Sums

from ...node_algorithms import ANYTHING
from .conftest import K

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


class Play:
    """One node (FI) that is asked by HTTP, and two others in this process."""

    def __init__(self, node, algorithms=ROUND):
        self.node = node(algorithms)
        _, told = self.node.run(workflow_url="masked")
        self.run = f"/runs/{told['run_id']}"
        self.others = {name: MaskedRounds("study", name, K) for name in OTHERS}

    def post(self, path, method="POST", **body):
        status, told = self.node.send(self.run + path, orjson.dumps(body), method=method)
        assert status == 200, told
        return told

    def meet(self):
        joined = self.post("/masks", analysis="study")
        keys = {name: other.public_key for name, other in self.others.items()}
        keys[joined["node"]] = b64decode(joined["public_key"])
        self.post("/masks", "PUT", public_keys={name: text(key) for name, key in keys.items()})
        for other in self.others.values():
            other.meet(keys)

    def mask(self, attempt=0):
        nodes = ["EE", "FI", "SE"]
        vectors = {"FI": self.post("/rounds/0/mask", attempt=attempt, nodes=nodes)}
        for name, other in self.others.items():
            vectors[name] = other.mask(attempt, sums_of(name), nodes)
        return vectors

    def confirm(self, present, attempt=0):
        sent = {name: self.others[name].confirm(attempt, present) for name in self.others}
        told = self.post("/rounds/0/confirm", attempt=attempt, present=present)["confirmations"]
        sent["FI"] = {name: b64decode(one) for name, one in told.items()}
        return {name: {p: sent[p][name] for p in present if p != name} for name in present}


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
    vectors = play.mask()
    received = play.confirm(["EE", "FI", "SE"])
    sealed = {name: play.others[name].reveal(0, received[name], "FI") for name in OTHERS}
    total = np.sum([np.frombuffer(one, "<u8") for one in vectors.values()], axis=0, dtype="<u8")
    body = {"attempt": np.array(0), "total": total}
    for name in OTHERS:
        body[f"confirmation.{name}"] = np.frombuffer(received["FI"][name], np.uint8)
        body[f"sealed.{name}"] = np.frombuffer(sealed[name], np.uint8)
    headers = [(b"content-type", b"application/octet-stream")]
    status, content = play.node.send(
        f"{play.run}/rounds/0/open", pack_arrays(body), headers=headers
    )
    assert status == 200, content
    opened = unpack_arrays(content, "answer")
    assert {name: one.tolist() for name, one in opened.items()} == {
        "all": 27,  # 10 + 9 + 8
        "carriers": [7, 0, 5],  # 2 are below the smallest count
        "total": [1.5, 0.0, 3.0],
    }


def test_another_node_opens_with_what_this_one_reveals(play):
    play.meet()
    vectors = play.mask()
    received = play.confirm(["EE", "FI", "SE"])
    told = play.post(
        "/rounds/0/reveal",
        attempt=0,
        confirmations={name: text(one) for name, one in received["FI"].items()},
        opener="SE",
    )
    sealed = {
        "FI": b64decode(told["sealed"]),
        "EE": play.others["EE"].reveal(0, received["EE"], "SE"),
    }
    total = np.sum([np.frombuffer(one, "<u8") for one in vectors.values()], axis=0, dtype="<u8")
    opened = play.others["SE"].open(0, sums_of("SE"), total.tobytes(), received["SE"], sealed)
    assert opened["carriers"].tolist() == [7, 0, 5]


def test_a_sum_above_its_bound_is_refused_in_a_line_that_does_not_tell_it(node, quick):
    """The bound of 0.4 and three nodes leave room for 0.7."""
    low = MASKED.replace('"bound": [4e6]', '"bound": [0.4]').replace("0.5, 0.25", "0.8125, 0.25")
    play = Play(node, {"masked": {**ROUND["masked"], "script": low}})
    play.meet()
    body = orjson.dumps({"attempt": 0, "nodes": ["EE", "FI", "SE"]})
    status, told = play.node.send(f"{play.run}/rounds/0/mask", body)
    assert status == 409
    assert told["msg"] == (
        "sums: total: expected finite numbers of at most 0.667, as 3 are added, found others"
    )


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/masks", {"analysis": "again"}, 409, "masks: expected one analysis for a run"),
        ("/masks", {}, 400, "the body: expected an object with analysis, found another"),
        (
            "/rounds/0/mask",
            {"attempt": "0", "nodes": []},
            400,
            "attempt: expected a value of JSON's",
        ),
        ("/rounds/0/mask", {"attempt": 0, "nodes": ["FI", "XX"]}, 409, "found XX"),
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
