"""Nodes sum their values; nobody sees an addend, and the network not even the total."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from rehearsal.masked_sums.pair_keys import mask_stream
from rehearsal.masked_sums.participant import MaskingError, Participant
from rehearsal.masked_sums.sealed_messages import check_words

NAMES = ["BE", "DE", "EE", "FI", "MT"]


def gathered(names=NAMES, smallest_counts=None):
    """Participants that have met."""
    least = smallest_counts or {}
    nodes = {name: Participant("run", name, least.get(name, 1)) for name in names}
    keys = {name: node.public_key for name, node in nodes.items()}
    for node in nodes.values():
        node.meet(keys)
    return nodes


def masked(nodes, values, round_number=0):
    return {
        name: node.mask(round_number, np.array(values[name], np.uint64), nodes)
        for name, node in nodes.items()
    }


def confirmed(nodes, present, round_number=0):
    """What each node of the list got from the others."""
    sent = {name: nodes[name].confirm(round_number, present) for name in present}
    return {name: {peer: sent[peer][name] for peer in present if peer != name} for name in present}


def opened(nodes, vectors, present, opener, round_number=0, added=0):
    """Play the network, which adds (also numbers of its own) and relays."""
    total = np.sum([vectors[name] for name in present], axis=0, dtype=np.uint64)
    total = total + np.array(added, np.uint64)
    received = confirmed(nodes, present, round_number)
    sealed = {
        name: nodes[name].reveal(round_number, received[name], opener)
        for name in present
        if name != opener
    }
    return nodes[opener].open(round_number, total, received[opener], sealed)


@given(st.data())
@settings(max_examples=30, deadline=None)
def test_the_total_is_that_of_the_nodes_that_sent(data):
    names = NAMES[: data.draw(st.integers(3, 5), "nodes")]
    present = data.draw(st.lists(st.sampled_from(names), min_size=3, unique=True), "present")
    words = st.lists(st.integers(0, 2**64 - 1), min_size=4, max_size=4)
    values = {name: data.draw(words, name) for name in names}
    nodes = gathered(names)
    total = opened(nodes, masked(nodes, values), present, data.draw(st.sampled_from(present)))
    expected = [sum(values[name][i] for name in present) % 2**64 for i in range(4)]
    assert total.vector.tolist() == expected


def test_a_second_round_draws_other_masks():
    nodes = gathered()
    values = {name: [1, 2, 3] for name in NAMES}
    first, second = masked(nodes, values, 0), masked(nodes, values, 1)
    assert all((first[name] != second[name]).all() for name in NAMES)
    assert opened(nodes, second, NAMES, "BE", 1).vector.tolist() == [5, 10, 15]


def test_what_a_node_sends_looks_like_chance_and_so_does_the_total_before_it_is_opened():
    nodes = gathered()
    vectors = masked(nodes, {name: [0] * 100_000 for name in NAMES})
    total = np.sum(list(vectors.values()), axis=0, dtype=np.uint64)
    for vector in (*vectors.values(), total):
        bits = np.unpackbits(vector.view(np.uint8)).reshape(-1, 64).sum(axis=0)
        heads = np.stack([bits, 100_000 - bits])
        assert chisquare(heads, np.full_like(heads, 50_000.0), axis=None).pvalue > 1e-6


def test_without_its_own_mask_a_vector_would_be_readable_once_a_node_is_called_lost():
    """The reason of the second kind of masks: the network keeps the vector of a 'lost' node."""
    nodes = gathered()
    late = masked(nodes, {name: [7] for name in NAMES})["MT"].copy()
    for peer in NAMES[:-1]:  # all pairs' masks, which the others reveal
        key = nodes[peer]._pair_key("MT", 0, "mask")
        late += mask_stream(key, 1)
    assert late.tolist() != [7]
    late -= mask_stream(nodes["MT"]._rounds[0].own_key, 1)
    assert late.tolist() == [7]


def test_a_network_that_tells_nodes_different_lists_gets_no_keys():
    nodes = gathered()
    masked(nodes, {name: [1] for name in NAMES})
    without = [name for name in NAMES if name != "MT"]
    told = {name: NAMES if name == "MT" else without for name in NAMES}
    sent = {name: nodes[name].confirm(0, told[name]) for name in NAMES}
    received = {peer: sent[peer]["MT"] for peer in without if "MT" in sent[peer]}
    with pytest.raises(MaskingError, match="BE: expected a confirmation of the same list"):
        nodes["MT"].reveal(0, received, "BE")
    with pytest.raises(MaskingError, match="expected one list of nodes, found a second list"):
        nodes["BE"].confirm(0, NAMES)


def test_a_confirmation_of_another_list_or_sender_is_refused():
    nodes = gathered()
    masked(nodes, {name: [1] for name in NAMES})
    received = confirmed(nodes, NAMES)["MT"]
    with pytest.raises(MaskingError, match=r"EE: expected a confirmation .* found another one"):
        nodes["MT"].reveal(0, {**received, "EE": received["DE"]}, "BE")


def test_only_the_opener_reads_what_is_sealed():
    nodes = gathered()
    values = {name: [1] for name in NAMES}
    total = np.sum(list(masked(nodes, values).values()), axis=0, dtype=np.uint64)
    received = confirmed(nodes, NAMES)
    sealed = {name: nodes[name].reveal(0, received[name], "BE") for name in NAMES[1:-1]}
    with pytest.raises(MaskingError, match=r"sealed for this node, found another message"):
        nodes["MT"].open(0, total, received["MT"], {**sealed, "BE": sealed["DE"]})
    with pytest.raises(MaskingError, match=r"keys of BE: expected a message .* found none"):
        nodes["MT"].open(0, total, received["MT"], sealed)


def test_keys_are_revealed_once():
    nodes = gathered()
    vectors = masked(nodes, {name: [1] for name in NAMES})
    opened(nodes, vectors, NAMES, "BE")
    received = confirmed(nodes, NAMES)
    with pytest.raises(MaskingError, match="found a second request"):
        nodes["MT"].reveal(0, received["MT"], "DE")
    with pytest.raises(MaskingError, match="one opening, before the next round"):
        nodes["BE"].open(0, vectors["BE"], received["BE"], {})


@given(st.lists(st.integers(0, 2**48), min_size=3, max_size=3).filter(any), st.sampled_from(NAMES))
@settings(max_examples=20, deadline=None)
def test_numbers_that_the_network_adds_to_the_total_are_found(added, opener):
    """It adds 1000 to a count of one person and takes it off again: the rule sees 1001 people."""
    nodes = gathered()
    vectors = masked(nodes, {name: [int(name == "DE"), 7, 0] for name in NAMES})
    with pytest.raises(MaskingError, match="total: expected the sum of the values of the nodes"):
        opened(nodes, vectors, NAMES, opener, added=added)


def test_a_total_is_opened_once_so_that_nobody_tries_out_what_is_found():
    nodes = gathered()
    vectors = masked(nodes, {name: [1] for name in NAMES})
    received = confirmed(nodes, NAMES)
    sealed = {name: nodes[name].reveal(0, received[name], "BE") for name in NAMES[1:]}
    total = np.sum(list(vectors.values()), axis=0, dtype=np.uint64)
    with pytest.raises(MaskingError, match="found other numbers"):
        nodes["BE"].open(0, total + np.uint64(1), received["BE"], sealed)
    with pytest.raises(MaskingError, match="found a second request or a late one"):
        nodes["BE"].open(0, total, received["BE"], sealed)


def test_the_opener_reads_of_the_others_only_the_sum_of_their_check_words():
    """A node's own words, without masks, would let it try out values of one node."""
    nodes = gathered()
    masked(nodes, {name: [1, 2] for name in NAMES})
    received = confirmed(nodes, NAMES)
    sealed = {name: nodes[name].reveal(0, received[name], "BE") for name in NAMES[1:]}
    seed = nodes["BE"]._rounds[0].seed
    found = {name: nodes["BE"]._unsealed(0, name, sealed).check for name in NAMES[1:]}
    plain = check_words(seed, np.array([1, 2], np.uint64))
    for name, words in found.items():
        words = words.copy()
        shared = mask_stream(nodes["BE"]._pair_key(name, 0, "check"), 2)  # which BE knows
        assert not (words == plain).any()
        assert not (words + shared == plain).any()


def test_a_seed_is_one_that_the_opener_sealed():
    nodes = gathered()
    masked(nodes, {name: [1] for name in NAMES})
    received = confirmed(nodes, NAMES)
    received["MT"]["BE"] = received["MT"]["BE"][:32] + received["MT"]["DE"][32:]
    with pytest.raises(MaskingError, match=r"seed of BE: expected one sealed for this node"):
        nodes["MT"].reveal(0, received["MT"], "BE")


def test_the_total_has_the_largest_of_the_smallest_counts():
    nodes = gathered(smallest_counts={"BE": 2, "EE": 5, "MT": 3})
    vectors = masked(nodes, {name: [1] for name in NAMES})
    assert opened(nodes, vectors, ["BE", "EE", "MT"], "BE").smallest_count == 5


def test_a_node_keeps_the_vector_of_one_round_only_until_it_is_in_a_total():
    nodes = gathered()
    masked(nodes, {name: [1] for name in NAMES}, 0)
    vectors = masked(nodes, {name: [1] for name in NAMES}, 1)
    assert all(node._rounds[0].vector is None for node in nodes.values())
    opened(nodes, vectors, NAMES, "BE", 1)
    assert all(node._rounds[1].vector is None for node in nodes.values())


def bad_meeting(node):
    node.meet({"BE": node.public_key, "DE": Participant("run", "DE").public_key})


def short_key(node):
    node.meet({"BE": node.public_key, "DE": b"short", "EE": Participant("run", "EE").public_key})


def foreign_key(node):
    node.meet({name: Participant("run", name).public_key for name in NAMES})


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (bad_meeting, "participants: expected at least 3, found 2"),
        (short_key, "keys: DE: expected 32 bytes of an X25519 key, found 5 bytes"),
        (foreign_key, "expected the key of BE among them"),
    ],
)
def test_keys_that_cannot_be_used_are_refused(act, message):
    with pytest.raises(MaskingError, match=message):
        act(Participant("run", "BE"))


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda node: node.mask(0, np.zeros(1, np.uint64), NAMES), "found a round masked before"),
        (lambda node: node.mask(1, np.zeros(1, np.uint64), [*NAMES, "XX"]), "found XX"),
        (lambda node: node.mask(1, np.zeros(1, np.uint64), NAMES[:2]), "at least 3, found 2"),
        (lambda node: node.confirm(0, NAMES[1:]), "expected a list with BE"),
        (lambda node: node.confirm(0, NAMES[:2]), "at least 3, found 2"),
        (lambda node: node.confirm(9, NAMES), "found an unknown one"),
        (lambda node: node.reveal(0, {}, "DE"), "expected a confirmed list of nodes, found none"),
        (lambda node: node.meet({}), "expected one list in a run, found a second one"),
    ],
)
def test_what_the_protocol_does_not_allow_is_refused_in_one_line(act, message):
    nodes = gathered()
    masked(nodes, {name: [1] for name in NAMES})
    with pytest.raises(MaskingError, match=message):
        act(nodes["BE"])
