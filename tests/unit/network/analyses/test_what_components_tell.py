"""What a node's messages tell the network in rounds of components: in clear all, masked nothing.

The attack in clear: in r rounds with blocks of b directions V, the network gets Y = Z'Z V of a node
with the standardised genotypes Z. If r * b is at least the number of its people, then
Z'Z = Y (V'Y)^-1 Y': all products of genotypes of the node's people, from which follows whether
somebody is one of them.
"""

import asyncio
from types import SimpleNamespace

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from rehearsal.analyses.common_variants import standardised
from rehearsal.analyses.exchange import unpack_arrays
from rehearsal.analyses.rounds import NetworkRun
from rehearsal.masked_sums import participant
from rehearsal.masked_sums.pair_keys import mask_stream
from rehearsal.masked_sums.sealed_messages import check_words
from rehearsal.network.analyses.coordinator import Coordinator
from rehearsal.network.analyses.masked_round import Masking
from rehearsal.node.wes.masked_rounds import MaskedRounds
from tests.unit.analyses.cohort import simulate

from .test_coordinator import LocalRun

NAMES, PEOPLE = ["BE", "EE", "FI"], 24  # of BE, which is attacked
STEP = {"algorithm": "components", "parameters": {"number": 2}}
key_of = X25519PrivateKey.from_private_bytes


class OverheardRun(LocalRun):
    """A node, with what the network sends to it and hears from it."""

    state, blocks, images = {}, (), ()

    async def answer(self, round_number, state):
        self.state = {**self.state, "block": np.zeros((0, 0)), **unpack_arrays(state, "state")}
        await super().answer(round_number, state)

    async def sums(self, round_number):
        arrays = await super().sums(round_number)
        self._hear(arrays.get("images"))
        return arrays

    async def masked_sums(self, attempt):
        words = await super().masked_sums(attempt)
        block = self.state.get("block", np.zeros((0, 0)))
        last = np.frombuffer(words, "<i8")[len(words) // 8 - block.size :]  # images come last
        self._hear(last.reshape(block.shape).astype(float))
        return words

    def _hear(self, images):
        if images is not None and images.size:
            self.blocks = (*self.blocks, self.state["block"])
            self.images = (*self.images, images)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    return simulate(folder, sizes=(PEOPLE, 40, 36), n_variants=160)


def overhear(cohort, *, masked):
    """Play components at all nodes: what the network knows of BE, and the genotypes of all."""
    parameters = {"steps": [{**STEP, "masked": masked}], "smallest_count": 3}
    nodes = [
        OverheardRun(name, view, parameters)
        for name, view in zip(NAMES, cohort.views(), strict=True)
    ]
    masking = Masking() if masked else None
    result = asyncio.run(Coordinator(NetworkRun(parameters), nodes, masking).play())
    state = {name: nodes[0].state[f"search.{name}"] for name in ("chosen", "mean", "scale")}
    chosen = cohort.order(result.results)[state["chosen"]]
    genotypes = standardised(cohort.genotypes[chosen], state, np.arange(chosen.size))
    return np.hstack(nodes[0].blocks), np.hstack(nodes[0].images), genotypes


def products_of(blocks, images):
    assert blocks.shape[1] >= PEOPLE  # there are enough directions
    return images @ np.linalg.pinv(blocks.T @ images, rcond=1e-9) @ images.T


def left_over(genotypes, products):
    """The share of each person's genotypes that products do not explain: 0 for who is in them."""
    values, vectors = np.linalg.eigh(products + products.T)
    basis = vectors[:, np.argsort(np.abs(values))[-PEOPLE:]]
    rest = genotypes - basis @ (basis.T @ genotypes)
    return np.linalg.norm(rest, axis=0) / np.linalg.norm(genotypes, axis=0)


def test_in_clear_the_network_finds_all_products_of_genotypes_and_who_is_there(cohort):
    blocks, images, genotypes = overhear(cohort, masked=False)
    mine = cohort.node == 0
    right = genotypes[:, mine] @ genotypes[:, mine].T
    products = products_of(blocks, images)
    assert np.abs(products - right).max() < 1e-6 * np.abs(right).max()
    left = left_over(genotypes, products)
    assert left[mine].max() < 1e-6
    assert left[~mine].min() > 0.5


def test_under_masks_the_same_attack_finds_nothing(cohort):
    blocks, images, genotypes = overhear(cohort, masked=True)
    mine = cohort.node == 0
    left = left_over(genotypes, products_of(blocks, images))
    assert left[mine].min() > 0.5
    # and members are no nearer than others: means of random numbers near 0.9
    assert abs(left[mine].mean() - left[~mine].mean()) < 0.1


@pytest.fixture
def first_sums(cohort):
    """The sums of each node in the first round of masked components."""
    parameters = {"steps": [{**STEP, "masked": True}], "smallest_count": 3}
    network = NetworkRun(parameters)
    nodes = [
        LocalRun(name, one, parameters) for name, one in zip(NAMES, cohort.views(), strict=True)
    ]
    for number in range(2):
        network.advance([node._run.sums() for node in nodes])
        for node in nodes:
            node._run.follow(network.message(number))
    return {node.node: node._sums(2) for node in nodes}


def heard(sums, monkeypatch, change=0):
    """Play one masked round with seeded secrets: all that the network hears.

    Args:
        sums: Of each node.
        change: Is added to the masks that BE and EE share, and what the opener's numbers make of
            it to those of their check words.
    """
    draw = np.random.default_rng(7).bytes
    stream, changes = mask_stream, {}
    monkeypatch.setattr(participant.secrets, "token_bytes", draw)
    monkeypatch.setattr(
        participant, "X25519PrivateKey", SimpleNamespace(generate=lambda: key_of(draw(32)))
    )
    monkeypatch.setattr(
        participant,
        "mask_stream",
        lambda key, length: stream(key, length) + changes.get(key, np.uint64(0)),
    )
    rounds = {name: MaskedRounds("run", name, 3) for name in NAMES}
    for one in rounds.values():
        one.meet({name: other.public_key for name, other in rounds.items()})
    both = rounds["BE"]._participant
    changes[both._pair_key("EE", 0, "mask")] = change
    vectors = {name: rounds[name].mask(0, sums[name], NAMES) for name in NAMES}
    if np.size(change) > 1:
        seed = rounds["FI"]._participant._rounds[0].seed
        changes[both._pair_key("EE", 0, "check")] = check_words(seed, change)
    sent = {name: rounds[name].confirm(0, NAMES) for name in NAMES}
    received = {name: {o: sent[o][name] for o in NAMES if o != name} for name in NAMES}
    sealed = {name: rounds[name].reveal(0, received[name], "FI") for name in NAMES[:2]}
    total = sum(np.frombuffer(one, "<u8") for one in vectors.values())
    opened = rounds["FI"].open(0, sums["FI"], total.tobytes(), received["FI"], sealed)
    return vectors, sent, sealed, {name: array.tolist() for name, array in opened.items()}


def test_all_messages_are_the_same_when_two_nodes_swap_their_people(first_sums, monkeypatch):
    """Other masks, just as likely, explain them: so messages tell of the total and nothing else."""
    swapped = {**first_sums, "BE": first_sums["EE"], "EE": first_sums["BE"]}
    mine, other = (first_sums[name].layout(3).pack(first_sums[name].arrays) for name in NAMES[:2])
    assert (mine != other).mean() > 0.9
    expected = heard(first_sums, monkeypatch)
    assert heard(swapped, monkeypatch, mine - other) == expected
    vectors, *_ = heard(swapped, monkeypatch)  # with the same masks, they would not be
    assert vectors["BE"] != expected[0]["BE"]
    assert vectors["FI"] == expected[0]["FI"]
